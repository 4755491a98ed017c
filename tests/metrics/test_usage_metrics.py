"""Metrics of the rollup and settle functions: usage, and responses whose end stays unknown."""

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
from tests.support.upstream import plain_transport
from tests.support.usage import make_usage, usage_store


@pytest.fixture
def written(monkeypatch, capsys):
    """Returns the values of each line that was written since the last call."""
    monkeypatch.setattr(metrics, "_is_enabled", True)
    monkeypatch.setattr(metrics._serializer, "namespace", NAMESPACE)
    metrics.flush()
    capsys.readouterr()
    return lambda: [read_metric_values(line) for line in read_emf_lines(capsys.readouterr().out)]


@pytest.fixture
def store():
    with usage_store() as table:
        yield table


def put_response(store, **more):
    link = store.make_link(
        **{"status": "completed", "model": "gpt-5", "usage": make_usage(cached=400), **more}
    )
    store.links.put(link)
    return link


def test_tokens_and_cost_are_counted_by_model_and_target(store, written):
    put_response(store)
    put_response(store)
    put_response(store, target="azure", tenant="umbra")
    put_response(store, model="unheard-of", usage=make_usage())
    put_response(store, model=None, upstream_model=None, usage=None)
    assert store.run_rollup() == []
    assert written() == [
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


def test_a_response_is_counted_once(store, written):
    put_response(store)
    records = store.dynamo.stream_records()
    store.run_rollup(records)
    assert len(written()) == 1
    store.run_rollup(records)
    store.links.change(store.make_link(), metadata={"late": "yes"})
    store.run_rollup()
    assert written() == []


def test_a_correction_is_written_as_the_difference(store, written):
    link = put_response(store, usage=make_usage())
    store.run_rollup()
    written()
    store.links.change(link, service_tier="flex")  # at half the price
    store.run_rollup()
    assert written() == [{"CostUSD gpt-5 openai": pytest.approx(-0.001125)}]


@pytest.mark.usefixtures("written")
def test_metrics_name_no_tenant_and_no_key(store, capsys):
    put_response(store, metadata={"MARKER": "MARKER"}, tenant="marked", key_id="key_marked")
    store.run_rollup()
    (line,) = read_emf_lines(capsys.readouterr().out)
    assert "mark" not in json.dumps(line).lower()


def test_a_response_whose_end_stays_unknown_is_counted(written, provider):
    context = SimpleNamespace(aws_request_id="r-1", get_remaining_time_in_millis=lambda: 60_000)
    old = json.loads(encode_message(FOLLOW)) | {"since": 0}
    with fake_aws() as aws, plain_transport() as client:
        follow_up = make_follow_up(aws, provider.address, client)
        follow_up.links.put(LINK)
        record = {"messageId": "m-1", "body": json.dumps(old)}
        assert SqsHandler(follow_up)({"Records": [record]}, context) == {"batchItemFailures": []}
    assert written() == [{"Unsettled": 1}]
