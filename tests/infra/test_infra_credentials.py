"""Targets with Entra ID: which need a secret, and which functions get web identity tokens."""

import json

import pytest

from antiphon.settings.config import ConfigError
from tests.infra.synthesis import CONFIG, function, resources, statements, template

APP = 'tenant_id = "acme.example", client_id = "1-2-3"'

JUDGE = "arn:aws:lambda:eu-west-1:123456789012:function:judge:live"


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


def token_statements(made, name):
    return [s for s in statements(made, name) if s["Action"] == "sts:GetWebIdentityToken"]


def environment(made, name):
    return function(made, name)["Environment"]["Variables"]


def joined(value):
    """Parse JSON that CloudFormation joins from text and references."""
    separator, parts = value["Fn::Join"]
    return json.loads(
        separator.join(
            p if isinstance(p, str) else json.dumps(p).replace('"', '\\"') for p in parts
        ),
        object_hook=lambda found: {k: json.loads(v) for k, v in found.items()},
    )


def outputs(made):
    return {name: output["Value"] for name, output in made.find_outputs("*").items()}


def test_a_target_with_web_identity_has_no_secret():
    made = template(text=ALL)
    secrets = resources(made, "SecretsManager::Secret")
    assert {secret["Description"].split(",")[0] for secret in secrets.values()} == {
        f"Credential of target {name}" for name in ("openai", "azure-east", "by-secret")
    }
    arns = {
        secret["Description"].split(",")[0].removeprefix("Credential of target "): {"Ref": id}
        for id, secret in secrets.items()
    }
    assert joined(environment(made, "settle")["TARGET_SECRETS"]) == arns
    given = [joined(v) for name, v in outputs(made).items() if name.startswith("TargetSecret")]
    assert {target: arn for each in given for target, arn in each.items()} == arns
    assert "TARGET_SECRETS" not in environment(made, "rollup")


@pytest.mark.parametrize("name", ["api", "settle"])
def test_callers_of_such_a_target_get_tokens_for_its_audience_only(name):
    (statement,) = token_statements(template(text=ALL), name)
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


def test_a_function_without_targets_gets_no_tokens():
    assert token_statements(template(text=ALL), "rollup") == []


@pytest.mark.parametrize("text", [CONFIG, CONFIG + BY_SECRET], ids=["keys", "client secret"])
def test_without_such_a_target_no_function_gets_tokens(text):
    assert [token_statements(template(text=text), name) for name in ("api", "settle")] == [[], []]
    assert "EntraSubjects" not in outputs(template(text=text))


def test_rollup_alone_reads_the_secret_with_the_collector_s_headers():
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:otlp-AbCdEf"
    made = template(text=f'{CONFIG}\n[telemetry]\nheaders_secret = "{arn}"\n')
    (read,) = (each for each in statements(made, "rollup") if arn in str(each))
    assert (read["Action"], read["Resource"]) == ("secretsmanager:GetSecretValue", arn)
    assert arn not in str([statements(made, name) for name in ("api", "settle")])
    assert "secretsmanager" not in str(statements(template(), "rollup"))


def test_the_api_function_alone_reads_the_secret_of_a_provider_s_webhooks():
    made = template(text=CONFIG.replace('"openai"\n', '"openai"\nreceives_webhooks = true\n', 1))
    secrets = resources(made, "SecretsManager::Secret")
    (id,) = (id for id, each in secrets.items() if "Webhook secret of" in each["Description"])
    for name, reads in (("api", True), ("settle", False), ("rollup", False)):
        assert (id in json.dumps(statements(made, name))) is reads
    assert joined(environment(made, "api")["TARGET_SECRETS"])["openai.webhook"] == {"Ref": id}
    assert "openai.webhook" not in joined(environment(made, "settle")["TARGET_SECRETS"])
    given = [joined(v) for name, v in outputs(made).items() if name.startswith("TargetSecret")]
    assert {"openai.webhook": {"Ref": id}} in given


@pytest.mark.parametrize(
    ("setting", "action", "resource"),
    [
        (f'function = "{JUDGE}"', "lambda:InvokeFunction", JUDGE),
        ('bedrock = "abc123:1"', "bedrock:ApplyGuardrail", ":guardrail/abc123"),
    ],
)
def test_the_api_function_alone_may_ask_the_guardrail(setting, action, resource):
    made = template(text=f"{CONFIG}\n[guardrail]\n{setting}\n")
    (allowed,) = (each for each in statements(made, "api") if each["Action"] == action)
    assert resource in json.dumps(allowed["Resource"])
    others = [statements(made, name) for name in ("settle", "rollup")]
    assert action not in str([others, statements(template(), "api")])


def events_statements(made, name):
    return [each for each in statements(made, name) if "events:" in str(each["Action"])]


def test_only_what_announces_ends_may_send_events_and_to_one_bus_only():
    arn = "arn:aws:events:eu-west-1:123456789012:event-bus/acme"
    made = template(text=f'{CONFIG}\n[events]\nbus = "{arn}"\n')
    for name in ("rollup", "settle"):
        (send,) = events_statements(made, name)
        assert (send["Action"], send["Resource"]) == ("events:PutEvents", arn)
        assert send["Condition"] == {"StringEquals": {"events:source": "antiphon"}}
    assert events_statements(made, "api") == events_statements(template(), "rollup") == []


def test_too_many_secrets_for_the_environment_are_refused():
    """Lambda would refuse them in the middle of the deployment."""
    targets = "".join(azure(f"azure-{number}", APP) for number in range(30))
    with pytest.raises(ConfigError, match=r"^gateway.toml: targets: they have 30 secrets"):
        template(text=targets)


def test_without_secrets_there_is_no_permission():
    made = template(text=BY_IDENTITY)
    assert not resources(made, "SecretsManager::Secret")
    assert "secretsmanager" not in str(statements(made, "api"))
    assert not [name for name in outputs(made) if name.startswith("TargetSecret")]


def test_subjects_for_entra_are_an_output():
    made = template(text=ALL)
    roles = [function(made, name)["Role"] for name in ("api", "settle")]
    assert outputs(made)["EntraSubjects"] == {"Fn::Join": ["", [roles[0], ", ", roles[1]]]}


KEYLESS = """
[targets.keyless]
provider = "openai"
models = ["gpt-*"]
auth = "workload_identity"
workload_identity = { identity_provider_id = "idp_1", service_account_id = "user-1" }
"""


def test_openai_without_a_key_has_no_secret_and_says_what_to_register():
    made = template(text=KEYLESS)
    assert not resources(made, "SecretsManager::Secret")
    (statement,) = token_statements(made, "api")
    audience = "https://api.openai.com/v1"
    conditions = statement["Condition"]
    assert conditions["ForAllValues:StringEquals"]["sts:IdentityTokenAudience"] == [audience]
    roles = [function(made, name)["Role"] for name in ("api", "settle")]
    found = outputs(made)
    assert found["OpenAISubjects"] == {"Fn::Join": ["", [roles[0], ", ", roles[1]]]}
    assert found["OpenAIAudiences"] == audience
    assert "EntraSubjects" not in found


def test_secrets_have_the_tag_that_lets_operators_describe_them():
    for secret in resources(template(), "SecretsManager::Secret").values():
        assert {"Key": "application", "Value": "antiphon"} in secret["Tags"]
