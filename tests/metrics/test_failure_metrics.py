"""Metrics of requests while targets, the table or the queue fail."""

import json

import pytest

from tests.faults.aws_proxy import run_aws_proxy
from tests.support.events import make_response, new_id
from tests.support.function import make_create_event
from tests.support.gateway import KEYS
from tests.support.metrics import pop_request_times
from tests.support.provider import encode_response

BODY = {"model": "gpt-5", "input": "x"}


# A token costs a dollar.
PRICES = {"gpt-5": {"input": 1_000_000.0, "output": 1_000_000.0}}


@pytest.fixture(scope="module")
def failing(own_function, gateway, _provider):
    """Invokes a function, and cuts its connection to AWS for single operations."""
    targets = {
        name: {"provider": "openai", "base_url": f"{_provider.address}/v1", **models}
        for name, models in {
            "measured-one": {"models": ["gpt-5"]},
            "measured-a": {"models": ["gpt-two"]},
            "measured-b": {"models": ["gpt-two"], "priority": 2},
            "measured-c": {"models": ["gpt-three"]},
        }.items()
    }
    sections = {"tenants": {"umbra": {"budget_usd": 100.0}}, "prices": PRICES}
    with (
        run_aws_proxy(gateway.aws_endpoint) as shim,
        own_function.run(shim.address, targets, sections) as invoke,
    ):
        yield invoke, shim


@pytest.fixture
def invoke(failing):
    return failing[0]


@pytest.fixture
def shim(failing):
    return failing[1]


@pytest.fixture
def own(own_function, failing):  # noqa: ARG001  the log is there once the function runs
    own_function.forget()
    return own_function


def encode_success(**more):
    return encode_response(json.dumps(make_response(new_id(), **more)).encode())


def test_failovers_and_open_circuits_of_all_targets(invoke, own, provider):
    body = {**BODY, "model": "gpt-two"}
    provider.respond_with(encode_response(b"{}", 429))
    provider.respond_with(encode_success())
    assert invoke(make_create_event(body)).status == 200
    values = own.only_values
    pop_request_times(values)
    assert values == {"Requests": 1, "Failovers": 1}  # and no error
    own.forget()
    for _ in range(2):
        provider.respond_with(encode_response(b"{}", 429, retry_after="600"))
    assert invoke(make_create_event(body)).status == 429
    provider.respond_with(encode_success())
    assert invoke(make_create_event(body)).status == 200
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


def test_the_open_circuit_of_the_only_target(invoke, own, provider):
    body = {**BODY, "model": "gpt-three"}
    provider.respond_with(encode_response(b"{}", 503, retry_after="600"))
    assert invoke(make_create_event(body)).status == 503
    provider.respond_with(encode_success())
    assert invoke(make_create_event(body)).status == 200
    first, second = own.values
    error = {"Errors provider_5xx": 1, "ServerErrors": 1}
    assert first == {"Requests": 1, **error, "CircuitsOpened measured-c": 1}
    pop_request_times(second)
    assert second == {"Requests": 1, "AllOpen": 1}


@pytest.mark.parametrize(
    ("operations", "status", "expected"),
    [
        ({"PutItem", "BatchWriteItem"}, 200, {"DeferredRows": 1}),
        (
            {"PutItem", "BatchWriteItem", "SendMessage"},
            503,
            {"LinkNotWritten": 1, "Errors link_not_written": 1, "ServerErrors": 1},
        ),
    ],
)
def test_a_link_that_cannot_be_written(invoke, own, shim, provider, operations, status, expected):
    shim.cut(*operations)
    provider.respond_with(encode_success())
    got = invoke(make_create_event(BODY))
    shim.restore()
    assert got.status == status
    values = own.only_values
    if status == 200:
        pop_request_times(values)
    assert values == {"Requests": 1, **expected}


def test_a_budget_that_is_nearly_used(invoke, own, provider):
    """The gateway reserves as many tokens as the request allows."""
    for max_tokens, status in ((5, 200), (70, 200), (100, 429)):
        provider.respond_with(encode_success())  # seven tokens
        event = make_create_event({**BODY, "max_output_tokens": max_tokens}, KEYS["umbra"])
        assert invoke(event).status == status
    first, second, refused = own.values
    assert 0 < first["BudgetUsed"] < 80 <= second["BudgetUsed"] <= 100
    assert refused == {
        "Requests": 1,
        "Errors insufficient_quota": 1,
    }  # only this request would exceed the budget
    assert own.log.count('"budget near its end"') == 1
    assert '"tenant":"umbra"' in own.log
