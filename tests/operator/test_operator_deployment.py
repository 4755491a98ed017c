"""Which stack a command finds, and what it says where it finds none."""

import json

import boto3
import pytest

from infra.constructs.options import Options
from infra.operator import stack
from tests.support.aws import LOCAL_AWS
from tests.support.commands import (
    EMPTY_ENVIRONMENT,
    OPERATOR_ENVIRONMENT,
    create_stack,
    read_rows,
    run_antiphon,
    run_for_json,
)

CREATE = ("keys", "create", "--tenant", "acme")


def refused(*options, env=OPERATOR_ENVIRONMENT):
    done = run_antiphon(*CREATE, *options, env=env)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("Error: ")
    return done.err


def test_the_default_stage_is_the_one_that_is_deployed_by_default(monkeypatch, tmp_path):
    (tmp_path / "cdk.json").write_text('{"context": {"antiphon:stage": "dev"}}')
    monkeypatch.setattr(stack, "ROOT", tmp_path)
    assert stack.default_stage() == "dev"


@pytest.mark.parametrize(
    "text", [None, "", "{}", '{"context": {}}', '{"context": {"antiphon:stage": ""}}']
)
def test_without_cdk_json_s_word_it_is_the_stack_s_own_default(monkeypatch, tmp_path, text):
    if text is not None:
        (tmp_path / "cdk.json").write_text(text)
    monkeypatch.setattr(stack, "ROOT", tmp_path)
    assert stack.default_stage() == Options().stage


@pytest.mark.usefixtures("stacks")
def test_keys_are_made_in_the_table_of_the_stage_that_is_named():
    run_for_json(*CREATE, "--stage", "dev")
    assert (len(read_rows("table-of-dev")), len(read_rows("table-of-prod"))) == (1, 0)


@pytest.mark.usefixtures("stacks")
def test_a_door_that_is_off_is_not_told_of():
    assert not {"url", "rest"} & set(run_for_json(*CREATE, "--stage", "dev"))


@pytest.mark.usefixtures("stacks")
def test_a_stack_that_is_not_there_is_said_with_its_region():
    assert "There is no stack Antiphon-nope in us-east-1." in refused("--stage", "nope")
    told = refused("--region", "eu-west-1")
    assert "There is no stack Antiphon-prod in eu-west-1. Deploy it with `make deploy`" in told


@pytest.mark.usefixtures("stacks")
def test_the_region_is_that_of_the_environment_or_the_option():
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        assert "in eu-west-1" in refused(
            env={**OPERATOR_ENVIRONMENT, "AWS_REGION": None, name: "eu-west-1"}
        )
    run_for_json(
        *CREATE, "--region", "us-east-1", env={**OPERATOR_ENVIRONMENT, "AWS_REGION": "eu-west-1"}
    )


@pytest.mark.usefixtures("stacks")
def test_a_stack_that_is_no_gateway_yet_is_said_with_its_state():
    template = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
    made_so = boto3.client("cloudformation", **LOCAL_AWS)
    made_so.create_stack(StackName="Antiphon-half", TemplateBody=template)
    assert "Antiphon-half is CREATE_COMPLETE and tells of no table." in refused("--stage", "half")


@pytest.mark.usefixtures("stacks")
def test_a_table_that_is_gone_is_said_so():
    boto3.client("dynamodb", **LOCAL_AWS).delete_table(TableName="table-of-prod")
    assert "The table is not there." in refused()


@pytest.mark.usefixtures("stacks")
def test_a_profile_names_region_and_credentials(tmp_path):
    config = tmp_path / "config"
    config.write_text(
        "[profile ops]\nregion = us-east-1\naws_access_key_id = a\naws_secret_access_key = b\n"
    )
    env = {**EMPTY_ENVIRONMENT, "AWS_CONFIG_FILE": str(config)}
    run_for_json(*CREATE, "--profile", "ops", env=env)
    run_for_json(*CREATE, env={**env, "AWS_PROFILE": "ops"})
    assert "nobody" in refused("--profile", "nobody", env=env)


def test_without_a_region_it_says_how_to_name_one():
    assert "Name it with --region, AWS_REGION" in refused(env=EMPTY_ENVIRONMENT)


def test_without_credentials_it_says_how_to_sign_in():
    told = refused("--region", "us-east-1", env=EMPTY_ENVIRONMENT)
    assert "There are no AWS credentials. Sign in and name your profile with --profile" in told
    assert "use --local" in told


def test_an_aws_that_cannot_be_reached_is_said_so():
    told = refused(env={**OPERATOR_ENVIRONMENT, "AWS_ENDPOINT_URL": "http://127.0.0.1:1"})
    assert "AWS cannot be reached." in told


@pytest.mark.usefixtures("stacks")
def test_a_stage_s_name_is_no_more_than_that():
    create_stack("Other", "table-of-other")
    assert "There is no stack Antiphon-../Other" in refused("--stage", "../Other")
