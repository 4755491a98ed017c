"""The alarms: their instructions, their topic, and the metrics that they use."""

import re

import pytest

from antiphon.settings.metrics import METRICS, NAMESPACE
from antiphon.settings.table import INDEXES
from tests.infra.synthesis import ALL_SOURCES, PROJECT, only, resources, template
from tests.infra.variants import DEV, EVERYTHING, EXISTING, TOPIC

OWN_METRICS = {metric.name: metric for metric in METRICS}
AWS_METRICS = {"ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"}
AWS_METRICS |= {"Errors", "Throttles", "IteratorAge", "RecursiveInvocationsDropped"}
AWS_METRICS |= {"ConcurrentExecutions", "ClaimedAccountConcurrency"}
AWS_METRICS |= {"ReadThrottleEvents", "WriteThrottleEvents"}


def alarms(**chosen):
    """Return the alarms by their names in the code."""
    made = resources(template(**chosen), "CloudWatch::Alarm")
    return {re.fullmatch(r"Alarm(\w+?)[0-9A-F]{8}", name)[1]: each for name, each in made.items()}


def alarm_metrics(alarm):
    """Return the metrics of an alarm as (namespace, name, dimensions)."""
    parts = [
        part["MetricStat"]["Metric"] for part in alarm.get("Metrics", []) if "MetricStat" in part
    ]
    return [
        (
            part["Namespace"],
            part["MetricName"],
            {d["Name"]: d["Value"] for d in part.get("Dimensions", [])},
        )
        for part in parts or [alarm]
    ]


def test_all_alarms_exist():
    functions = {
        f"{name}{what}" for name in ("Api", "Settle", "Rollup") for what in ("Errors", "Throttles")
    }
    others = {
        "QueueAge",
        "DeadLetters",
        "LostChanges",
        "SettleDropped",
        "CutStreams",
        "AllOpen",
        "BudgetNearEnd",
        "LinkNotWritten",
        "ServerErrors",
        "Unsettled",
        "TableThrottled",
        "ConcurrencyNearLimit",
        "ChangesAge",
    }
    assert set(alarms()) == functions | others


def test_every_alarm_states_what_to_do_and_notifies_the_topic():
    (topic,) = resources(template(), "SNS::Topic")
    for name, alarm in alarms().items():
        what, *then = alarm["AlarmDescription"].removeprefix("Antiphon prod: ").split(". ")
        assert what, name
        assert then, name
        assert alarm["AlarmDescription"].endswith(".")
        assert len(alarm["AlarmDescription"]) <= 1024
        assert alarm["AlarmActions"] == [{"Ref": topic}]


def test_log_messages_named_by_alarms_exist():
    code = "".join(path.read_text() for path in PROJECT.glob("functions/**/*.py"))
    quoted = {
        message
        for alarm in alarms().values()
        for message in re.findall(r"look for '([^']+)'", alarm["AlarmDescription"], re.IGNORECASE)
    }
    assert len(quoted) == 4
    assert [message for message in quoted if f'"{message}"' not in code] == []


def test_missing_data_is_no_alarm():
    for alarm in alarms().values():
        assert alarm["TreatMissingData"] == "notBreaching"


def test_alarms_use_metrics_that_exist():
    for alarm in alarms(**DEV).values():
        for namespace, name, dimensions in alarm_metrics(alarm):
            if namespace == NAMESPACE:
                assert OWN_METRICS[name].dimensions == ()
                assert dimensions == {"stage": "dev"}
            else:
                assert name in AWS_METRICS


def value_of(alarm, **metrics):
    """The value that CloudWatch's metric math gives for one value of each metric."""
    expression = alarm["Metrics"][0]["Expression"].replace("IF(", "choose(").replace("AND", "and")
    assert metrics.keys() <= {part["Id"] for part in alarm["Metrics"]}
    functions = {
        "choose": lambda condition, then, other: then if condition else other,
        "FILL": lambda value, missing: missing if value is None else value,
        "SERVICE_QUOTA": lambda _: 1000,
    }
    return eval(expression, {"__builtins__": {}}, {**functions, **metrics})  # noqa: S307


@pytest.mark.parametrize(
    ("requests", "failed", "is_alarm"),
    [(100, 4, False), (100, 5, True), (9, 9, False), (10, 2, False), (10, 3, True)],
)
def test_a_share_of_failed_requests_is_an_alarm(requests, failed, is_alarm):
    alarm = alarms()["ServerErrors"]
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    value = value_of(alarm, requests=requests, failed=failed)
    assert (value >= alarm["Threshold"]) == is_alarm
    stats = {part["Id"]: part["MetricStat"]["Stat"] for part in alarm["Metrics"][1:]}
    assert stats == {"failed": "Sum", "requests": "Sum"}


def test_throttled_requests_of_table_and_indexes_are_an_alarm():
    alarm = alarms()["TableThrottled"]
    (table,) = resources(template(), "DynamoDB::GlobalTable")
    dimensions = [each for _, _, each in alarm_metrics(alarm)]
    assert all(each["TableName"] == {"Ref": table} for each in dimensions)
    indexes = {each.get("GlobalSecondaryIndexName") for each in dimensions}
    assert indexes == {None, *INDEXES}
    assert value_of(alarm, reads=None, writes=4, by_time=None, by_root=6) == alarm["Threshold"]


def test_concurrency_near_the_reserved_one_or_the_quota_is_an_alarm():
    quota = alarms()["ConcurrencyNearLimit"]
    assert value_of(quota, claimed=800, used=10) == quota["Threshold"]
    reserved = alarms(**EVERYTHING)["ConcurrencyNearLimit"]
    assert value_of(reserved, used=40) == reserved["Threshold"]
    ((_, _, dimensions),) = alarm_metrics(reserved)
    assert dimensions["FunctionName"]["Ref"].startswith("Api")


def test_few_cut_streams_are_no_alarm():
    alarm = alarms()["CutStreams"]
    assert alarm["Metrics"][0]["Expression"] == "IF(cut >= 3, 100 * cut / begun, 0)"
    by_id = {part["Id"]: part.get("MetricStat") for part in alarm["Metrics"]}
    assert (by_id["cut"]["Metric"]["MetricName"], by_id["cut"]["Stat"]) == ("CutStreams", "Sum")
    assert by_id["begun"]["Metric"]["MetricName"] == "FirstEventMs"
    assert by_id["begun"]["Stat"] == "SampleCount"
    assert alarm["Threshold"] == 5


def test_short_outage_of_all_targets_is_no_alarm():
    alarm = alarms()["AllOpen"]
    assert (alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"]) == (2, 3)


def test_dropped_messages_are_those_of_the_function_that_sends_to_itself():
    alarm = alarms()["SettleDropped"]
    [(namespace, name, dimensions)] = alarm_metrics(alarm)
    assert (namespace, name) == ("AWS/Lambda", "RecursiveInvocationsDropped")
    assert [*dimensions] == ["FunctionName"]
    assert dimensions["FunctionName"]["Ref"].startswith("Settle")
    assert (alarm["Statistic"], alarm["Threshold"]) == ("Sum", 1)


def test_without_the_stream_function_there_is_no_alarm_for_it():
    made = resources(template(ALL_SOURCES), "CloudWatch::Alarm")
    assert not [name for name in made if "ChangesAge" in name]


def test_topic_accepts_messages_over_tls_only():
    policy = only(template(), "SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    by = {statement["Effect"]: statement for statement in policy}
    assert by["Allow"]["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert by["Allow"]["Action"] == "sns:Publish"
    here = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    assert by["Allow"]["Condition"] == here
    assert by["Deny"]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_alarms_go_to_an_email_address_or_an_existing_topic():
    subscribed = only(template(**EVERYTHING), "SNS::Subscription")
    assert (subscribed["Protocol"], subscribed["Endpoint"]) == ("email", "ops@example.com")
    made = template(**EXISTING)
    assert not resources(made, "SNS::Topic")
    assert all(a["AlarmActions"] == [TOPIC] for a in resources(made, "CloudWatch::Alarm").values())
