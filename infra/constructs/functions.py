"""A Lambda function from its row: its settings, its permissions and its trigger."""

import json
from collections.abc import Iterator, Sequence

from aws_cdk import AssetHashType, Duration, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from antiphon.settings.metrics import NAMESPACE
from antiphon.settings.table import INDEXES
from infra.bundle import Bundle
from infra.constructs.credentials import allow_web_identity, secret_arns
from infra.constructs.function_specs import FunctionSpec, RowPermission
from infra.constructs.options import Options
from infra.constructs.protection import acknowledge, allow_key_use, create_log_group
from infra.constructs.storage import Stores
from infra.link_changes import PATTERNS

ARCHITECTURES = {"arm64": lambda_.Architecture.ARM_64, "x86_64": lambda_.Architecture.X86_64}
SNAP_START = lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS
QUEUE_ACTIONS = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
STREAM_ACTIONS = ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator")
RETRY_UNTIL_TOO_OLD = -1
# The stream holds a change for 24 hours; before that ends, the change becomes a dead letter.
MAX_CHANGE_AGE = Duration.hours(23)
BATCHING_SECONDS = 5
PARTIAL_FAILURES = ["ReportBatchItemFailures"]  # failed records are retried, not the whole batch

# The L1 construct: CDK's event sources would grant more than the function needs.
EventSourceMapping = lambda_.CfnEventSourceMapping


def create_code(bundle: Bundle) -> lambda_.Code:
    """Return the code of all functions: one asset, uploaded once."""
    return lambda_.Code.from_asset(
        str(bundle.ensure_built()),
        asset_hash=bundle.fingerprint,
        asset_hash_type=AssetHashType.CUSTOM,
    )


def create_function(
    scope: Construct, spec: FunctionSpec, code: lambda_.Code, stores: Stores, options: Options
) -> lambda_.Function:
    name = spec.name.capitalize()
    log_group = create_log_group(scope, f"{name}Logs", options, stores.key)
    function = lambda_.Function(
        scope,
        name,
        description=f"Antiphon {options.stage}: {spec.description}",
        code=code,
        handler=f"{spec.name}.handler",
        runtime=lambda_.Runtime.PYTHON_3_13,
        architecture=ARCHITECTURES[options.arch],
        role=_create_role(scope, spec, stores, log_group),
        memory_size=spec.memory or options.memory,
        timeout=Duration.minutes(spec.minutes),
        environment=_build_environment(spec, stores, options),
        reserved_concurrent_executions=options.reserved_concurrency if spec.streams else None,
        # By default Lambda drops what comes to a function for the 16th time by way of itself. A
        # message that is sent again has an end of its own: see antiphon.follow_up.
        recursive_loop=lambda_.RecursiveLoop.ALLOW if spec.is_recursive else None,
        snap_start=SNAP_START if spec.streams and options.snap_start else None,
        # A stream may run for 15 minutes on a version that a deployment has replaced.
        current_version_options=lambda_.VersionOptions(removal_policy=RemovalPolicy.RETAIN),
        # By Lambda itself: the import of Powertools' Tracer would add a third to the start time.
        tracing=lambda_.Tracing.ACTIVE,
        log_group=log_group,
        # For Lambda's own lines. Ours are JSON already, with the level that Lambda passes in the
        # environment; only AWS's own runtime client would wrap them.
        logging_format=lambda_.LoggingFormat.JSON,
        application_log_level_v2=lambda_.ApplicationLogLevel[options.log_level],
        # Not in a VPC: a Function URL does not stream from a VPC, a NAT gateway costs money when
        # idle, and TLS and IAM, not a network, protect everything that the function calls.
    )
    acknowledge(function, "L1", "The asset is built and tested for Python 3.13.")
    return function


def _create_role(
    scope: Construct, spec: FunctionSpec, stores: Stores, log_group: logs.LogGroup
) -> iam.Role:
    """Create the role; the CDK's default role can write to every log group of the account."""
    role = iam.Role(
        scope,
        f"{spec.name.capitalize()}Role",
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
    )
    log_group.grant_write(role)
    for statement in _build_statements(spec, stores):
        role.add_to_policy(statement)
    acknowledge(
        role,
        "IAM5[Resource::*]",
        "X-Ray, ListStreams and GetWebIdentityToken do not support resource-level permissions.",
    )
    return role


def _build_environment(spec: FunctionSpec, stores: Stores, options: Options) -> dict[str, str]:
    env = {
        "TABLE_NAME": stores.table.table_name,
        "STAGE": options.stage,
        "POWERTOOLS_SERVICE_NAME": "antiphon",
        "POWERTOOLS_METRICS_NAMESPACE": NAMESPACE,
    }
    if spec.secrets:
        env["TARGET_SECRETS"] = secret_arns(stores.table, stores.secrets)
    if spec.sends_to_queue:
        env["QUEUE_URL"] = stores.queues.deferred.queue_url
    if spec.streams:
        env["AWS_LAMBDA_EXEC_WRAPPER"] = "/var/task/start-streaming"
        env["SERVE_DOCS"] = str(options.docs).lower()
    return env


def _build_statements(spec: FunctionSpec, stores: Stores) -> Iterator[iam.PolicyStatement]:
    """Yield what the function is allowed: exact actions on exact resources."""
    for permission in spec.permissions:
        yield _allow_rows(permission, stores.table)
    if spec.secrets:
        yield from _allow_credentials(stores)
    if spec.sends_to_queue:
        yield _allow(["sqs:SendMessage"], stores.queues.deferred.queue_arn)
    if stores.key:
        yield allow_key_use(stores.key)
    yield from _allow_source(spec, stores)


def _allow_credentials(stores: Stores) -> Iterator[iam.PolicyStatement]:
    if stores.secrets:
        arns = [secret.secret_arn for secret in stores.secrets.values()]
        yield _allow(["secretsmanager:GetSecretValue"], *arns)
    if stores.audiences:
        yield allow_web_identity(stores.audiences)


def _allow_source(spec: FunctionSpec, stores: Stores) -> Iterator[iam.PolicyStatement]:
    if spec.source == "queue":
        yield _allow(QUEUE_ACTIONS, stores.queues.deferred.queue_arn)
    if spec.source == "stream" and stores.table.table_stream_arn:
        yield _allow(STREAM_ACTIONS, stores.table.table_stream_arn)
        yield _allow(["dynamodb:ListStreams"], "*")
        yield _allow(["sqs:SendMessage"], stores.queues.lost_changes.queue_arn)


def _allow_rows(permission: RowPermission, table: dynamodb.ITableV2) -> iam.PolicyStatement:
    names = INDEXES if permission.indexes else ()
    indexes = [f"{table.table_arn}/index/{name}" for name in names]
    return iam.PolicyStatement(
        actions=[f"dynamodb:{action}" for action in permission.actions],
        resources=[table.table_arn, *indexes],
        # ForAllValues is true for a request without keys, such as Scan: no row may allow Scan.
        conditions={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [*permission.rows]}},
    )


def _allow(actions: Sequence[str], *resources: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=[*actions], resources=[*resources])


def add_trigger(
    function: lambda_.IFunction, spec: FunctionSpec, stores: Stores, options: Options
) -> None:
    """Have the queue or the table's stream invoke the function, if its row says so."""
    if spec.source == "queue":
        EventSourceMapping(
            function,
            "Queue",
            function_name=function.function_arn,
            event_source_arn=stores.queues.deferred.queue_arn,
            batch_size=spec.batch_size,
            scaling_config=EventSourceMapping.ScalingConfigProperty(
                maximum_concurrency=options.settle_concurrency
            ),
            function_response_types=PARTIAL_FAILURES,
        )
    if spec.source == "stream" and stores.table.table_stream_arn:
        _add_stream_trigger(function, stores)


def _add_stream_trigger(function: lambda_.IFunction, stores: Stores) -> None:
    destination = stores.queues.lost_changes.queue_arn
    on_failure = EventSourceMapping.OnFailureProperty(destination=destination)
    EventSourceMapping(
        function,
        "Changes",
        function_name=function.function_arn,
        event_source_arn=stores.table.table_stream_arn,
        starting_position="TRIM_HORIZON",  # includes changes from before the mapping was created
        maximum_batching_window_in_seconds=BATCHING_SECONDS,
        maximum_retry_attempts=RETRY_UNTIL_TOO_OLD,
        maximum_record_age_in_seconds=int(MAX_CHANGE_AGE.to_seconds()),
        bisect_batch_on_function_error=True,
        filter_criteria=EventSourceMapping.FilterCriteriaProperty(
            filters=[
                EventSourceMapping.FilterProperty(pattern=json.dumps(each)) for each in PATTERNS
            ]
        ),
        destination_config=EventSourceMapping.DestinationConfigProperty(on_failure=on_failure),
        function_response_types=PARTIAL_FAILURES,
    )
