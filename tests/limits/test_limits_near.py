"""Budgets near their end are told of before they are there."""

import pytest

from antiphon.limits.admission import warn_near_budget
from antiphon.limits.counters import NANO, account_of, limit_counters
from antiphon.observability import metrics
from antiphon.settings.config import Limits
from antiphon.settings.metrics import BUDGET_USED
from tests.support.limits import NOON, make_caller
from tests.support.metrics import format_log


@pytest.fixture(autouse=True)
def _fresh():
    metrics.tell()
    yield
    metrics.tell()


def budgets(key=10, tenant=100):
    """A caller whose key and tenant have budgets in dollars, and their meters."""
    someone = make_caller(budget_usd=key, rpm=5)
    scopes = account_of(someone, Limits(budget_usd=tenant)).scopes
    return someone, {
        meter.scope.name: meter for meter in limit_counters(scopes, NOON) if meter.kind == "u"
    }


def tell(used, amount=1, **of):
    """`used` dollars of each budget, by the scope's name, with what this request may cost."""
    someone, found = budgets(**of)
    counted = dict.fromkeys(found.values(), amount * NANO)
    row = {found[name].counter: dollars * NANO for name, dollars in used.items()}
    warn_near_budget(counted, row, someone)


def test_the_budget_that_is_used_most_is_measured():
    tell({"tenant": 50, "key_1": 7})
    assert metrics.of(BUDGET_USED) == 70
    tell({"tenant": 90, "key_1": 1})
    assert metrics.of(BUDGET_USED) == 90


def test_whoever_takes_a_budget_that_far_is_named_once(caplog):
    for dollars in (7, 8, 9):
        tell({"key_1": dollars})
    text = format_log(caplog)
    assert text.count("budget near its end") == 1
    assert '"budget":"key_1"' in text
    assert '"tenant":"acme"' in text


def test_other_limits_are_no_budgets():
    someone = make_caller(rpm=1, tpm=1)
    found = limit_counters(account_of(someone, Limits()).scopes, NOON)
    warn_near_budget(dict.fromkeys(found, 1), {}, someone)
    assert metrics.of(BUDGET_USED) == 0
