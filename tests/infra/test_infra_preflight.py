"""`make deploy` finds out before it builds anything whether AWS can be deployed to."""

import pytest
from click.testing import CliRunner

from infra.preflight import main
from tests.support.aws_clients import aws_client, local_aws
from tests.support.commands import EMPTY_ENVIRONMENT, OPERATOR_ENVIRONMENT

VERSION = "/cdk-bootstrap/hnb659fds/version"
FROM_MAKE = ("--require-approval", "never", "-c", "antiphon:stage=dev")


@pytest.fixture
def ssm():
    with local_aws():
        yield aws_client("ssm")


def preflight(*arguments, env=OPERATOR_ENVIRONMENT):
    done = CliRunner(mix_stderr=False).invoke(
        main, [*FROM_MAKE, *arguments], env=env, catch_exceptions=False
    )
    return done.exit_code, done.stderr


def test_credentials_and_a_prepared_account_are_enough(ssm):
    ssm.put_parameter(Name=VERSION, Value="30", Type="String")
    assert preflight() == (0, "")


def test_without_credentials_it_says_what_to_export():
    code, text = preflight(env={**EMPTY_ENVIRONMENT, "AWS_REGION": "eu-west-1"})
    assert code == 1
    for word in ("no AWS credentials", "aws sso login", "AWS_PROFILE", "AWS_ACCESS_KEY_ID"):
        assert word in text


def test_without_a_region_it_says_where_to_name_it():
    env = {**OPERATOR_ENVIRONMENT, "AWS_REGION": None}
    code, text = preflight(env=env)
    assert (code, "AWS_REGION" in text) == (1, True)


@pytest.mark.usefixtures("ssm")
def test_an_account_that_is_not_prepared_needs_make_bootstrap():
    code, text = preflight()
    assert (code, "`make bootstrap`" in text) == (1, True)
    assert preflight("--skip-bootstrap") == (0, "")


def test_the_qualifier_of_another_bootstrap_is_looked_for(ssm):
    ssm.put_parameter(Name="/cdk-bootstrap/acme/version", Value="30", Type="String")
    assert preflight("--context", "@aws-cdk/core:bootstrapQualifier=acme") == (0, "")
