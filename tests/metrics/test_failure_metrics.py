"""Metrics of requests while targets, the table or the queue fail."""

import json

import pytest

from tests.support.events import make_response, new_id
from tests.support.function import make_create_event
from tests.support.gateway import KEYS
from tests.support.metrics import breakable_connection, pop_request_times
from tests.support.provider import encode_response

BODY = {"model": "gpt-5", "input": "x"}


@pytest.fixture
def invoke(own, gateway, target):
    """Invokes a function with two targets."""
    targets = {"measured-a": target(), "measured-b": target(2)}
    with own.run(gateway.aws_endpoint, targets) as invoke:
        yield invoke


def encode_success(**more):
    return encode_response(json.dumps(make_response(new_id(), **more)).encode())


def test_a_failover_is_not_an_error(invoke, own, provider):
    provider.respond_with(encode_response(b"{}", 429))
    provider.respond_with(encode_success())
    assert invoke(make_create_event(BODY)).status == 200
    values = own.only_values
    pop_request_times(values)
    assert values == {"Requests": 1, "Failovers": 1}


def test_open_circuits_of_all_targets(invoke, own, provider):
    for _ in range(2):
        provider.respond_with(encode_response(b"{}", 429, retry_after="600"))
    assert invoke(make_create_event(BODY)).status == 429
    provider.respond_with(encode_success())
    assert invoke(make_create_event(BODY)).status == 200
    first, other, second = own.values  # a line has one value for each dimension
    assert first | other == {
        "Requests": 1,
        "Failovers": 1,
        "Errors provider_429": 1,
        "CircuitsOpened measured-a": 1,
        "CircuitsOpened measured-b": 1,
    }
    pop_request_times(second)
    assert second == {"Requests": 1, "AllOpen": 1}


def test_the_open_circuit_of_the_only_target(own, gateway, target, provider):
    with own.run(gateway.aws_endpoint, {"measured-b": target()}) as call:
        provider.respond_with(encode_response(b"{}", 503, retry_after="600"))
        assert call(make_create_event(BODY)).status == 503
        provider.respond_with(encode_success())
        assert call(make_create_event(BODY)).status == 200
    first, second = own.values
    assert first == {"Requests": 1, "Errors provider_5xx": 1, "CircuitsOpened measured-b": 1}
    pop_request_times(second)
    assert second == {"Requests": 1, "AllOpen": 1}


@pytest.mark.parametrize(
    ("failing", "status", "expected"),
    [
        ({"PutItem"}, 200, {"DeferredRows": 1}),
        ({"PutItem", "SendMessage"}, 503, {"LinkNotWritten": 1, "Errors link_not_written": 1}),
    ],
)
def test_a_link_that_cannot_be_written(own, gateway, target, provider, failing, status, expected):
    targets = {"measured-one": target()}
    with (
        breakable_connection(gateway.aws_endpoint) as shim,
        own.run(shim.address, targets) as call,
    ):
        shim.cut(*failing)
        provider.respond_with(encode_success())
        assert call(make_create_event(BODY)).status == status
        shim.restore()
    values = own.only_values
    if status == 200:
        pop_request_times(values)
    assert values == {"Requests": 1, **expected}


def test_a_budget_that_is_nearly_used(own, gateway, target, provider):
    """A token costs a dollar; the gateway reserves as many as the request allows."""
    dollar = {"input": 1_000_000.0, "output": 1_000_000.0}
    sections = {"tenants": {"umbra": {"budget_usd": 100.0}}, "prices": {"gpt-5": dollar}}
    targets = {"measured-b": target()}
    with own.run(gateway.aws_endpoint, targets, sections) as call:
        for max_tokens, status in ((5, 200), (70, 200), (100, 429)):
            provider.respond_with(encode_success())  # seven tokens
            event = make_create_event({**BODY, "max_output_tokens": max_tokens}, KEYS["umbra"])
            assert call(event).status == status
    first, second, refused = own.values
    assert 0 < first["BudgetUsed"] < 80 <= second["BudgetUsed"] <= 100
    assert refused == {
        "Requests": 1,
        "Errors insufficient_quota": 1,
    }  # only this request would exceed the budget
    assert own.log.count('"budget near its end"') == 1
    assert '"tenant":"umbra"' in own.log
