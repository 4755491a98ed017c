"""The figures of requests that met with targets, a table or a queue in trouble."""

import json

import pytest

from tests.support.events import make_response, new_id
from tests.support.function import make_create_event
from tests.support.gateway import KEYS
from tests.support.metrics import breakable_connection, pop_request_times
from tests.support.provider import encode_response

ASK = {"model": "gpt-5", "input": "x"}


@pytest.fixture
def two(another, gateway, target):
    """A function with two targets."""
    targets = {"measured-a": target(), "measured-b": target(2)}
    with another.running(gateway.aws_endpoint, targets) as asked:
        yield asked


def good(**more):
    return encode_response(json.dumps(make_response(new_id(), **more)).encode())


def test_a_failover_is_no_error(two, another, provider):
    provider.respond_with(encode_response(b"{}", 429))
    provider.respond_with(good())
    assert two(make_create_event(ASK)).status == 200
    told = another.only
    pop_request_times(told)
    assert told == {"Requests": 1, "Failovers": 1}


def test_circuits_that_open_and_a_request_that_has_no_other_left(two, another, provider):
    for _ in range(2):
        provider.respond_with(encode_response(b"{}", 429, retry_after="600"))
    assert two(make_create_event(ASK)).status == 429
    provider.respond_with(good())
    assert two(make_create_event(ASK)).status == 200
    first, beside, second = another.values  # a line has one value for a dimension
    assert first | beside == {
        "Requests": 1,
        "Failovers": 1,
        "Errors provider_429": 1,
        "CircuitsOpened measured-a": 1,
        "CircuitsOpened measured-b": 1,
    }
    pop_request_times(second)
    assert second == {"Requests": 1, "AllOpen": 1}


def test_the_only_target_there_is_has_no_other_either(another, gateway, target, provider):
    with another.running(gateway.aws_endpoint, {"measured-b": target()}) as asked:
        provider.respond_with(encode_response(b"{}", 503, retry_after="600"))
        assert asked(make_create_event(ASK)).status == 503
        provider.respond_with(good())
        assert asked(make_create_event(ASK)).status == 200
    first, second = another.values
    assert first == {"Requests": 1, "Errors provider_5xx": 1, "CircuitsOpened measured-b": 1}
    pop_request_times(second)
    assert second == {"Requests": 1, "AllOpen": 1}


@pytest.mark.parametrize(
    ("cut", "status", "figures"),
    [
        ({"PutItem"}, 200, {"DeferredRows": 1}),
        ({"PutItem", "SendMessage"}, 503, {"LinkNotWritten": 1, "Errors link_not_written": 1}),
    ],
)
def test_a_link_that_the_table_does_not_take(
    another, gateway, target, provider, cut, status, figures
):
    targets = {"measured-one": target()}
    with (
        breakable_connection(gateway.aws_endpoint) as shim,
        another.running(shim.address, targets) as asked,
    ):
        shim.cut |= cut
        provider.respond_with(good())
        assert asked(make_create_event(ASK)).status == status
        shim.cut.clear()
    told = another.only
    if status == 200:
        pop_request_times(told)
    assert told == {"Requests": 1, **figures}


def test_a_budget_that_comes_near_its_end(another, gateway, target, provider):
    """A dollar a token, of which the gateway reserves those that the request may have."""
    dollar = {"input": 1_000_000.0, "output": 1_000_000.0}
    sections = {"tenants": {"umbra": {"budget_usd": 100.0}}, "prices": {"gpt-5": dollar}}
    targets = {"measured-b": target()}
    with another.running(gateway.aws_endpoint, targets, sections) as asked:
        for most, status in ((5, 200), (70, 200), (100, 429)):
            provider.respond_with(good())  # with seven tokens
            event = make_create_event({**ASK, "max_output_tokens": most}, KEYS["umbra"])
            assert asked(event).status == status
    first, near, refused = another.values
    assert 0 < first["BudgetUsed"] < 80 <= near["BudgetUsed"] <= 100
    assert refused == {"Requests": 1, "Errors insufficient_quota": 1}  # it alone is above
    assert another.log.count('"budget near its end"') == 1
    assert '"tenant":"umbra"' in another.log
