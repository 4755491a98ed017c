"""What no waiting would help is refused for good: a budget that is spent, and what is too large."""

import pytest

from antiphon.errors import BodyTooLarge, BudgetSpent, InvalidRequest, PriceUnknown
from antiphon.limits.reservation import Reservation
from antiphon.schema.other_bodies import Compact
from antiphon.settings.config import Limits
from tests.support.limits import make_admission, make_caller, make_create, make_request

MINUTE = "29922480"  # of noon
QUOTA = "You exceeded your current quota: "


def full(admit, error, who=None, wanted=None, **more):
    """The refusal of one more request."""
    with pytest.raises(error) as refused:
        admit.admit(wanted or make_create(), who, make_request("more"), **more)
    return refused.value


def test_a_budget_is_not_exceeded_by_what_is_reserved(dynamo):
    admit, who = make_admission(dynamo.table), make_caller(budget_usd=250.5)
    for n in range(2):
        admit.admit(make_create(max_output_tokens=90), who, make_request(str(n)))
    fault = full(admit, BudgetSpent, who, make_create(max_output_tokens=90))
    assert fault.error() == {
        "message": QUOTA + "the budget of this key is $250.5 a month, of which $200 is used or "
        "reserved, and this request may cost $100. It renews at 2026-12-01 00:00 UTC.",
        "type": "insufficient_quota",
        "param": None,
        "code": "insufficient_quota",
    }
    assert (fault.status, fault.retry, fault.headers) == (429, False, {})
    admit.admit(make_create(max_output_tokens=40), who, make_request("3"))


def test_what_costs_more_than_the_whole_budget_is_refused_at_once(dynamo):
    admit, who = make_admission(dynamo.table), make_caller(budget_usd=50.0, budget_period="day")
    with dynamo.count_calls() as calls:
        fault = full(admit, BudgetSpent, who, make_create(max_output_tokens=90))
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
    who = make_caller(max_output_tokens=100)
    fault = full(make_admission(dynamo.table), InvalidRequest, who, make_create(**asked))
    assert (fault.status, fault.param, fault.code) == (400, param, code)
    assert "The limit of this key is 100 output tokens for each request" in str(fault)


def test_the_lower_limit_of_output_counts(dynamo):
    admit = make_admission(dynamo.table, tenants={"acme": Limits(max_output_tokens=50)})
    wanted = make_create(max_output_tokens=60)
    fault = full(admit, InvalidRequest, make_caller(max_output_tokens=100), wanted)
    assert "the tenant 'acme' is 50 output tokens" in str(fault)


def test_a_compaction_counts_but_has_no_output_to_limit(dynamo, row):
    who = make_caller(rpm=9, max_output_tokens=100)
    make_admission(dynamo.table).admit(
        Compact.of({"model": "dear", "input": "x"}), who, make_request()
    )
    assert row("key_1") == {f"key_1_r{MINUTE}": 1}


def test_the_size_of_a_request_is_limited(dynamo):
    admit, who = make_admission(dynamo.table), make_caller(max_body_bytes=10)
    with pytest.raises(BodyTooLarge) as refused:
        admit.admit(make_create(), who, make_request(body=b"x" * 11))
    assert refused.value.status == 413
    assert "It has 11 bytes; the limit of this key is 10." in str(refused.value)
    admit.admit(make_create(), who, make_request(body=b"x" * 10))


def test_under_a_budget_nothing_is_sent_whose_price_is_not_known(dynamo):
    admit, who = make_admission(dynamo.table), make_caller(budget_usd=9.0)
    fault = full(admit, PriceUnknown, who, make_create("sim-text"))
    assert (fault.status, fault.param, fault.code) == (400, "model", "model_without_price")
    assert '[prices."sim-text"] in gateway.toml' in str(fault)
    assert "'scale'" in str(
        full(admit, PriceUnknown, who, make_create("gpt-5", service_tier="scale"))
    )
    prompted = make_create(None, prompt={"id": "pmpt_1"})
    assert "has to name its model" in str(full(admit, PriceUnknown, who, prompted))
    admit.admit(make_create("sim-text"), make_caller(rpm=9), make_request())


def test_a_price_is_not_asked_for_without_a_budget(dynamo):
    lease = make_admission(dynamo.table).admit(
        make_create("sim-text"), make_caller(tpm=9_999), make_request()
    )
    assert isinstance(lease, Reservation)
