"""Which stack a command finds, and the errors if it finds none."""

import json

import pytest

from infra.constructs.options import Options
from infra.operator import deployment
from tests.support.aws_clients import aws_client
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


def test_default_stage_is_that_of_cdk_json(monkeypatch, tmp_path):
    (tmp_path / "cdk.json").write_text('{"context": {"antiphon:stage": "dev"}}')
    monkeypatch.setattr(deployment, "PROJECT", tmp_path)
    assert deployment.default_stage() == "dev"


@pytest.mark.parametrize(
    "text", [None, "", "{}", '{"context": {}}', '{"context": {"antiphon:stage": ""}}']
)
def test_without_cdk_json_the_default_of_the_option_is_used(monkeypatch, tmp_path, text):
    if text is not None:
        (tmp_path / "cdk.json").write_text(text)
    monkeypatch.setattr(deployment, "PROJECT", tmp_path)
    assert deployment.default_stage() == Options().stage


@pytest.mark.usefixtures("stacks")
def test_keys_are_created_in_the_table_of_the_stage():
    run_for_json(*CREATE, "--stage", "dev")
    assert (len(read_rows("table-of-dev")), len(read_rows("table-of-prod"))) == (1, 0)


@pytest.mark.usefixtures("stacks")
def test_disabled_endpoint_has_no_url():
    assert not {"url", "rest"} & set(run_for_json(*CREATE, "--stage", "dev"))


@pytest.mark.usefixtures("stacks")
def test_missing_stack_is_an_error_with_its_region():
    assert "There is no stack Antiphon-nope in us-east-1." in refused("--stage", "nope")
    stderr = refused("--region", "eu-west-1")
    assert "There is no stack Antiphon-prod in eu-west-1. Deploy it with `make deploy`" in stderr


@pytest.mark.usefixtures("stacks")
def test_region_comes_from_environment_or_option():
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        assert "in eu-west-1" in refused(
            env={**OPERATOR_ENVIRONMENT, "AWS_REGION": None, name: "eu-west-1"}
        )
    run_for_json(
        *CREATE, "--region", "us-east-1", env={**OPERATOR_ENVIRONMENT, "AWS_REGION": "eu-west-1"}
    )


@pytest.mark.usefixtures("stacks")
def test_stack_without_a_table_is_an_error_with_its_status():
    template = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
    client = aws_client("cloudformation")
    client.create_stack(StackName="Antiphon-half", TemplateBody=template)
    assert "Antiphon-half is CREATE_COMPLETE and has no output TableName." in refused(
        "--stage", "half"
    )


@pytest.mark.usefixtures("stacks")
def test_missing_table_is_an_error():
    aws_client("dynamodb").delete_table(TableName="table-of-prod")
    assert "The table does not exist." in refused()


@pytest.mark.usefixtures("stacks")
def test_profile_provides_region_and_credentials(tmp_path):
    config = tmp_path / "config"
    config.write_text(
        "[profile ops]\nregion = us-east-1\naws_access_key_id = a\naws_secret_access_key = b\n"
    )
    env = {**EMPTY_ENVIRONMENT, "AWS_CONFIG_FILE": str(config)}
    run_for_json(*CREATE, "--profile", "ops", env=env)
    run_for_json(*CREATE, env={**env, "AWS_PROFILE": "ops"})
    assert "nobody" in refused("--profile", "nobody", env=env)


def test_missing_region_is_an_error_with_instructions():
    assert "Name it with --region, AWS_REGION" in refused(env=EMPTY_ENVIRONMENT)


def test_missing_credentials_are_an_error_with_instructions():
    stderr = refused("--region", "us-east-1", env=EMPTY_ENVIRONMENT)
    assert "There are no AWS credentials. Sign in and name your profile with --profile" in stderr
    assert "use --local" in stderr


def test_unreachable_aws_is_an_error():
    stderr = refused(env={**OPERATOR_ENVIRONMENT, "AWS_ENDPOINT_URL": "http://127.0.0.1:1"})
    assert "AWS cannot be reached." in stderr


@pytest.mark.usefixtures("stacks")
def test_stage_name_cannot_select_another_stack():
    create_stack("Other", "table-of-other")
    assert "There is no stack Antiphon-../Other" in refused("--stage", "../Other")
