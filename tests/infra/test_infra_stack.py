"""What holds for the stack as a whole, and the gates that it has passed."""

import json
import pathlib
import subprocess
import sys

import pytest
from aws_cdk import App, Stack, aws_s3

from infra.constructs.findings import check
from tests.infra.synthesis import ALL_KINDS, EVERYTHING, resources, template

NOT_OURS = "W3005"  # CDK writes a dependency out that CloudFormation sees by itself


def test_every_target_has_a_secret_of_its_name_which_is_told_but_not_put():
    secrets = resources(template(stage="dev"), "SecretsManager::Secret").values()
    assert {secret["Name"] for secret in secrets} == {
        "antiphon/dev/openai",
        "antiphon/dev/azure-east",
    }
    assert {secret["SecretString"] for secret in secrets} == {"replace-me"}


def test_secrets_outlive_the_stack_but_not_a_first_deployment_that_failed():
    """Their names would be taken when it is tried again."""
    made = template().find_resources("AWS::SecretsManager::Secret").values()
    assert {secret["DeletionPolicy"] for secret in made} == {"RetainExceptOnCreate"}


def test_stages_stand_side_by_side():
    def names(stage):
        made = template(stage=stage, customer_managed_key=True).to_json()
        taken = {"Name", "StageName", "AliasName", "TableName", "FunctionName", "QueueName"}
        found = [r["Properties"] for r in made["Resources"].values() if "Properties" in r]
        return {v for p in found for k, v in p.items() if k in taken and isinstance(v, str)}

    assert names("one")
    assert not names("one") & names("two")


def test_everything_that_can_carry_a_tag_says_what_and_whose_it_is():
    for kind in ("DynamoDB::Table", "Lambda::Function", "SecretsManager::Secret", "SQS::Queue"):
        for made in resources(template(stage="dev"), kind).values():
            tags = {tag["Key"]: tag["Value"] for tag in made["Tags"]}
            assert tags == {"application": "antiphon", "stage": "dev"}


def test_cfn_lint_has_nothing_to_say(tmp_path):
    made = [template(), template(ALL_KINDS, **EVERYTHING), template(stage="dev", rest=False)]
    files = [tmp_path / f"{number}.template.json" for number, _ in enumerate(made)]
    for file, each in zip(files, made, strict=True):
        file.write_text(json.dumps(each.to_json()))
    linter = pathlib.Path(sys.executable).with_name("cfn-lint")
    command = [linter, "--ignore-checks", NOT_OURS, "--", *files]
    linted = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (linted.stdout + linted.stderr, linted.returncode) == ("", 0)


def test_a_finding_of_cdk_nag_that_nobody_has_answered_stops_the_synthesis(tmp_path):
    app = App(outdir=str(tmp_path))
    check(app)
    aws_s3.Bucket(Stack(app, "Open"), "Bucket")
    with pytest.raises(RuntimeError, match="AwsSolutions-S1"):
        app.synth()
