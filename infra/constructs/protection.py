"""What protects data: retention, log groups, a customer managed key, cdk-nag checks."""

from typing import cast

from aws_cdk import Acknowledgment, App, ArnFormat, Aws, RemovalPolicy, Stack, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from cdk_nag import AwsSolutionsChecks
from constructs import Construct, IConstruct

from infra.constructs.function_specs import KEY_ACTIONS
from infra.constructs.options import Options

KEY_SERVICES = ("dynamodb", "secretsmanager", "sqs")


def removal_policy(options: Options) -> RemovalPolicy:
    """Return what becomes of data that leaves the stack: production stages retain it.

    What a failed first deployment has created has no data yet, and is not retained.
    """
    retain = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
    return retain if options.keeps_data else RemovalPolicy.DESTROY


def create_log_group(
    scope: Construct, id: str, options: Options, key: kms.IKey | None
) -> logs.LogGroup:
    group = logs.LogGroup(scope, id, encryption_key=key, removal_policy=removal_policy(options))
    # The L2 construct accepts members of an enum; the option is a number of days.
    cast("logs.CfnLogGroup", group.node.default_child).retention_in_days = options.log_days
    return group


def create_key(scope: Construct, options: Options) -> kms.Key:
    """Create the KMS key of the option `customer_managed_key`."""
    key = kms.Key(
        scope,
        "Key",
        alias=f"antiphon/{options.stage}",
        description=f"Table, secrets, queues and logs of Antiphon, stage {options.stage}",
        enable_key_rotation=True,
        removal_policy=removal_policy(options),
    )
    key.add_to_resource_policy(_allow_logs_to_use_key(Stack.of(scope)))
    return key


def allow_key_use(key: kms.IKey) -> iam.PolicyStatement:
    """Allow a function to use the key through the services that store its data, not directly."""
    via = [f"{service}.{Aws.REGION}.{Aws.URL_SUFFIX}" for service in KEY_SERVICES]
    return iam.PolicyStatement(
        actions=[*KEY_ACTIONS],
        resources=[key.key_arn],
        conditions={"StringEquals": {"kms:ViaService": via}},
    )


def _allow_logs_to_use_key(stack: Stack) -> iam.PolicyStatement:
    groups = stack.format_arn(
        service="logs",
        resource="log-group",
        resource_name=f"{stack.stack_name}-*",
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )
    return iam.PolicyStatement(
        principals=[iam.ServicePrincipal(f"logs.{Aws.REGION}.amazonaws.com")],
        actions=[*KEY_ACTIONS],
        resources=["*"],  # in the policy of a key, this means the key itself
        conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
    )


def add_nag_checks(app: App) -> None:
    """Make the synthesis fail on each finding of cdk-nag that is not acknowledged."""
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))


def acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    """Acknowledge a finding of AwsSolutions; `rule` has the finding in brackets if needed."""
    acknowledgment = Acknowledgment(id=f"AwsSolutions-{rule}", reason=reason)
    Validations.of(construct).acknowledge(acknowledgment)
