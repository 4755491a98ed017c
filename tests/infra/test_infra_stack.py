"""The stack as a whole: names, tags, cfn-lint and cdk-nag."""

import json

import pytest

from tests.infra.synthesis import ALL_SOURCES, lint, protection, resources, template
from tests.infra.variants import DEV, EVERYTHING, SNAP_START


def test_every_target_has_a_secret_with_a_placeholder():
    secrets = resources(template(**DEV), "SecretsManager::Secret").values()
    assert {secret["Description"] for secret in secrets} == {
        f"Credential of target {target}, Antiphon dev, as plain text"
        for target in ("openai", "azure-east")
    }
    assert {secret["SecretString"] for secret in secrets} == {"replace-me"}


def test_what_is_retained_has_no_fixed_name_and_does_not_outlive_a_failed_create():
    """A retained resource with a fixed name would block its successor."""
    made = template(**EVERYTHING).to_json()["Resources"].values()
    kinds = {"DynamoDB::GlobalTable", "Logs::LogGroup", "KMS::Key", "SecretsManager::Secret"}
    retained = [each for each in made if each["Type"].removeprefix("AWS::") in kinds]
    assert len({each["Type"] for each in retained}) == len(kinds)
    assert {each["DeletionPolicy"] for each in retained} == {"RetainExceptOnCreate"}
    assert {each["UpdateReplacePolicy"] for each in retained} == {"Retain"}
    assert not {"Name", "TableName", "LogGroupName"} & {
        p for r in retained for p in r["Properties"]
    }


def test_stages_use_different_names():
    def names(options):
        made = template(**options).to_json()
        taken = {"Name", "StageName", "AliasName", "TableName", "FunctionName", "QueueName"}
        found = [r["Properties"] for r in made["Resources"].values() if "Properties" in r]
        return {v for p in found for k, v in p.items() if k in taken and isinstance(v, str)}

    assert "alias/antiphon/dev" in names(DEV)
    assert names(DEV) & names(EVERYTHING) == {"live"}  # an alias, whose name is its function's


def test_resources_have_tags():
    made = template(**DEV)
    (table,) = resources(made, "DynamoDB::GlobalTable").values()
    for kind in ("Lambda::Function", "SecretsManager::Secret", "SQS::Queue"):
        for each in [*table["Replicas"], *resources(made, kind).values()]:
            tags = {tag["Key"]: tag["Value"] for tag in each["Tags"]}
            assert tags == {"application": "antiphon", "stage": "dev"}


def test_cfn_lint_finds_nothing(tmp_path):
    """The default stack is in the second one, and tests/infra/test_infra_template.py checks it."""
    for each in (template(ALL_SOURCES, **EVERYTHING), template(**SNAP_START)):
        file = tmp_path / "template.json"
        file.write_text(json.dumps(each.to_json()))
        assert lint(file) == []


def test_cfn_lint_finds_a_fault(tmp_path):
    file = tmp_path / "template.json"
    file.write_text('{"Resources":{"Queue":{"Type":"AWS::SQS::Queue","Properties":{"Odd":1}}}}')
    [found] = lint(file)
    assert "'Odd' was unexpected" in found


def test_unacknowledged_finding_of_cdk_nag_fails_the_synthesis(tmp_path):
    from aws_cdk import App, Stack, aws_s3  # noqa: PLC0415  it takes seconds and starts Node.js

    app = App(outdir=str(tmp_path))
    protection.add_nag_checks(app)
    aws_s3.Bucket(Stack(app, "Open"), "Bucket")
    with pytest.raises(RuntimeError, match="AwsSolutions-S1"):
        app.synth()
