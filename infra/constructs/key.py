"""The key of a customer who wants one of their own (option `customer_managed_key`)."""

from aws_cdk import ArnFormat, Aws, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.constructs.options import Options
from infra.constructs.retention import removal

# What DynamoDB, SQS and Secrets Manager do with it in a function's name.
USES = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
SERVICES = ("dynamodb", "secretsmanager", "sqs")


def customer_key(scope: Construct, options: Options) -> kms.Key:
    key = kms.Key(
        scope,
        "Key",
        alias=f"antiphon/{options.stage}",
        description=f"Table, secrets, queues and logs of Antiphon, stage {options.stage}",
        enable_key_rotation=True,
        removal_policy=removal(options),
    )
    key.add_to_resource_policy(_logs_may_use_it(Stack.of(scope)))
    return key


def may_use(key: kms.IKey) -> iam.PolicyStatement:
    """A function may use the key through the services that hold its data, not by itself."""
    through = [f"{service}.{Aws.REGION}.{Aws.URL_SUFFIX}" for service in SERVICES]
    return iam.PolicyStatement(
        actions=[*USES],
        resources=[key.key_arn],
        conditions={"StringEquals": {"kms:ViaService": through}},
    )


def _logs_may_use_it(stack: Stack) -> iam.PolicyStatement:
    groups = stack.format_arn(
        service="logs",
        resource="log-group",
        resource_name=f"{stack.stack_name}-*",
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )
    return iam.PolicyStatement(
        principals=[iam.ServicePrincipal(f"logs.{Aws.REGION}.amazonaws.com")],
        actions=[*USES],
        resources=["*"],  # in a key's policy: this key
        conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
    )
