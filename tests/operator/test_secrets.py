"""`antiphon secrets put`: where the credential comes from, where it goes, what is refused."""

import json

import pytest

from tests.support.aws_clients import aws_client
from tests.support.commands import OPENAI_SECRET, create_stack, run_antiphon
from tests.support.webhooks import make_secret

pytestmark = pytest.mark.usefixtures("stacks")


@pytest.fixture
def client():
    return aws_client("secretsmanager")


def put(*arguments, stdin="sk-new\n", code=0):
    done = run_antiphon("secrets", "put", *arguments, stdin=stdin)
    assert (done.code, done.out) == (code, ""), done.err
    assert "sk-new" not in done.err
    return done.err


def value(client, stage="AWSCURRENT"):
    return client.get_secret_value(SecretId=OPENAI_SECRET, VersionStage=stage)["SecretString"]


def test_it_is_stored_by_the_name_of_the_target_and_the_last_one_remains(client):
    assert put("openai", stdin="sk-old") == (
        "The credential of target 'openai' is stored in Antiphon-prod. The gateway uses it within "
        "300 seconds.\n"
    )
    put("openai")
    assert (value(client), value(client, "AWSPREVIOUS")) == ("sk-new", "sk-old")


def test_a_secret_whose_deletion_is_scheduled_is_restored(client):
    client.delete_secret(SecretId=OPENAI_SECRET)
    put("openai")
    assert value(client) == "sk-new"


def test_a_secret_that_is_gone_needs_a_deployment(client):
    client.delete_secret(SecretId=OPENAI_SECRET, ForceDeleteWithoutRecovery=True)
    refusal = put("openai", code=1)
    assert "was deleted for good: arn:aws:secretsmanager:" in refusal
    assert "Remove the target from gateway.toml and `make deploy`" in refusal


@pytest.mark.parametrize(
    ("stdin", "why"),
    [
        ("", "The credential is empty. Nothing is stored."),
        ("replace-me", "is the placeholder"),
        ("sk-antiphon-abc", "is a key of this gateway"),
        ('{"key": "sk-new"}', "is not one word"),
        ("OPENAI_API_KEY=\nsk-new", "is not one word"),
        ("Bearer sk-new", "is not one word"),
        ("schlüssel", "is not one word"),
    ],
)
def test_what_can_be_no_credential_is_refused(client, stdin, why):
    assert why in put("openai", stdin=stdin, code=2)
    assert value(client) == "replace-me"


def test_other_targets_are_usage_errors():
    assert "has no target 'x'. It has openai, azure-east." in put("x", code=2)
    assert "The target 'azure-east' of Antiphon-prod has no secret" in put("azure-east", code=2)
    create_stack("Antiphon-old", "table-of-old", TargetNames="openai")
    assert "the stack is older than this command" in put("openai", "--stage", "old", code=2)
    assert "unexpected extra argument" in put("openai", "sk-oops", code=2)


def test_the_secret_of_webhooks_is_another_one(client):
    hooked = client.create_secret(Name="hooked", SecretString="replace-me")
    arn = json.dumps({"openai.webhook": hooked["ARN"]})
    create_stack("Antiphon-hooked", "table-of-hooked", TargetNames="openai", TargetSecret1=arn)
    of_stack = ("openai", "--webhook", "--stage", "hooked")
    assert "A webhook's secret is whsec_ and Base64. Nothing" in put(*of_stack, code=2)
    secret = make_secret()
    assert "The webhook secret of target 'openai' is stored" in put(*of_stack, stdin=secret)
    assert client.get_secret_value(SecretId="hooked")["SecretString"] == secret
    assert "is without receives_webhooks in gateway.toml" in put("openai", "--webhook", code=2)


def test_it_is_read_without_echo_from_a_terminal(client, monkeypatch):
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda _: True, raising=False)
    done = run_antiphon("secrets", "put", "openai", stdin="sk-new\n")
    assert done.err.startswith("Credential of openai:")
    assert "sk-new" not in done.out + done.err
    assert value(client) == "sk-new"
