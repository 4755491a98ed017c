"""The alarms: each says what to do, reaches somebody, and watches what is really measured."""

import re

from antiphon.settings.metrics import METRICS, NAMESPACE
from tests.infra.synthesis import ALL_KINDS, only, resources, template

OURS = {metric.name: metric for metric in METRICS}
OF_AWS = {"ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"}
OF_AWS |= {"Errors", "Throttles", "IteratorAge"}


def alarms(**chosen):
    """By their names in the code."""
    made = resources(template(**chosen), "CloudWatch::Alarm")
    return {re.fullmatch(r"Alarm(\w+?)[0-9A-F]{8}", name)[1]: each for name, each in made.items()}


def watched(alarm):
    """What an alarm looks at, as (namespace, name, dimensions)."""
    parts = [
        part["MetricStat"]["Metric"] for part in alarm.get("Metrics", []) if "MetricStat" in part
    ]
    return [
        (part["Namespace"], part["MetricName"], {d["Name"]: d["Value"] for d in part["Dimensions"]})
        for part in parts or [alarm]
    ]


def test_these_are_the_alarms():
    functions = {
        f"{name}{what}" for name in ("Api", "Settle", "Rollup") for what in ("Errors", "Throttles")
    }
    others = {
        "QueueAge",
        "DeadLetters",
        "CutStreams",
        "AllOpen",
        "BudgetNearEnd",
        "LinkNotWritten",
        "ChangesAge",
    }
    assert set(alarms()) == functions | others


def test_every_alarm_says_what_to_do_and_reaches_somebody():
    (topic,) = resources(template(), "SNS::Topic")
    for name, alarm in alarms().items():
        what, *then = alarm["AlarmDescription"].removeprefix("Antiphon prod: ").split(". ")
        assert what, name
        assert then, name
        assert alarm["AlarmDescription"].endswith(".")
        assert len(alarm["AlarmDescription"]) <= 1024
        assert alarm["AlarmActions"] == [{"Ref": topic}]


def test_where_nobody_calls_nothing_is_wrong():
    for alarm in alarms().values():
        assert alarm["TreatMissingData"] == "notBreaching"


def test_they_watch_what_the_functions_measure_or_aws_does():
    for alarm in alarms(stage="dev").values():
        for namespace, name, dimensions in watched(alarm):
            if namespace == NAMESPACE:
                assert OURS[name].dimensions == ()
                assert dimensions == {"stage": "dev"}
            else:
                assert name in OF_AWS


def test_a_few_cut_streams_or_a_small_share_of_them_wake_nobody():
    alarm = alarms()["CutStreams"]
    assert alarm["Metrics"][0]["Expression"] == "IF(cut >= 3, 100 * cut / begun, 0)"
    by_id = {part["Id"]: part.get("MetricStat") for part in alarm["Metrics"]}
    assert (by_id["cut"]["Metric"]["MetricName"], by_id["cut"]["Stat"]) == ("CutStreams", "Sum")
    assert by_id["begun"]["Metric"]["MetricName"] == "FirstEventMs"
    assert by_id["begun"]["Stat"] == "SampleCount"
    assert alarm["Threshold"] == 5


def test_a_short_rest_of_all_targets_wakes_nobody():
    alarm = alarms()["AllOpen"]
    assert (alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"]) == (2, 3)


def test_without_a_follower_of_the_stream_nobody_waits_for_it():
    made = resources(template(ALL_KINDS), "CloudWatch::Alarm")
    assert not [name for name in made if "ChangesAge" in name]


def test_alarms_may_be_told_over_tls_alone():
    told = only(template(), "SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    by = {statement["Effect"]: statement for statement in told}
    assert by["Allow"]["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert by["Allow"]["Action"] == "sns:Publish"
    here = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    assert by["Allow"]["Condition"] == here
    assert by["Deny"]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_alarms_go_to_an_address_or_to_a_topic_of_yours():
    subscribed = only(template(alarm_email="ops@example.com"), "SNS::Subscription")
    assert (subscribed["Protocol"], subscribed["Endpoint"]) == ("email", "ops@example.com")
    topic = "arn:aws:sns:eu-west-1:123456789012:ops"
    made = template(alarm_topic_arn=topic)
    assert not resources(made, "SNS::Topic")
    assert all(a["AlarmActions"] == [topic] for a in resources(made, "CloudWatch::Alarm").values())
