"""A template and its asset, deployed without the CDK, over what an earlier version has deployed."""

import gzip
import hashlib
import json
import pathlib
import re
import shlex

import pytest
from botocore.stub import Stubber
from click.testing import CliRunner

from antiphon.settings.table import PARTITION_KEY, SORT_KEY
from infra.template import main
from tests.infra.account import ENVIRONMENT
from tests.infra.emulator import ARCH
from tests.infra.synthesis import PROJECT, lint
from tests.support.commands import EMPTY_ENVIRONMENT, run_antiphon
from tests.support.lazy import LazyModule

cfnlint = LazyModule("cfnlint.schema")
hcl2 = LazyModule("hcl2")

BUCKET, STACK = "assets-of-acme", "Antiphon-packed"
OPTIONS = ("antiphon:stage=packed", "antiphon:production=true", f"antiphon:arch={ARCH}")
# What this command wrote with an earlier version, with `antiphon:arch=arm64`.
EARLIER = pathlib.Path(__file__).parent / "releases" / "before-0.1.0.template.json.gz"
WITH_DATA = {"AWS::DynamoDB::GlobalTable", "AWS::SecretsManager::Secret", "AWS::Logs::LogGroup"}
# What AWS puts into the names of these needs CAPABILITY_NAMED_IAM.
IAM_NAMES = {"RoleName", "UserName", "GroupName", "ManagedPolicyName"}
PLACES = (
    *("--s3-bucket", BUCKET, "--s3-prefix", "antiphon", "--capabilities", "CAPABILITY_IAM"),
    *("--parameter-overrides", f"AssetBucket={BUCKET}"),
)
PROTECTED = {"StackName": STACK, "EnableTerminationProtection": True}
TERRAFORM = PROJECT / "docs" / "terraform" / "main.tf"
ROW = {PARTITION_KEY: {"S": "T#acme#R#resp_1"}, SORT_KEY: {"S": "LINK"}}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The folder, and the commands that are printed."""
    out = tmp_path_factory.mktemp("package") / "out"
    options = [part for option in OPTIONS for part in ("-c", option)]
    done = CliRunner().invoke(main, ["--out", str(out), *options], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return out, [line for line in done.output.splitlines() if line.startswith("aws ")]


@pytest.fixture(scope="module")
def template(written):
    return json.loads((written[0] / "template.json").read_text())


@pytest.fixture(scope="module")
def earlier(account, tmp_path_factory):
    """The template and the outputs of an earlier version, which is deployed and has a row."""
    account.client("s3").create_bucket(Bucket=BUCKET)
    file = tmp_path_factory.mktemp("earlier") / "template.json"
    file.write_bytes(gzip.decompress(EARLIER.read_bytes()))
    template = json.loads(file.read_text())
    account.client("s3").put_object(Bucket=BUCKET, Key=f"antiphon/{asset_of(template)}", Body=b"")
    deploy(account, [*("--template-file", str(file)), *("--stack-name", STACK), *PLACES])
    table = outputs(account)["TableName"]
    account.client("dynamodb").put_item(TableName=table, Item=ROW)
    return template, outputs(account)


@pytest.fixture(scope="module")
def upgraded(account, earlier, written):
    """The outputs after the printed commands, and those before."""
    for command in written[1]:
        run(account, command)
    return outputs(account), earlier[1]


def run(account, command):
    """Do what a command of the AWS CLI does."""
    service, operation, *arguments = shlex.split(command.replace("$BUCKET", BUCKET))[1:]
    {"cp": copy, "deploy": deploy, "update-termination-protection": protect}[operation](
        account, arguments
    )
    assert service in {"s3", "cloudformation"}


def copy(account, arguments):
    source, target = arguments
    bucket, _, key = target.removeprefix("s3://").partition("/")
    account.client("s3").upload_file(source, bucket, key)


def deploy(account, arguments):
    """Upload the template, as the CLI does where it is large; create or update the stack."""
    given = dict(zip(arguments[::2], arguments[1::2], strict=True))
    body = pathlib.Path(given["--template-file"]).read_bytes()
    key = f"{given['--s3-prefix']}/{hashlib.md5(body).hexdigest()}.template"  # noqa: S324  as the CLI
    account.client("s3").put_object(Bucket=given["--s3-bucket"], Key=key, Body=body)
    client = account.client("cloudformation")
    names = {each["StackName"] for each in client.describe_stacks()["Stacks"]}
    operation = client.update_stack if given["--stack-name"] in names else client.create_stack
    name, _, value = given["--parameter-overrides"].partition("=")
    operation(
        StackName=given["--stack-name"],
        TemplateURL=f"{account.endpoint}/{given['--s3-bucket']}/{key}",
        Parameters=[{"ParameterKey": name, "ParameterValue": value}],
        Capabilities=[given["--capabilities"]],
    )


def protect(account, arguments):
    """Moto does not have this operation: botocore checks the call, and nobody answers it."""
    flag, _, stack = arguments
    given = {"StackName": stack, "EnableTerminationProtection": flag[:9] == "--enable-"}
    client = account.client("cloudformation")
    with Stubber(client) as stub:
        stub.add_response("update_termination_protection", {"StackId": stack}, PROTECTED)
        client.update_termination_protection(**given)
        stub.assert_no_pending_responses()


def stack_of(account):
    (stack,) = account.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    return stack


def outputs(account):
    return {each["OutputKey"]: each["OutputValue"] for each in stack_of(account)["Outputs"]}


def asset_of(template):
    (function,) = {
        each["Properties"]["Code"]["S3Key"]["Fn::Sub"]
        for each in of_type(template, "AWS::Lambda::Function").values()
    }
    return function.removeprefix("${AssetPrefix}")


def of_type(template, *types):
    return {id: each for id, each in template["Resources"].items() if each["Type"] in types}


def test_it_needs_nothing_of_the_cdk(written, template):
    folder, _ = written
    assert {path.name for path in folder.iterdir()} == {"template.json", asset_of(template)}
    assert template["Parameters"].keys() == {"AssetBucket", "AssetPrefix"}
    text = json.dumps(template)
    assert [word for word in ("cdk-hnb659fds", "Bootstrap", "Custom::") if word in text] == []
    properties = [each.get("Properties", {}) for each in template["Resources"].values()]
    assert not any(IAM_NAMES & each.keys() for each in properties)  # CAPABILITY_IAM is enough


def test_cfn_lint_finds_nothing(written):
    assert lint(written[0] / "template.json") == []


def test_the_printed_commands_deploy_it(account, written, template, upgraded):
    stack = stack_of(account)
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    assert "--enable-termination-protection" in written[1][-1]
    assert upgraded[0].keys() == template["Outputs"].keys()
    client = account.client("lambda")
    ours = [f for f in client.list_functions()["Functions"] if f["FunctionName"].startswith(STACK)]
    size = (written[0] / asset_of(template)).stat().st_size
    assert {each["CodeSize"] for each in ours} == {size}
    env = {**EMPTY_ENVIRONMENT, **account.env}
    listed = run_antiphon("keys", "list", "--stage", "packed", "--json", env=env)
    assert listed.code == 0, listed.err


def test_an_upgrade_leaves_rows_and_secrets_where_they_are(account, upgraded):
    after, before = upgraded
    table = after["TableName"]
    assert table == before["TableName"]
    assert account.client("dynamodb").get_item(TableName=table, Key=ROW)["Item"] == ROW
    assert after["TargetSecret1"] == before["TargetSecret1"]
    secret = json.loads(after["TargetSecret1"])["openai"]
    found = account.client("secretsmanager").get_secret_value(SecretId=secret)
    assert found["SecretString"] == "replace-me"


def test_an_upgrade_replaces_nothing_that_has_data(earlier, template):
    """Neither by another logical id, nor by a property that AWS cannot change in place."""
    before, after = of_type(earlier[0], *WITH_DATA), of_type(template, *WITH_DATA)
    assert {each["Type"] for each in before.values()} == WITH_DATA
    assert before.keys() <= after.keys()
    for id, each in before.items():
        fixed = {property: each["Properties"].get(property) for property in fixed_properties(each)}
        now = {property: after[id]["Properties"].get(property) for property in fixed}
        assert (id, now) == (id, fixed)
        assert after[id]["UpdateReplacePolicy"] == "Retain"


def fixed_properties(resource):
    """The properties of which AWS says that a change replaces the resource."""
    schema = cfnlint.PROVIDER_SCHEMA_MANAGER.get_resource_schema(
        ENVIRONMENT["AWS_REGION"], resource["Type"]
    )
    return {path.split("/")[2] for path in schema.schema["createOnlyProperties"]}


def test_a_new_asset_makes_new_versions(earlier, template):
    """Else the alias would stay with the old ones."""
    assert asset_of(earlier[0]) != asset_of(template)
    kind = "AWS::Lambda::Version"
    assert len(of_type(template, kind)) == len(of_type(template, "AWS::Lambda::Function"))
    assert not of_type(template, kind).keys() & of_type(earlier[0], kind).keys()


def test_the_example_for_terraform_fits_the_template(template):
    """It is read as HCL only: there is no Terraform here, and its provider needs the network."""
    document = hcl2.loads(TERRAFORM.read_text())
    blocks = {}
    for each in document["resource"]:
        for kind, named in each.items():
            blocks |= {f"{kind}.{name}".replace('"', ""): body for name, body in named.items()}
    stack = blocks["aws_cloudformation_stack.antiphon"]
    assert stack["parameters"].keys() == template["Parameters"].keys()
    assert stack["capabilities"] == ['"CAPABILITY_IAM"']
    text = TERRAFORM.read_text()
    assert set(re.findall(r'outputs\["(\w+)"\]', text)) <= template["Outputs"].keys()
    assert {f"aws_{name}" for name in re.findall(r"\baws_(\w+\.\w+)\b", text)} <= blocks.keys()
    declared = {name.strip('"') for each in document["variable"] for name in each}
    assert set(re.findall(r"\bvar\.(\w+)", text)) == declared
    (local,) = document["locals"]
    assert set(re.findall(r"\blocal\.(\w+)", text)) <= local.keys()
