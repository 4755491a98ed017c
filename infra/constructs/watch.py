"""Alarms; each says in its description what to do."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aws_cdk import Aws, Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.constructs.options import Options
from infra.constructs.queue import Queues

PERIOD = Duration.minutes(5)
LATE = Duration.hours(1)


@dataclass(frozen=True)
class Alarm:
    name: str
    metric: cloudwatch.IMetric
    reached: float
    then: str  # what to do


def watch(
    scope: Construct, functions: Mapping[str, lambda_.Function], queues: Queues, options: Options
) -> sns.ITopic:
    """Make the alarms, and tell where they go."""
    told = _topic(scope, options)
    for alarm in [*_of_functions(functions), *_of_queues(queues)]:
        made = cloudwatch.Alarm(
            scope,
            f"Alarm{alarm.name}",
            metric=alarm.metric,
            threshold=alarm.reached,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=f"Antiphon {options.stage}: {alarm.then}",
        )
        made.add_alarm_action(actions.SnsAction(told))
    return told


def _topic(scope: Construct, options: Options) -> sns.ITopic:
    if options.alarm_topic_arn:
        return sns.Topic.from_topic_arn(scope, "Alarms", options.alarm_topic_arn)
    topic = sns.Topic(scope, "Alarms", display_name=f"Antiphon {options.stage}", enforce_ssl=True)
    # A topic with a policy of its own, as the one for TLS, forgets who may publish by default.
    here = {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
    topic.grant_publish(iam.ServicePrincipal("cloudwatch.amazonaws.com", conditions=here))
    if options.alarm_email:
        topic.add_subscription(subscriptions.EmailSubscription(options.alarm_email))
    return topic


def _of_functions(functions: Mapping[str, lambda_.Function]) -> Iterator[Alarm]:
    for name, function in functions.items():
        yield Alarm(
            f"{name.capitalize()}Errors",
            function.metric_errors(period=PERIOD),
            1,
            f"Invocations of {name} failed. Read its log group for [ERROR] lines and for "
            "platform.report with a status other than success.",
        )
        yield Alarm(
            f"{name.capitalize()}Throttles",
            function.metric_throttles(period=PERIOD),
            1,
            f"Lambda turned calls of {name} away. Raise antiphon:reserved_concurrency, or the "
            "account's quota of concurrent executions.",
        )


def _of_queues(queues: Queues) -> Iterator[Alarm]:
    yield Alarm(
        "QueueAge",
        queues.waiting.metric_approximate_age_of_oldest_message(period=PERIOD),
        LATE.to_seconds(),
        "What was deferred is not being done. Read the log of the function that works on the "
        "queue; providers or the table may be out of reach.",
    )
    yield Alarm(
        "DeadLetters",
        queues.dead.metric_approximate_number_of_messages_visible(period=PERIOD),
        1,
        "Work was given up. Look at the messages of the dead-letter queue, remove the cause, then "
        "start a redrive to the queue.",
    )
