"""The figures of what the other two functions do: what responses came to, and what had no end."""

import json
from types import SimpleNamespace

import pytest

from antiphon.follow_up import SqsHandler
from antiphon.observability import metrics
from antiphon.settings.metrics import NAMESPACE
from antiphon.store.queue import encode_message
from tests.support.aws import fake_aws
from tests.support.follow_up import FOLLOW, LINK, make_follow_up
from tests.support.metrics import read_emf_lines, read_metric_values
from tests.support.upstream import plain_client
from tests.support.usage import make_usage, usage_store


@pytest.fixture
def told(monkeypatch, capsys):
    """What was told since this was last asked, each line a place or an event."""
    monkeypatch.setattr(metrics, "_speaks", True)
    monkeypatch.setattr(metrics._metrics, "namespace", NAMESPACE)
    metrics.tell()
    capsys.readouterr()
    return lambda: [read_metric_values(line) for line in read_emf_lines(capsys.readouterr().out)]


@pytest.fixture
def counted():
    with usage_store() as table:
        yield table


def done(counted, **more):
    made = counted.make_link(
        **{"status": "completed", "model": "gpt-5", "usage": make_usage(cached=400), **more}
    )
    counted.links.put(made)
    return made


def test_tokens_and_cost_are_told_by_model_and_target(counted, told):
    done(counted)
    done(counted)
    done(counted, target="azure", tenant="umbra")
    done(counted, model="unheard-of", usage=make_usage())
    done(counted, model=None, upstream_model=None, usage=None)
    assert counted.run_rollup() == []
    assert told() == [
        {
            "InputTokens gpt-5 openai": 2000,
            "CachedTokens gpt-5 openai": 800,
            "OutputTokens gpt-5 openai": 200,
            "CostUSD gpt-5 openai": pytest.approx(0.0036),
        },
        {
            "InputTokens gpt-5 azure": 1000,
            "CachedTokens gpt-5 azure": 400,
            "OutputTokens gpt-5 azure": 100,
            "CostUSD gpt-5 azure": pytest.approx(0.0018),
        },
        {
            "InputTokens unheard-of openai": 1000,
            "OutputTokens unheard-of openai": 100,
            "Unpriced unheard-of openai": 1,
        },
    ]


def test_what_is_counted_once_is_told_once(counted, told):
    done(counted)
    records = counted.dynamo.stream_records()
    counted.run_rollup(records)
    assert len(told()) == 1
    counted.run_rollup(records)
    counted.links.change(counted.make_link(), metadata={"late": "yes"})
    counted.run_rollup()
    assert told() == []


def test_a_correction_is_told_as_the_difference(counted, told):
    made = done(counted, usage=make_usage())
    counted.run_rollup()
    told()
    counted.links.change(made, service_tier="flex")  # at half the price
    counted.run_rollup()
    assert told() == [{"CostUSD gpt-5 openai": pytest.approx(-0.001125)}]


@pytest.mark.usefixtures("told")
def test_no_figure_of_what_is_counted_says_whose_it_is(counted, capsys):
    done(counted, metadata={"MARKER": "MARKER"}, tenant="marked", key_id="key_marked")
    counted.run_rollup()
    (line,) = read_emf_lines(capsys.readouterr().out)
    assert "mark" not in json.dumps(line).lower()


def test_a_response_whose_end_nobody_will_know_is_told(told, provider):
    context = SimpleNamespace(aws_request_id="r-1", get_remaining_time_in_millis=lambda: 60_000)
    old = json.loads(encode_message(FOLLOW)) | {"since": 0}
    with fake_aws() as made, plain_client() as client:
        settling = make_follow_up(made, provider.address, client)
        settling.links.put(LINK)
        record = {"messageId": "m-1", "body": json.dumps(old)}
        assert SqsHandler(settling)({"Records": [record]}, context) == {"batchItemFailures": []}
    assert told() == [{"Unsettled": 1}]
