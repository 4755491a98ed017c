"""What AWS refuses, in words."""

import json
from pathlib import Path

import boto3
import botocore.exceptions as aws
import click
import pytest
from moto.core import set_initial_no_auth_action_count

from antiphon.errors import Unavailable
from infra.operator import failures
from tests.support.aws import LOCAL_AWS
from tests.support.commands import OPERATOR_ENVIRONMENT, run_antiphon, run_for_json


def listed(value):
    return value if isinstance(value, list) else [value]


POLICY = json.loads((Path(__file__).parents[2] / "docs" / "operator-policy.json").read_text())
ACTIONS = [action for each in POLICY["Statement"] for action in listed(each["Action"])]


def client_error(code, message="as AWS says it"):
    return aws.ClientError({"Error": {"Code": code, "Message": message}}, "PutItem")


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (client_error("AccessDenied"), "not allowed to do this.\nas AWS says it"),
        (client_error("AccessDeniedException"), "not allowed to do this.\nas AWS says it"),
        (client_error("ExpiredToken"), "have expired. Sign in again.\nas AWS says it"),
        (client_error("ExpiredTokenException"), "have expired. Sign in again."),
        (client_error("InvalidClientTokenId"), "AWS does not take your credentials."),
        (client_error("UnrecognizedClientException"), "AWS does not take your credentials."),
        (client_error("Throttling"), "as AWS says it"),
        (client_error("Strange", ""), "ClientError"),
        (aws.NoCredentialsError(), "There are no AWS credentials."),
        (aws.NoRegionError(), "There is no AWS Region."),
        (aws.ProfileNotFound(profile="ops"), "The config profile (ops) could not be found"),
        (aws.TokenRetrievalError(provider="sso", error_msg="x"), "have expired."),
        (aws.UnauthorizedSSOTokenError(), "have expired. Sign in again."),
        (aws.SSOTokenLoadError(error_msg="x"), "have expired. Sign in again."),
        (aws.CredentialRetrievalError(provider="p", error_msg="x"), "does not take your"),
        (aws.PartialCredentialsError(provider="env", cred_var="b"), "does not take your"),
        (aws.EndpointConnectionError(endpoint_url="https://x"), "AWS cannot be reached."),
        (aws.ReadTimeoutError(endpoint_url="https://x"), "Read timeout"),
    ],
)
@pytest.mark.parametrize("behind_the_store", [False, True])
def test_every_failure_ends_in_words_without_a_traceback(fault, words, behind_the_store):
    raised = fault
    if behind_the_store:
        raised = Unavailable("The gateway's store did not answer.")
        raised.__cause__ = fault
    with pytest.raises(click.ClickException) as told, failures.told():
        raise raised
    assert words in told.value.message
    assert told.value.exit_code == 1


def test_a_table_that_is_too_busy_says_that():
    with pytest.raises(click.ClickException, match="too busy"), failures.told():
        raise Unavailable("The gateway's store is too busy. Try again.")


def test_what_nobody_expects_is_not_hidden():
    with pytest.raises(ZeroDivisionError), failures.told():
        raise ZeroDivisionError


def signed_in_with(*actions):
    """The environment of a user who may do this; moto looks at no resource and no condition."""
    iam = boto3.client("iam", **LOCAL_AWS)
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
def with_rights(env, *arguments):
    """Run a command where moto looks at its rights."""
    return run_antiphon(*arguments, "--json", env=env)


@pytest.mark.usefixtures("stacks")
def test_the_policy_for_operators_allows_every_command():
    env = signed_in_with(*ACTIONS)

    def done(*arguments):
        said = with_rights(env, "keys", *arguments)
        assert said.code == 0, said.err
        return said.json

    new = done("rotate", done("create", "--tenant", "acme")["id"])
    done("revoke", new["id"])
    assert done("show", new["key"])["status"] == "revoked"
    assert len(done("list", "--all")["data"]) == 2


@pytest.mark.usefixtures("stacks")
@pytest.mark.parametrize("missing", ACTIONS)
def test_it_allows_no_more_than_commands_need(missing):
    env = signed_in_with(*(action for action in ACTIONS if action != missing))
    id = run_for_json("keys", "create", "--tenant", "acme")["id"]
    said = with_rights(env, "keys", "rotate", id)
    assert (said.code, said.out) == (1, "")
    assert f"is not authorized to perform: {missing}" in said.err
