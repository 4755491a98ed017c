"""Targets with Entra ID: which need a secret, and which functions get web identity tokens."""

import json

import pytest

from antiphon.settings.config import ConfigError
from tests.infra.synthesis import CONFIG, function, resources, statements, template
from tests.infra.variants import APP, BUS, COLLECTOR, JUDGE, KEYLESS, OTHER_PARTS, PARTS, azure


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
    made = template(text=PARTS)
    begin = "Credential of target "
    arns = {
        secret["Description"].split(",")[0].removeprefix(begin): {"Ref": id}
        for id, secret in resources(made, "SecretsManager::Secret").items()
        if secret["Description"].startswith(begin)
    }
    assert arns.keys() == {"openai", "azure-east", "by-secret"}
    assert joined(environment(made, "settle")["TARGET_SECRETS"]) == arns
    given = [joined(v) for name, v in outputs(made).items() if name.startswith("TargetSecret")]
    all_given = {target: arn for each in given for target, arn in each.items()}
    assert {target: arn for target, arn in all_given.items() if target != "openai.webhook"} == arns
    assert "TARGET_SECRETS" not in environment(made, "rollup")


@pytest.mark.parametrize("name", ["api", "settle"])
def test_callers_of_such_a_target_get_tokens_for_its_audience_only(name):
    (statement,) = token_statements(template(text=PARTS), name)
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
    assert token_statements(template(text=PARTS), "rollup") == []


@pytest.mark.parametrize("text", [CONFIG, OTHER_PARTS], ids=["keys", "client secret"])
def test_without_such_a_target_no_function_gets_tokens(text):
    assert [token_statements(template(text=text), name) for name in ("api", "settle")] == [[], []]
    assert "EntraSubjects" not in outputs(template(text=text))


def test_rollup_alone_reads_the_secret_with_the_collector_s_headers():
    made = template(text=PARTS)
    (read,) = (each for each in statements(made, "rollup") if COLLECTOR in str(each))
    assert (read["Action"], read["Resource"]) == ("secretsmanager:GetSecretValue", COLLECTOR)
    assert COLLECTOR not in str([statements(made, name) for name in ("api", "settle")])
    assert "secretsmanager" not in str(statements(template(), "rollup"))


def test_the_api_function_alone_reads_the_secret_of_a_provider_s_webhooks():
    made = template(text=PARTS)
    secrets = resources(made, "SecretsManager::Secret")
    (id,) = (id for id, each in secrets.items() if "Webhook secret of" in each["Description"])
    for name, reads in (("api", True), ("settle", False), ("rollup", False)):
        assert (id in json.dumps(statements(made, name))) is reads
    assert joined(environment(made, "api")["TARGET_SECRETS"])["openai.webhook"] == {"Ref": id}
    assert "openai.webhook" not in joined(environment(made, "settle")["TARGET_SECRETS"])
    given = [joined(v) for name, v in outputs(made).items() if name.startswith("TargetSecret")]
    assert {"openai.webhook": {"Ref": id}} in given


@pytest.mark.parametrize(
    ("text", "action", "resource"),
    [
        (PARTS, "lambda:InvokeFunction", JUDGE),
        (OTHER_PARTS, "bedrock:ApplyGuardrail", ":guardrail/abc123"),
    ],
    ids=["function", "bedrock"],
)
def test_the_api_function_alone_may_ask_the_guardrail(text, action, resource):
    made = template(text=text)
    (allowed,) = (each for each in statements(made, "api") if each["Action"] == action)
    assert resource in json.dumps(allowed["Resource"])
    others = [statements(made, name) for name in ("settle", "rollup")]
    assert action not in str([others, statements(template(), "api")])


def events_statements(made, name):
    return [each for each in statements(made, name) if "events:" in str(each["Action"])]


def test_only_what_announces_ends_may_send_events_and_to_one_bus_only():
    made = template(text=PARTS)
    for name in ("rollup", "settle"):
        (send,) = events_statements(made, name)
        assert (send["Action"], send["Resource"]) == ("events:PutEvents", BUS)
        assert send["Condition"] == {"StringEquals": {"events:source": "antiphon"}}
    assert events_statements(made, "api") == events_statements(template(), "rollup") == []


def test_too_many_secrets_for_the_environment_are_refused():
    """Lambda would refuse them in the middle of the deployment."""
    targets = "".join(azure(f"azure-{number}", APP) for number in range(30))
    with pytest.raises(ConfigError, match=r"^gateway.toml: targets: they have 30 secrets"):
        template(text=targets)


def test_subjects_for_entra_are_an_output():
    made = template(text=PARTS)
    roles = [function(made, name)["Role"] for name in ("api", "settle")]
    assert outputs(made)["EntraSubjects"] == {"Fn::Join": ["", [roles[0], ", ", roles[1]]]}


def test_openai_without_a_key_has_no_secret_and_says_what_to_register():
    made = template(text=KEYLESS)
    assert not resources(made, "SecretsManager::Secret")
    assert "secretsmanager" not in str(statements(made, "api"))
    assert not [name for name in outputs(made) if name.startswith("TargetSecret")]
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
