"""`cdk bootstrap` and `cdk deploy` with moto as AWS; the results are read with boto3."""

import json
import re

import pytest

from antiphon.settings.table import INDEXES
from tests.infra.conftest import deploy
from tests.infra.synthesis import CONFIG, write_assembly
from tests.support.commands import OPERATOR_ENVIRONMENT, run_antiphon

ONE_TARGET = CONFIG.partition("[targets.azure-east]")[0]
MORE = f"""{ONE_TARGET}
[targets.bedrock]
provider = "bedrock"
region = "us-west-2"
models = {{ "gpt-oss" = "openai.gpt-oss-20b" }}

[webhooks]
"""


def test_stack_is_complete_and_protected(deployed):
    (stack,) = deployed.client("cloudformation").describe_stacks(StackName="Antiphon-prod")[
        "Stacks"
    ]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert stack["EnableTerminationProtection"] is True


def test_outputs_contain_both_base_urls(deployed):
    assert re.search(r"^https://\S+\.amazonaws\.com/prod/v1$", deployed.outputs["RestUrl"])
    assert re.search(r"^https://\S+\.on\.aws/v1$", deployed.outputs["FunctionUrl"])


def test_table_exists(deployed):
    name, client = deployed.outputs["TableName"], deployed.client("dynamodb")
    table = client.describe_table(TableName=name)["Table"]
    assert {index["IndexName"] for index in table["GlobalSecondaryIndexes"]} == set(INDEXES)
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert table["StreamSpecification"]["StreamViewType"] == "NEW_AND_OLD_IMAGES"
    assert table["DeletionProtectionEnabled"] is True


def test_function_exists_and_its_url_streams(deployed):
    function, client = deployed.function, deployed.client("lambda")
    assert (function["Runtime"], function["Timeout"]) == ("python3.13", 900)
    assert function["Environment"]["Variables"]["TABLE_NAME"] == deployed.outputs["TableName"]
    url = client.get_function_url_config(FunctionName=function["FunctionName"], Qualifier="live")
    assert (url["AuthType"], url["InvokeMode"]) == ("NONE", "RESPONSE_STREAM")
    assert deployed.outputs["FunctionUrl"] == f"{url['FunctionUrl']}/v1"


def test_rest_api_invokes_the_function(deployed):
    client = deployed.client("apigateway")
    (api,) = (a for a in client.get_rest_apis()["items"] if a["name"] == "antiphon-prod")
    ways = {
        resource["path"]: client.get_integration(
            restApiId=api["id"], resourceId=resource["id"], httpMethod="ANY"
        )
        for resource in client.get_resources(restApiId=api["id"])["items"]
    }
    assert set(ways) == {"/", "/{proxy+}"}
    arn = f"{deployed.function['FunctionArn']}:live"
    for way in ways.values():
        assert way["uri"].endswith(f"/functions/{arn}/response-streaming-invocations")
    (stage,) = client.get_stages(restApiId=api["id"])["item"]
    assert stage["stageName"] == "prod"


def test_alias_of_each_function_is_a_published_version(deployed):
    client = deployed.client("lambda")
    for function in client.list_functions()["Functions"]:
        alias = client.get_alias(FunctionName=function["FunctionName"], Name="live")
        assert alias["FunctionVersion"] == "1"


def test_role_has_the_policy_of_the_template(deployed):
    role = deployed.function["Role"].rpartition("/")[2]
    client = deployed.client("iam")
    assert client.list_attached_role_policies(RoleName=role)["AttachedPolicies"] == []
    (name,) = client.list_role_policies(RoleName=role)["PolicyNames"]
    policy = client.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    table = deployed.client("dynamodb").describe_table(TableName=deployed.outputs["TableName"])
    resources = [statement["Resource"] for statement in policy["Statement"]]
    assert table["Table"]["TableArn"] in resources


def test_secrets_contain_the_placeholder(deployed):
    client = deployed.client("secretsmanager")
    assert set(deployed.secrets) == {"openai"}
    for arn in deployed.secrets.values():
        assert client.get_secret_value(SecretId=arn)["SecretString"] == "replace-me"


def test_dashboard_shows_the_alarms(deployed):
    client, name = deployed.client("cloudwatch"), deployed.outputs["DashboardName"]
    assert name == "Antiphon-prod-us-east-1"
    body = json.loads(client.get_dashboard(DashboardName=name)["DashboardBody"])
    (widget,) = (each["properties"] for each in body["widgets"] if each["type"] == "alarm")
    alarms = client.describe_alarms(AlarmNamePrefix="Antiphon-prod-")["MetricAlarms"]
    assert {alarm["AlarmArn"] for alarm in alarms} == set(widget["alarms"])


def test_logs_have_a_retention_time(deployed):
    groups = deployed.client("logs").describe_log_groups()["logGroups"]
    ours = [group for group in groups if group["logGroupName"].startswith("Antiphon-prod")]
    assert {group["retentionInDays"] for group in ours} == {30}


def test_doctor_finds_what_is_left_to_do_after_a_deployment(diagnosis):
    rows = {row["check"]: row for row in diagnosis.json["stack"]["checks"]}
    verdicts = {name: row["verdict"] for name, row in rows.items()}
    left = {"secrets": "fails", "subscription": "fails"}
    assert verdicts == {**dict.fromkeys(verdicts, "ok"), **left}
    put = "antiphon secrets put openai --stage prod --region us-east-1"
    assert put in rows["secrets"]["commands"]
    assert diagnosis.code == 1


def test_second_deployment_without_changes_does_nothing(deployed):
    output = deployed.account.deploy(deployed.assembly, "Antiphon-prod")
    assert "Antiphon-prod (no changes)" in output


def test_a_target_can_be_removed_and_added_again(account, tmp_path):
    """As an upgrade, a roll back and the same upgrade do: its retained secret is in nobody's way."""
    two, one = (
        write_assembly(tmp_path / str(number), text, stage="again", production=True)
        for number, text in enumerate((CONFIG, ONE_TARGET))
    )
    first, without, again = (deploy(account, each, "Antiphon-again") for each in (two, one, two))
    assert (set(first.secrets), set(without.secrets)) == ({"openai", "azure-east"}, {"openai"})
    assert again.secrets["openai"] == first.secrets["openai"]
    assert again.secrets["azure-east"] != first.secrets["azure-east"]
    env = {**OPERATOR_ENVIRONMENT, "AWS_ENDPOINT_URL": account.endpoint}
    put = ("secrets", "put", "azure-east", "--stage", "again")
    assert run_antiphon(*put, stdin="sk-azure", env=env).code == 0
    client, given = account.client("secretsmanager"), again.function["Environment"]["Variables"]
    values = {
        target: client.get_secret_value(SecretId=arn)["SecretString"]
        for target, arn in json.loads(given["TARGET_SECRETS"]).items()
    }
    assert values == {"openai": "replace-me", "azure-east": "sk-azure"}
    retained = client.get_secret_value(SecretId=first.secrets["azure-east"])
    assert retained["SecretString"] == "replace-me"


@pytest.fixture
def second(deployed, tmp_path):
    """Another stage, in the same account, with webhooks and a target of Bedrock."""
    options = {"canary": "10 percent 5 minutes", "provisioned_concurrency": 2}
    out = write_assembly(tmp_path / "second", MORE, stage="dev", **options)
    deployed.account.deploy(out, "Antiphon-dev")
    return out


def test_second_stage_can_be_deployed_and_destroyed(deployed, second):
    before = resource_names(deployed)
    assert any("dev" in name for name in before)
    canary = canary_of(deployed, "Antiphon-dev")
    assert canary["deploymentConfigName"] == "CodeDeployDefault.LambdaCanary10Percent5Minutes"
    assert canary["serviceRoleArn"].startswith("arn:aws:iam::123456789012:role/Antiphon-dev-")
    check_webhooks_and_bedrock(deployed)
    deployed.account.cdk("destroy", "--app", str(second), "--force", "Antiphon-dev")
    after = resource_names(deployed)
    assert after == {name for name in before if "dev" not in name}
    assert any("prod" in name for name in after)


def check_webhooks_and_bedrock(deployed):
    """Both functions that sign have one generated secret, and the API may call the model."""
    found = deployed.client("lambda").list_functions()["Functions"]
    functions = {
        name: next(f for f in found if f["FunctionName"].startswith(f"Antiphon-dev-{name}"))
        for name in ("Api", "Settle", "Rollup")
    }
    given = {name: each["Environment"]["Variables"] for name, each in functions.items()}
    secret = given["Api"]["WEBHOOK_SECRET"]
    assert (given["Settle"]["WEBHOOK_SECRET"], "WEBHOOK_SECRET" in given["Rollup"]) == (
        secret,
        False,
    )
    value = deployed.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
    assert (len(value), value.isalnum()) == (64, True)
    client, role = deployed.client("iam"), functions["Api"]["Role"].rpartition("/")[2]
    (name,) = client.list_role_policies(RoleName=role)["PolicyNames"]
    policy = client.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    resources = {
        json.dumps(each["Action"]): each["Resource"]
        for each in policy["Statement"]
        if "bedrock" in str(each["Action"])
    }
    actions = json.dumps(["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"])
    model = "arn:aws:bedrock:us-west-2::foundation-model/openai.gpt-oss-20b"
    assert resources == {actions: model}


def canary_of(deployed, application):
    """Return the deployment group of an application."""
    client, name = deployed.client("codedeploy"), {"applicationName": application}
    (group,) = client.list_deployment_groups(**name)["deploymentGroups"]
    return client.get_deployment_group(**name, deploymentGroupName=group)["deploymentGroupInfo"]


def resource_names(deployed):
    """Return the names of all resources, except REST APIs, which moto does not delete."""
    operations = {
        "dynamodb": ("list_tables", "TableNames"),
        "lambda": ("list_functions", "Functions", "FunctionName"),
        "secretsmanager": ("list_secrets", "SecretList", "Name"),
        "logs": ("describe_log_groups", "logGroups", "logGroupName"),
        "sqs": ("list_queues", "QueueUrls"),
        "sns": ("list_topics", "Topics", "TopicArn"),
        "cloudwatch": ("describe_alarms", "MetricAlarms", "AlarmName"),
    }
    names = set()
    for service, (operation, field, *key) in operations.items():
        found = getattr(deployed.client(service), operation)().get(field, [])
        names |= {each[key[0]] if key else each for each in found}
    return names
