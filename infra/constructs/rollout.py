"""How a new version of the functions takes over: versions, the alias `live`, canary deployments."""

from collections.abc import Iterable

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.constructs.options import Options, stack_name
from infra.constructs.protection import acknowledge

ALIAS = "live"
CONFIGS = codedeploy.LambdaDeploymentConfig
CANARIES = {
    "10 percent 5 minutes": CONFIGS.CANARY_10_PERCENT_5_MINUTES,
    "10 percent 10 minutes": CONFIGS.CANARY_10_PERCENT_10_MINUTES,
    "10 percent 15 minutes": CONFIGS.CANARY_10_PERCENT_15_MINUTES,
    "10 percent 30 minutes": CONFIGS.CANARY_10_PERCENT_30_MINUTES,
    "10 percent every 1 minute": CONFIGS.LINEAR_10_PERCENT_EVERY_1_MINUTE,
    "10 percent every 2 minutes": CONFIGS.LINEAR_10_PERCENT_EVERY_2_MINUTES,
    "10 percent every 3 minutes": CONFIGS.LINEAR_10_PERCENT_EVERY_3_MINUTES,
    "10 percent every 10 minutes": CONFIGS.LINEAR_10_PERCENT_EVERY_10_MINUTES,
}
# Those that a faulty version starts. Not those of a provider, a budget or old messages: CodeDeploy
# refuses to deploy while one of its alarms is on, and they may be on for days.
ROLLBACK_ALARMS = (
    *("ApiErrors", "SettleErrors", "RollupErrors"),  # of the functions themselves
    *("ServerErrors", "CutStreams", "LinkNotWritten"),
)
SERVICE_POLICY = "service-role/AWSCodeDeployRoleForLambdaLimited"


def create_alias(
    function: lambda_.Function, options: Options, *, is_provisioned: bool
) -> lambda_.Alias:
    """Create the alias that all invokes the function through; it points to the current version."""
    return lambda_.Alias(
        function,
        "Live",
        alias_name=ALIAS,
        version=function.current_version,
        description="What endpoints and event sources invoke",
        provisioned_concurrent_executions=(
            options.provisioned_concurrency if is_provisioned else None
        ),
    )


def create_canary(
    scope: Construct, alias: lambda_.Alias, alarms: Iterable[cloudwatch.Alarm], options: Options
) -> None:
    """Shift requests to a new version step by step; go back when an alarm starts.

    CloudFormation waits for the end, and rolls the whole stack back if CodeDeploy went back.
    """
    if options.canary is None:
        return
    ids = {f"Alarm{name}" for name in ROLLBACK_ALARMS}
    group = codedeploy.LambdaDeploymentGroup(
        scope,
        "Canary",
        alias=alias,
        application=codedeploy.LambdaApplication(
            scope, "Application", application_name=stack_name(options.stage)
        ),
        deployment_config=CANARIES[options.canary],
        alarms=[alarm for alarm in alarms if alarm.node.id in ids],
        auto_rollback=codedeploy.AutoRollbackConfig(
            deployment_in_alarm=True, failed_deployment=True, stopped_deployment=True
        ),
    )
    acknowledge(
        group,
        f"IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/{SERVICE_POLICY}]",
        "AWS provides this policy for deployments of Lambda aliases; only CodeDeploy has the role.",
    )
