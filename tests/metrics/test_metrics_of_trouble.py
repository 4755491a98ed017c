"""The figures of requests that met with targets, a table or a queue in trouble."""

import json

import pytest

from tests.support.events import create
from tests.support.figures import cuttable, times
from tests.support.gateway import KEYS
from tests.support.provider import whole
from tests.support.samples import new_id, response

ASK = {"model": "gpt-5", "input": "x"}


@pytest.fixture
def two(another, gateway, target):
    """A function with two targets."""
    targets = {"measured-a": target(), "measured-b": target(2)}
    with another.running(gateway.aws_endpoint, targets) as asked:
        yield asked


def good(**more):
    return whole(json.dumps(response(new_id(), **more)).encode())


def test_a_failover_is_no_error(two, another, provider):
    provider.answers(whole(b"{}", 429))
    provider.answers(good())
    assert two(create(ASK)).status == 200
    told = another.only
    times(told)
    assert told == {"Requests": 1, "Failovers": 1}


def test_circuits_that_open_and_a_request_that_has_no_other_left(two, another, provider):
    for _ in range(2):
        provider.answers(whole(b"{}", 429, retry_after="600"))
    assert two(create(ASK)).status == 429
    provider.answers(good())
    assert two(create(ASK)).status == 200
    first, beside, second = another.values  # a line has one value for a dimension
    assert first | beside == {
        "Requests": 1,
        "Failovers": 1,
        "Errors provider_429": 1,
        "CircuitsOpened measured-a": 1,
        "CircuitsOpened measured-b": 1,
    }
    times(second)
    assert second == {"Requests": 1, "AllOpen": 1}


def test_the_only_target_there_is_has_no_other_either(another, gateway, target, provider):
    with another.running(gateway.aws_endpoint, {"measured-b": target()}) as asked:
        provider.answers(whole(b"{}", 503, retry_after="600"))
        assert asked(create(ASK)).status == 503
        provider.answers(good())
        assert asked(create(ASK)).status == 200
    first, second = another.values
    assert first == {"Requests": 1, "Errors provider_5xx": 1, "CircuitsOpened measured-b": 1}
    times(second)
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
    with cuttable(gateway.aws_endpoint) as shim, another.running(shim.address, targets) as asked:
        shim.cut |= cut
        provider.answers(good())
        assert asked(create(ASK)).status == status
        shim.cut.clear()
    told = another.only
    if status == 200:
        times(told)
    assert told == {"Requests": 1, **figures}


def test_a_budget_that_comes_near_its_end(another, gateway, target, provider):
    """A dollar a token, of which the gateway reserves those that the request may have."""
    dollar = {"input": 1_000_000.0, "output": 1_000_000.0}
    sections = {"tenants": {"umbra": {"budget_usd": 100.0}}, "prices": {"gpt-5": dollar}}
    targets = {"measured-b": target()}
    with another.running(gateway.aws_endpoint, targets, sections) as asked:
        for most, status in ((5, 200), (70, 200), (100, 429)):
            provider.answers(good())  # with seven tokens
            event = create({**ASK, "max_output_tokens": most}, KEYS["umbra"])
            assert asked(event).status == status
    first, near, refused = another.values
    assert 0 < first["BudgetUsed"] < 80 <= near["BudgetUsed"] <= 100
    assert refused == {"Requests": 1, "Errors insufficient_quota": 1}  # it alone is above
    assert another.log.count('"budget near its end"') == 1
    assert '"tenant":"umbra"' in another.log
