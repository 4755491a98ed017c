"""Targets of Entra ID: who needs a secret, and whose identity is attested to whom."""

import pytest

from tests.infra.synthesis import CONFIG, function, resources, statements, template

APP = 'tenant_id = "acme.example", client_id = "1-2-3"'


def azure(name, entra):
    return f"""
[targets.{name}]
provider = "azure"
endpoint = "https://{name}.openai.azure.com"
models = {{ "gpt-5" = "gpt-5-prod" }}
auth = "entra"
entra = {{ {entra} }}
"""


BY_SECRET = azure("by-secret", APP)
BY_IDENTITY = azure("by-identity", f'{APP}, identity = "aws"')
ELSEWHERE = azure(
    "elsewhere", f'{APP}, identity = "aws", audience = "api://AzureADTokenExchangeUSGov"'
)
ALL = CONFIG + BY_SECRET + BY_IDENTITY + ELSEWHERE


def attested(made, name):
    return [s for s in statements(made, name) if s["Action"] == "sts:GetWebIdentityToken"]


def outputs(made):
    return {name: output["Value"] for name, output in made.find_outputs("*").items()}


def test_a_target_that_trusts_the_functions_identity_has_no_secret():
    secrets = resources(template(text=ALL), "SecretsManager::Secret").values()
    names = {secret["Name"] for secret in secrets}
    assert names == {f"antiphon/prod/{name}" for name in ("openai", "azure-east", "by-secret")}
    assert set(outputs(template(text=ALL))["SecretNames"].split(", ")) == names


@pytest.mark.parametrize("name", ["api", "settle"])
def test_who_calls_such_a_target_may_be_attested_to_its_audience_and_no_other(name):
    (statement,) = attested(template(text=ALL), name)
    assert statement == {
        "Effect": "Allow",
        "Action": "sts:GetWebIdentityToken",
        "Resource": "*",
        "Condition": {
            "ForAllValues:StringEquals": {
                "sts:IdentityTokenAudience": [
                    "api://AzureADTokenExchange",
                    "api://AzureADTokenExchangeUSGov",
                ]
            },
            "Null": {"sts:IdentityTokenAudience": "false"},
            "StringEquals": {"sts:SigningAlgorithm": "RS256"},
            "NumericLessThanEquals": {"sts:DurationSeconds": 300},
        },
    }


def test_who_calls_no_target_is_attested_to_nobody():
    assert attested(template(text=ALL), "rollup") == []


@pytest.mark.parametrize("text", [CONFIG, CONFIG + BY_SECRET], ids=["keys", "client secret"])
def test_without_such_a_target_nobody_is_attested(text):
    assert [attested(template(text=text), name) for name in ("api", "settle")] == [[], []]
    assert "EntraSubjects" not in outputs(template(text=text))


def test_without_any_secret_none_is_read_or_told():
    made = template(text=BY_IDENTITY)
    assert not resources(made, "SecretsManager::Secret")
    assert "secretsmanager" not in str(statements(made, "api"))
    assert "SecretNames" not in outputs(made)


def test_the_subjects_that_entra_is_to_trust_are_told():
    made = template(text=ALL)
    roles = [function(made, name)["Role"] for name in ("api", "settle")]
    assert outputs(made)["EntraSubjects"] == {"Fn::Join": ["", [roles[0], ", ", roles[1]]]}
