"""The alarms: the metric and threshold of each, what to do, and the topic they are sent to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aws_cdk import Aws, Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from antiphon.settings import metrics
from antiphon.settings.table import INDEXES
from infra.constructs.function_specs import FUNCTION_SPECS, STREAM_FUNCTION
from infra.constructs.functions import MAX_CHANGE_AGE
from infra.constructs.metrics import MAXIMUM, PERIOD, SAMPLE_COUNT, SUM, stage_metric
from infra.constructs.options import Options, stack_name
from infra.constructs.storage import Queues, Stores

MAX_AGE = Duration.hours(1)  # of the oldest message, and of the oldest change in the stream
MIN_CUT_STREAMS, CUT_PERCENT = 3, 5  # in one period; percent of all streams
# In one period: fewer are no outage. Percent of all requests.
MIN_REQUESTS, MIN_SERVER_ERRORS, SERVER_ERROR_PERCENT = 10, 3, 5
MAX_THROTTLED = 10  # requests of the table in one period; a few are repeated with success
CONCURRENCY_PERCENT = 80  # of the limit

type NamedMetric = tuple[str, cloudwatch.IMetric]  # its name in an expression


@dataclass(frozen=True)
class Alarm:
    name: str
    metric: cloudwatch.IMetric
    threshold: float  # the alarm starts when the metric reaches it
    instructions: str  # what happened, and what to do
    lasting: bool = False  # in two of three periods instead of one


def create_alarms(
    scope: Construct,
    functions: Mapping[str, lambda_.Function],
    stores: Stores,
    options: Options,
) -> tuple[list[cloudwatch.Alarm], sns.ITopic]:
    """Create the alarms and the topic that they are sent to."""
    topic = _create_topic(scope, options)
    specs = _list_alarms(options, functions, stores)
    alarms = [_create_alarm(scope, spec, options) for spec in specs]
    for alarm in alarms:
        alarm.add_alarm_action(actions.SnsAction(topic))
    return alarms, topic


def _list_alarms(
    options: Options, functions: Mapping[str, lambda_.Function], stores: Stores
) -> Iterator[Alarm]:
    yield from _function_alarms(functions)
    yield from _queue_alarms(stores.queues)
    yield _server_errors_alarm(options.stage)
    yield _cut_streams_alarm(options.stage)
    yield from _request_alarms(options.stage)
    yield _throttled_table_alarm(stores.table)
    yield _concurrency_alarm(functions["api"], options)
    yield from _recursion_alarms(functions)
    if STREAM_FUNCTION in functions:
        yield _stream_age_alarm(functions[STREAM_FUNCTION])


def _function_alarms(functions: Mapping[str, lambda_.Function]) -> Iterator[Alarm]:
    for name, function in functions.items():
        yield Alarm(
            f"{name.capitalize()}Errors",
            function.metric_errors(period=PERIOD),
            1,
            f"Invocations of {name} failed. In its log group, look for the level ERROR and for "
            "platform.report with a status other than success.",
        )
        yield Alarm(
            f"{name.capitalize()}Throttles",
            function.metric_throttles(period=PERIOD),
            1,
            f"Lambda throttled invocations of {name}. Raise antiphon:reserved_concurrency, or the "
            "account's quota for concurrent executions.",
        )


def _recursion_alarms(functions: Mapping[str, lambda_.Function]) -> Iterator[Alarm]:
    """Watch what Lambda drops where a function's RecursiveLoop is not `Allow` any more.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
    """
    for spec in FUNCTION_SPECS:
        if spec.is_recursive and spec.name in functions:
            yield Alarm(
                f"{spec.name.capitalize()}Dropped",
                functions[spec.name].metric(
                    "RecursiveInvocationsDropped", statistic=SUM, period=PERIOD
                ),
                1,
                f"Lambda dropped messages that {spec.name} had sent to its own queue: responses "
                "remain without an end and without usage. The function's recursive loop detection "
                "must be Allow: deploy again, then start a redrive of the dead-letter queue.",
            )


def _queue_alarms(queues: Queues) -> Iterator[Alarm]:
    yield Alarm(
        "QueueAge",
        queues.deferred.metric_approximate_age_of_oldest_message(period=PERIOD),
        MAX_AGE.to_seconds(),
        "Deferred work is not done in time. Read the log of the function that reads the queue; "
        "the providers or the table may be unreachable. If it does its work, but too slowly, raise "
        "antiphon:settle_concurrency.",
    )
    yield Alarm(
        "DeadLetters",
        queues.dead_letters.metric_approximate_number_of_messages_visible(period=PERIOD),
        1,
        "Deferred work failed too often. Look at the messages in the dead-letter queue, remove the "
        "cause, then start a redrive to the queue.",
    )
    yield Alarm(
        "LostChanges",
        queues.lost_changes.metric_approximate_number_of_messages_visible(period=PERIOD),
        1,
        f"Changes of the table failed for {MAX_CHANGE_AGE.to_hours():.0f} hours and were skipped: "
        f"usage is not counted. Look for 'change failed' in the log of {STREAM_FUNCTION}, remove "
        "the cause, run `antiphon usage recount --since 3d`, then purge the queue.",
    )


def _request_alarms(stage: str) -> Iterator[Alarm]:
    yield Alarm(
        "AllOpen",
        stage_metric(stage, metrics.ALL_OPEN),
        1,
        "The circuit of every target that could serve a request is open: they fail or are rate "
        "limited. See the circuits on the dashboard and the provider's status page; raise the "
        "provider's limits, or add a target for the model.",
        lasting=True,
    )
    yield Alarm(
        "BudgetNearEnd",
        stage_metric(stage, metrics.BUDGET_USED, MAXIMUM),
        metrics.BUDGET_ALERT_PERCENT,
        f"A key or a tenant has used {metrics.BUDGET_ALERT_PERCENT} % of its budget; at 100 %, its "
        "requests are refused. The log of api names it: look for 'budget near its end'. Raise "
        "the budget, or inform the owner of the key.",
    )
    yield Alarm(
        "LinkNotWritten",
        stage_metric(stage, metrics.LINK_NOT_WRITTEN),
        1,
        "Neither the table nor the queue accepted a row: callers did not get the ids of responses "
        "that they paid for, or usage remains unknown. Check DynamoDB and SQS in the AWS Health "
        "Dashboard, and the permissions of the API function's role.",
    )

    yield Alarm(
        "Unsettled",
        stage_metric(stage, metrics.UNSETTLED),
        1,
        "Responses are not polled any more, and their outcome and usage stay unknown. In the log "
        "of settle, look for 'not settled', which says why: a target that is no longer "
        "configured, or a provider that did not know the end within settle_hours.",
    )


def _server_errors_alarm(stage: str) -> Alarm:
    return Alarm(
        "ServerErrors",
        _percent(
            ("failed", stage_metric(stage, metrics.SERVER_ERRORS)),
            ("requests", stage_metric(stage, metrics.REQUESTS)),
            f"requests >= {MIN_REQUESTS} AND failed >= {MIN_SERVER_ERRORS}",
            "requests",
        ),
        SERVER_ERROR_PERCENT,
        f"At least {SERVER_ERROR_PERCENT} % of the requests are answered with a 5xx. The saved "
        "query 'errors by code' says which: provider_5xx and upstream_... are a target's, so see "
        "the provider's status page, or add a target; gateway_unavailable and link_not_written "
        "mean the table or the queue, so see the AWS Health Dashboard.",
    )


def _percent(
    part: NamedMetric, whole: NamedMetric, condition: str, label: str
) -> cloudwatch.MathExpression:
    """Return how much of the whole the part is while the condition holds, otherwise 0."""
    return cloudwatch.MathExpression(
        expression=f"IF({condition}, 100 * {part[0]} / {whole[0]}, 0)",
        using_metrics=dict([part, whole]),
        label=f"percent of {label}",
        period=PERIOD,
    )


def _throttled_table_alarm(table: dynamodb.ITableV2) -> Alarm:
    """A throttled index throttles the writes of the table, too."""
    parts = {
        "reads": _table_metric(table, "ReadThrottleEvents"),
        "writes": _table_metric(table, "WriteThrottleEvents"),
        **{name: _table_metric(table, "WriteThrottleEvents", name) for name in INDEXES},
    }
    return Alarm(
        "TableThrottled",
        cloudwatch.MathExpression(
            # A metric without a throttled request has no data.
            expression=" + ".join(f"FILL({name}, 0)" for name in parts),
            using_metrics=parts,
            label="throttled requests",
            period=PERIOD,
        ),
        MAX_THROTTLED,
        "DynamoDB throttles the table or an index. One tenant's requests may exceed what a "
        "partition takes: find it with the saved query 'usage by key', and give it limits. "
        "Otherwise raise the table's maximum throughput, or the account's quota for it.",
    )


def _table_metric(table: dynamodb.ITableV2, name: str, index: str = "") -> cloudwatch.Metric:
    of_index = {"GlobalSecondaryIndexName": index} if index else {}
    return cloudwatch.Metric(
        namespace="AWS/DynamoDB",
        metric_name=name,
        dimensions_map={"TableName": table.table_name, **of_index},
        statistic=SUM,
        period=PERIOD,
    )


def _concurrency_alarm(function: lambda_.Function, options: Options) -> Alarm:
    return Alarm(
        "ConcurrencyNearLimit",
        _concurrency_share(function, options.reserved_concurrency),
        CONCURRENCY_PERCENT,
        f"The functions use {CONCURRENCY_PERCENT} % of the concurrency they may have; at 100 %, "
        "Lambda refuses requests with a 429. Raise antiphon:reserved_concurrency, or without it "
        "the account's quota for concurrent executions; limit the streams of the keys.",
    )


def _concurrency_share(function: lambda_.Function, reserved: int | None) -> cloudwatch.IMetric:
    """Return percent of the reserved concurrency; without it, of the account's quota."""
    if reserved is not None:
        used = function.metric("ConcurrentExecutions", statistic=MAXIMUM, period=PERIOD)
        expression, parts = f"100 * used / {reserved}", {"used": used}
    else:
        # What other functions have reserved is claimed, even while they do not use it.
        names = {"claimed": "ClaimedAccountConcurrency", "used": "ConcurrentExecutions"}
        parts = {id: _account_metric(name) for id, name in names.items()}
        expression = "100 * claimed / SERVICE_QUOTA(used)"
    return cloudwatch.MathExpression(
        expression=expression, using_metrics=parts, label="percent of the limit", period=PERIOD
    )


def _account_metric(name: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace="AWS/Lambda", metric_name=name, statistic=MAXIMUM, period=PERIOD
    )


def _cut_streams_alarm(stage: str) -> Alarm:
    return Alarm(
        "CutStreams",
        _percent(
            ("cut", stage_metric(stage, metrics.CUT_STREAMS)),
            ("begun", stage_metric(stage, metrics.FIRST_EVENT, SAMPLE_COUNT)),
            f"cut >= {MIN_CUT_STREAMS}",
            "streams",
        ),
        CUT_PERCENT,
        f"At least {CUT_PERCENT} % of the streams end without the provider's terminal event. Look "
        "for 'stream cut' in the log of api: its attempts name the target. If one target is "
        "affected, give it a higher priority number in gateway.toml and contact its provider; if "
        "all are, responses may take longer than the function's 15 minutes: create those in the "
        "background.",
    )


def _stream_age_alarm(function: lambda_.Function) -> Alarm:
    return Alarm(
        "ChangesAge",
        function.metric("IteratorAge", statistic=MAXIMUM, period=PERIOD),
        MAX_AGE.to_milliseconds(),
        "Usage, cost and the metadata index are an hour late. Look for 'change failed' in the log "
        f"of {STREAM_FUNCTION}: one change that fails delays those behind it, and all of them are "
        f"skipped after {MAX_CHANGE_AGE.to_hours():.0f} hours.",
    )


def _create_alarm(scope: Construct, alarm: Alarm, options: Options) -> cloudwatch.Alarm:
    return cloudwatch.Alarm(
        scope,
        f"Alarm{alarm.name}",
        alarm_name=f"{stack_name(options.stage)}-{alarm.name}",
        metric=alarm.metric,
        threshold=alarm.threshold,
        evaluation_periods=3 if alarm.lasting else 1,
        datapoints_to_alarm=2 if alarm.lasting else 1,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        alarm_description=f"Antiphon {options.stage}: {alarm.instructions}",
    )


def _create_topic(scope: Construct, options: Options) -> sns.ITopic:
    if options.alarm_topic_arn:
        return sns.Topic.from_topic_arn(scope, "Alarms", options.alarm_topic_arn)
    topic = sns.Topic(scope, "Alarms", display_name=f"Antiphon {options.stage}", enforce_ssl=True)
    # enforce_ssl gives the topic a policy, which replaces the default permission to publish.
    same_account = {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
    topic.grant_publish(iam.ServicePrincipal("cloudwatch.amazonaws.com", conditions=same_account))
    if options.alarm_email:
        topic.add_subscription(subscriptions.EmailSubscription(options.alarm_email))
    return topic
