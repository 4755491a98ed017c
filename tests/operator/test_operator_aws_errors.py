"""Errors of AWS, as messages, and the IAM policy for operators."""

import json

import botocore.exceptions as aws
import click
import pytest
from moto.core import set_initial_no_auth_action_count

from antiphon.errors import Unavailable
from antiphon.rollup.recount import COUNTED_KINDS
from antiphon.store.dynamodb import BatchTable
from antiphon.store.links import link_partition, link_row, time_partition
from antiphon.store.reservations import limits_partition
from antiphon.store.storage import StorageKey
from antiphon.store.usage import usage_partition
from infra.operator.aws_errors import translate_aws_errors
from tests.support.aws_clients import aws_client
from tests.support.commands import OPENAI_SECRET, OPERATOR_ENVIRONMENT, run_antiphon, run_for_json
from tests.support.dynamodb import make_link
from tests.support.permissions import POLICY, actions_of
from tests.support.usage import make_usage

PUT = ("secrets", "put", "openai")
TAIL = ("tail", "--no-follow")
COMMANDS = {"secretsmanager": PUT, "logs": TAIL, "cloudformation": TAIL}  # by a service they need
# Those of the doctor are shown to be used by its own tests; DynamoDB, in place of the commands,
# uses those of KMS.
FOR_TAIL = actions_of("CheckResources")
ACTIONS = sorted(
    each
    for each in actions_of("") - actions_of("Check") | actions_of("PutCredentials") | FOR_TAIL
    if not each.startswith("kms:")
)


def client_error(code, message="message of AWS"):
    return aws.ClientError({"Error": {"Code": code, "Message": message}}, "PutItem")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (client_error("AccessDenied"), "credentials do not allow this.\nmessage of AWS"),
        (client_error("AccessDeniedException"), "credentials do not allow this.\nmessage of AWS"),
        (client_error("ExpiredToken"), "with `aws sso login`.\nmessage of AWS"),
        (client_error("ExpiredTokenException"), "have expired. Sign in again, "),
        (client_error("InvalidClientTokenId"), "AWS rejects your credentials."),
        (client_error("UnrecognizedClientException"), "AWS rejects your credentials."),
        (client_error("Throttling"), "message of AWS"),
        (client_error("Strange", ""), "ClientError"),
        (aws.NoCredentialsError(), "There are no AWS credentials."),
        (aws.NoRegionError(), "There is no AWS Region."),
        (aws.ProfileNotFound(profile="ops"), "The config profile (ops) could not be found"),
        (aws.TokenRetrievalError(provider="sso", error_msg="x"), "have expired."),
        (aws.UnauthorizedSSOTokenError(), "have expired. Sign in again, "),
        (aws.SSOTokenLoadError(error_msg="x"), "have expired. Sign in again, "),
        (aws.CredentialRetrievalError(provider="p", error_msg="x"), "rejects your"),
        (aws.PartialCredentialsError(provider="env", cred_var="b"), "rejects your"),
        (aws.EndpointConnectionError(endpoint_url="https://x"), "AWS cannot be reached."),
        (aws.ReadTimeoutError(endpoint_url="https://x"), "Read timeout"),
    ],
)
@pytest.mark.parametrize("raised_by_store", [False, True])
def test_every_error_becomes_a_message(error, text, raised_by_store):
    raised = error
    if raised_by_store:
        raised = Unavailable("The gateway's store did not answer.")
        raised.__cause__ = error
    with pytest.raises(click.ClickException) as caught, translate_aws_errors():
        raise raised
    assert text in caught.value.message
    assert caught.value.exit_code == 1


def test_throttled_table_is_reported():
    with pytest.raises(click.ClickException, match="too busy"), translate_aws_errors():
        raise Unavailable("The gateway's store is too busy. Try again.")


def test_unexpected_exceptions_are_not_translated():
    with pytest.raises(ZeroDivisionError), translate_aws_errors():
        raise ZeroDivisionError


def create_operator(*actions):
    """Return the environment of a user with these actions; moto ignores resources and conditions."""
    iam = aws_client("iam")
    iam.create_user(UserName="operator")
    allowed = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_user_policy(UserName="operator", PolicyName="p", PolicyDocument=document)
    key = iam.create_access_key(UserName="operator")["AccessKey"]
    return {
        **OPERATOR_ENVIRONMENT,
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }


@set_initial_no_auth_action_count(0)
def run_with_iam(env, *arguments, **options):
    """Run a command with moto checking its permissions."""
    return run_antiphon(*arguments, env=env, **options)


def recount(env):
    """Run the command where there is a link to count; return its result."""
    link = make_link(status="completed", usage=make_usage())
    client = aws_client("dynamodb")
    BatchTable(client, "table-of-prod").put_all([link_row(link)])
    return run_with_iam(env, "usage", "recount", "--since", "2023-11-14", "--json")


def leading_keys(sid):
    (statement,) = (each for each in POLICY["Statement"] if each["Sid"] == sid)
    return {*statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]}


def test_operator_policy_has_the_rows_that_a_recount_needs():
    links = {link_partition(kind, "*", "*") for kind in COUNTED_KINDS}
    storage = {StorageKey("*", key).partition for key in (None, "*")}
    assert leading_keys("Recount") == {*links, *storage, usage_partition("*")}
    assert leading_keys("FindLinksToRecount") == {time_partition(k, "*") for k in COUNTED_KINDS}


def test_operator_policy_has_the_rows_that_limits_are_counted_in():
    counters = {limits_partition("*"), limits_partition("*", "*")}
    storage = {StorageKey("*", key).partition for key in (None, "*")}
    assert leading_keys("ReadWhatIsUsedOfLimits") == counters | storage


@pytest.mark.usefixtures("stacks")
def test_operator_policy_allows_every_command():
    # IAM has no such action: it checks a transaction by the actions in it. moto has it.
    env = create_operator(*ACTIONS, "dynamodb:TransactWriteItems")

    def done(*arguments):
        result = run_with_iam(env, "keys", *arguments, "--json")
        assert result.code == 0, result.err
        return result.json

    new = done("rotate", done("create", "--tenant", "acme")["id"])
    done("update", new["id"], "--rpm", "5")
    done("revoke", new["id"])
    assert done("show", new["key"])["status"] == "revoked"
    assert len(done("list", "--all")["data"]) == 2
    assert recount(env).json["data"][0]["uncounted"] == 1
    for options in ([], ["--remove"]):
        adopted = run_with_iam(env, "adopt", "acme", "vs_1", "--target", "openai", *options)
        assert adopted.code == 0, adopted.err
    stored = run_with_iam(env, *PUT, stdin="sk-1")
    assert stored.code == 0, stored.err


@pytest.mark.usefixtures("stacks")
@pytest.mark.parametrize("missing", ACTIONS)
def test_operator_policy_contains_no_unused_action(missing):
    env = create_operator(*(action for action in ACTIONS if action != missing))
    id = run_for_json("keys", "create", "--tenant", "acme")["id"]
    aws_client("secretsmanager").delete_secret(SecretId=OPENAI_SECRET)
    if missing == "dynamodb:BatchGetItem":
        result = recount(env)
    else:
        command = COMMANDS.get(missing.partition(":")[0], ("keys", "rotate", id))
        result = run_with_iam(env, *command, stdin="sk-1")
    assert (result.code, result.out) == (1, "")
    assert f"is not authorized to perform: {missing}" in result.err
