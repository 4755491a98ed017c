"""A healthy stack in moto's account, made by CloudFormation without the CDK, and its faults."""

import json
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from moto.core import DEFAULT_ACCOUNT_ID
from moto.secretsmanager.models import secretsmanager_backends
from moto.sns.models import sns_backends

from antiphon.settings.config import load_config
from infra.fingerprint import fingerprint
from infra.local.aws import moto_lookups
from infra.local.aws.resources import table_definition
from tests.support import moto_lambda
from tests.support.aws_clients import aws_client as client
from tests.support.aws_clients import local_aws
from tests.support.iam import install_simulation

CONFIG = Path(__file__).parent / "gateway.toml"
STACK, ALARM = "Antiphon-prod", "Antiphon-prod-SettleErrors"
ROLE = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": "lambda.amazonaws.com"},
        }
    ],
}
URL = "https://url.example/v1"
MODELS = "arn:aws:bedrock:us-east-1::foundation-model/openai.gpt-oss-20b"
PROFILE = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.openai.gpt-oss-20b"
BEDROCK = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"],
            "Resource": [MODELS, PROFILE],
        },
        {
            "Effect": "Allow",
            "Action": ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"],
            "Resource": "arn:aws:bedrock:*::foundation-model/openai.gpt-oss-20b",
            "Condition": {"ArnLike": {"bedrock:InferenceProfileArn": PROFILE}},
        },
        {
            "Effect": "Allow",
            "Action": "bedrock:GetInvoke",
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:RequestedRegion": "us-east-1"}},
        },
    ],
}


def get(name, attribute="Arn"):
    return {"Fn::GetAtt": [name, attribute]}


def function():
    code = {"ZipFile": "def handler(event, context): ..."}
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Handler": "x.handler",
            "Runtime": "python3.13",
            "Role": get("Role"),
            "Code": code,
        },
    }


def source(function, **properties):
    properties = {"FunctionName": {"Ref": function}, **properties}
    return {"Type": "AWS::Lambda::EventSourceMapping", "Properties": properties}


def secret(target):
    properties = {
        "SecretString": "replace-me",
        "Name": f"generated-{target}",
        "Description": f"Credential of Antiphon's target {target}, as plain text",
    }
    return {"Type": "AWS::SecretsManager::Secret", "Properties": properties}


TABLE = {**table_definition(), "TableName": "table"}
# The CDK adds hashes to the ids of its constructs.
RESOURCES = {
    "Table": {"Type": "AWS::DynamoDB::Table", "Properties": TABLE},
    "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": ROLE}},
    "ApiF70053CD": function(),
    "Settle9F8E7D": function(),
    "Rollup12AB": function(),
    "QueueF0F0": {"Type": "AWS::SQS::Queue", "Properties": {}},
    "DeadLettersAB12": {"Type": "AWS::SQS::Queue", "Properties": {}},
    "LostChangesCD34": {"Type": "AWS::SQS::Queue", "Properties": {}},
    "SettleQueue77AA": source("Settle9F8E7D", EventSourceArn=get("QueueF0F0")),
    "RollupChanges88": source(
        "Rollup12AB", EventSourceArn=get("Table", "StreamArn"), StartingPosition="TRIM_HORIZON"
    ),
    "Secretopenai55": secret("openai"),
    "Secretazureeast66": secret("azure-east"),
    "WebhookSecretAB12": {
        "Type": "AWS::SecretsManager::Secret",
        "Properties": {
            "SecretString": "a-value-that-cloudformation-generates",
            "Name": "generated-signing",
            "Description": "Signs the webhooks of Antiphon prod",
        },
    },
    "Alarms99": {"Type": "AWS::SNS::Topic", "Properties": {}},
    "AlarmSettleErrors22": {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "AlarmName": ALARM,
            "AlarmDescription": "Antiphon prod: Invocations of settle failed. Look for [ERROR].",
            "MetricName": "Errors",
            "Namespace": "AWS/Lambda",
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 1,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        },
    },
}


@contextmanager
def healthy_stack():
    import_module("tests.infra.moto_server")  # it registers more types; its packages take seconds
    moto_lambda.install()
    moto_lookups.install()
    install_simulation()
    outputs = {
        "TableName": {"Ref": "Table"},
        "AlarmTopic": {"Ref": "Alarms99"},
        "FunctionUrl": URL,
        "TargetSecret1": {"Fn::Sub": '{"openai": "${Secretopenai55}"}'},
        "TargetSecret2": {"Fn::Sub": '{"azure-east": "${Secretazureeast66}"}'},
        "ConfigFingerprint": fingerprint(load_config(CONFIG)),
    }
    template = {
        "Resources": RESOURCES,
        "Outputs": {name: {"Value": value} for name, value in outputs.items()},
    }
    with local_aws():
        client("cloudformation").create_stack(StackName=STACK, TemplateBody=json.dumps(template))
        for target in ("openai", "azure-east"):
            put_secret(target)
        allow_bedrock(BEDROCK["Statement"])
        allow_recursion("Allow")
        subscribe("ops@example.com")
        client("cloudwatch").set_alarm_state(AlarmName=ALARM, StateValue="OK", StateReason="x")
        yield


def find(logical_id):
    """Return the physical id of a resource."""
    found = client("cloudformation").describe_stack_resource(
        StackName=STACK, LogicalResourceId=logical_id
    )
    return found["StackResourceDetail"]["PhysicalResourceId"]


def allow_bedrock(statements):
    policy = json.dumps({**BEDROCK, "Statement": statements})
    client("iam").put_role_policy(RoleName=find("Role"), PolicyName="all", PolicyDocument=policy)


def put_secret(target):
    client("secretsmanager").put_secret_value(
        SecretId=f"generated-{target}", SecretString="sk-of-the-provider"
    )


def forget_secret(target):
    """Leave the secret with the version that the stack made."""
    for region in secretsmanager_backends[DEFAULT_ACCOUNT_ID].values():
        secret = region.secrets[f"generated-{target}"]
        first = next(iter(secret.versions.values()))
        first["version_stages"] = ["AWSCURRENT"]
        secret.versions = {first["version_id"]: first}


def allow_recursion(value):
    client("lambda").put_function_recursion_config(
        FunctionName=find("Settle9F8E7D"), RecursiveLoop=value
    )


def set_result(logical_id, text):
    """Set the last processing result of an event source, which moto does not have."""
    mapping = moto_lambda.backend().get_event_source_mapping(find(logical_id))
    before = mapping.get_configuration
    mapping.get_configuration = lambda: {**before(), "LastProcessingResult": text}


def subscribe(address):
    topic = find("Alarms99")
    client("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint=address)


def set_pending():
    """Make the subscription one that nobody has confirmed; moto confirms each at once."""
    for each in sns_backends[DEFAULT_ACCOUNT_ID][moto_lambda.REGION].subscriptions.values():
        each.arn = "PendingConfirmation"


def set_status(status):
    from moto.cloudformation.models import cloudformation_backends  # noqa: PLC0415  slow

    for each in cloudformation_backends[DEFAULT_ACCOUNT_ID][moto_lambda.REGION].stacks.values():
        each.status = status
