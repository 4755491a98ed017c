"""Who watches over a stage: alarms that say what to do, and the dashboard to look at then."""

from collections.abc import Mapping

from aws_cdk import Aws
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.constructs.alarms import Alarm, alarms
from infra.constructs.dashboard import dashboard
from infra.constructs.options import Options, stack_name
from infra.constructs.queue import Queues


def watch(
    scope: Construct, functions: Mapping[str, lambda_.Function], queues: Queues, options: Options
) -> sns.ITopic:
    """Make alarms and dashboard, and tell where the alarms go."""
    told = _topic(scope, options)
    made = [_alarm(scope, each, options) for each in alarms(options.stage, functions, queues)]
    for each in made:
        each.add_alarm_action(actions.SnsAction(told))
    dashboard(scope, options.stage, functions, queues, made)
    return told


def _alarm(scope: Construct, alarm: Alarm, options: Options) -> cloudwatch.Alarm:
    return cloudwatch.Alarm(
        scope,
        f"Alarm{alarm.name}",
        alarm_name=f"{stack_name(options.stage)}-{alarm.name}",
        metric=alarm.metric,
        threshold=alarm.reached,
        evaluation_periods=3 if alarm.lasting else 1,
        datapoints_to_alarm=2 if alarm.lasting else 1,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        alarm_description=f"Antiphon {options.stage}: {alarm.then}",
    )


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
