"""A function from its row: what it runs, what it may do, and what calls it."""

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from antiphon.settings.metrics import NAMESPACE
from infra.constructs import secrets
from infra.constructs.doors import Door
from infra.constructs.findings import acknowledge
from infra.constructs.options import Options
from infra.constructs.retention import log_group
from infra.constructs.rights import rights
from infra.constructs.stores import Stores
from infra.constructs.triggers import trigger

ARCHITECTURES = {"arm64": lambda_.Architecture.ARM_64, "x86_64": lambda_.Architecture.X86_64}


def function(
    scope: Construct, door: Door, code: lambda_.Code, stores: Stores, options: Options
) -> lambda_.Function:
    name = door.name.capitalize()
    log = log_group(scope, f"{name}Logs", options, stores.key)
    made = lambda_.Function(
        scope,
        name,
        description=f"Antiphon {options.stage}: {door.about}",
        code=code,
        handler=f"{door.name}.handler",
        runtime=lambda_.Runtime.PYTHON_3_13,
        architecture=ARCHITECTURES[options.arch],
        role=_role(scope, door, stores, log),
        memory_size=door.memory or options.memory,
        timeout=Duration.minutes(door.minutes),
        environment=_environment(door, stores, options),
        reserved_concurrent_executions=options.reserved_concurrency if door.streams else None,
        # By Lambda itself: the Tracer's import would add a third to the start.
        tracing=lambda_.Tracing.ACTIVE,
        log_group=log,
        # Lambda's own lines become JSON too. Ours are JSON already, at the level that Lambda tells
        # them, and pass as they are: only AWS's own runtime client would wrap what it prints.
        logging_format=lambda_.LoggingFormat.JSON,
        application_log_level_v2=lambda_.ApplicationLogLevel[options.log_level],
        # In no VPC, by design: a Function URL does not stream from one, a NAT gateway costs while
        # nobody calls, and all that is called here is guarded by TLS and IAM, not by a network.
    )
    trigger(made, door, stores)
    acknowledge(made, "L1", "Python 3.13 is what the asset is built and tested for.")
    return made


def _role(scope: Construct, door: Door, stores: Stores, log: logs.LogGroup) -> iam.Role:
    """Not CDK's own, whose managed policy writes to every log group of the account."""
    role = iam.Role(
        scope,
        f"{door.name.capitalize()}Role",
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
    )
    log.grant_write(role)
    for statement in rights(door, stores):
        role.add_to_policy(statement)
    acknowledge(
        role,
        "IAM5[Resource::*]",
        "X-Ray, the list of streams, and the role's own identity are no resources to name.",
    )
    return role


def _environment(door: Door, stores: Stores, options: Options) -> dict[str, str]:
    env = {
        "TABLE_NAME": stores.table.table_name,
        "SECRET_PREFIX": secrets.prefix(options),
        "STAGE": options.stage,
        "POWERTOOLS_SERVICE_NAME": "antiphon",
        "POWERTOOLS_METRICS_NAMESPACE": NAMESPACE,
    }
    if door.defers:
        env["QUEUE_URL"] = stores.queues.waiting.queue_url
    if door.streams:
        env["AWS_LAMBDA_EXEC_WRAPPER"] = "/var/task/start-streaming"
    return env
