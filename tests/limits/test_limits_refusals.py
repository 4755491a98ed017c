"""What no waiting would help is refused for good: a budget that is spent, and what is too large."""

import pytest

from antiphon.errors import BodyTooLarge, BudgetSpent, InvalidRequest, PriceUnknown
from antiphon.limits.reservation import Reservation
from antiphon.schema.other_bodies import Compact
from antiphon.settings.config import Limits
from tests.support.limits import admission, ask, caller, request

MINUTE = "29922480"  # of noon
QUOTA = "You exceeded your current quota: "


def full(admit, error, who=None, wanted=None, **more):
    """The refusal of one more request."""
    with pytest.raises(error) as refused:
        admit.admit(wanted or ask(), who, request("more"), **more)
    return refused.value


def test_a_budget_is_not_exceeded_by_what_is_reserved(dynamo):
    admit, who = admission(dynamo.table), caller(budget_usd=250.5)
    for n in range(2):
        admit.admit(ask(max_output_tokens=90), who, request(str(n)))
    fault = full(admit, BudgetSpent, who, ask(max_output_tokens=90))
    assert fault.error() == {
        "message": QUOTA + "the budget of this key is $250.5 a month, of which $200 is used or "
        "reserved, and this request may cost $100. It renews at 2026-12-01 00:00 UTC.",
        "type": "insufficient_quota",
        "param": None,
        "code": "insufficient_quota",
    }
    assert (fault.status, fault.retry, fault.headers) == (429, False, {})
    admit.admit(ask(max_output_tokens=40), who, request("3"))


def test_what_costs_more_than_the_whole_budget_is_refused_at_once(dynamo):
    admit, who = admission(dynamo.table), caller(budget_usd=50.0, budget_period="day")
    with dynamo.counted() as calls:
        fault = full(admit, BudgetSpent, who, ask(max_output_tokens=90))
    assert str(fault) == (
        QUOTA + "the budget of this key is $50 a day, and this request alone may cost $100. "
        "Set a smaller 'max_output_tokens'."
    )
    assert calls == []


@pytest.mark.parametrize(
    ("asked", "param", "code"),
    [
        ({}, "max_output_tokens", "max_output_tokens_unset"),
        ({"max_output_tokens": 101}, "max_output_tokens", "max_output_tokens_exceeded"),
        ({"max_tokens": 101}, "max_tokens", "max_output_tokens_exceeded"),
    ],
)
def test_where_output_is_limited_a_request_says_how_much_it_wants(dynamo, asked, param, code):
    who = caller(max_output_tokens=100)
    fault = full(admission(dynamo.table), InvalidRequest, who, ask(**asked))
    assert (fault.status, fault.param, fault.code) == (400, param, code)
    assert "The limit of this key is 100 output tokens for each request" in str(fault)


def test_the_lower_limit_of_output_counts(dynamo):
    admit = admission(dynamo.table, tenants={"acme": Limits(max_output_tokens=50)})
    wanted = ask(max_output_tokens=60)
    fault = full(admit, InvalidRequest, caller(max_output_tokens=100), wanted)
    assert "the tenant 'acme' is 50 output tokens" in str(fault)


def test_a_compaction_counts_but_has_no_output_to_limit(dynamo, row):
    who = caller(rpm=9, max_output_tokens=100)
    admission(dynamo.table).admit(Compact.of({"model": "dear", "input": "x"}), who, request())
    assert row("key_1") == {f"key_1_r{MINUTE}": 1}


def test_the_size_of_a_request_is_limited(dynamo):
    admit, who = admission(dynamo.table), caller(max_body_bytes=10)
    with pytest.raises(BodyTooLarge) as refused:
        admit.admit(ask(), who, request(body=b"x" * 11))
    assert refused.value.status == 413
    assert "It has 11 bytes; the limit of this key is 10." in str(refused.value)
    admit.admit(ask(), who, request(body=b"x" * 10))


def test_under_a_budget_nothing_is_sent_whose_price_is_not_known(dynamo):
    admit, who = admission(dynamo.table), caller(budget_usd=9.0)
    fault = full(admit, PriceUnknown, who, ask("sim-text"))
    assert (fault.status, fault.param, fault.code) == (400, "model", "model_without_price")
    assert '[prices."sim-text"] in gateway.toml' in str(fault)
    assert "'scale'" in str(full(admit, PriceUnknown, who, ask("gpt-5", service_tier="scale")))
    prompted = ask(None, prompt={"id": "pmpt_1"})
    assert "has to name its model" in str(full(admit, PriceUnknown, who, prompted))
    admit.admit(ask("sim-text"), caller(rpm=9), request())


def test_a_price_is_not_asked_for_without_a_budget(dynamo):
    lease = admission(dynamo.table).admit(ask("sim-text"), caller(tpm=9_999), request())
    assert isinstance(lease, Reservation)
