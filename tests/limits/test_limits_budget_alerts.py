"""Budgets are reported before they are spent."""

import pytest

from antiphon.limits.admission import report_budgets
from antiphon.limits.counters import NANO, account_of, limit_counters
from antiphon.observability import metrics
from antiphon.settings.config import Limits
from antiphon.settings.metrics import BUDGET_USED
from tests.support.limits import NOON, make_caller
from tests.support.metrics import format_log


@pytest.fixture(autouse=True)
def _flushed_metrics():
    metrics.flush()
    yield
    metrics.flush()


def budgets(key=10, tenant=100):
    """A caller whose key and tenant have budgets in dollars, and their limits, by scope."""
    caller = make_caller(budget_usd=key, rpm=5)
    scopes = account_of(caller, Limits(budget_usd=tenant)).scopes
    return caller, {
        limit.scope.name: limit for limit in limit_counters(scopes, NOON) if limit.kind == "u"
    }


def report(used, amount=1, **budget):
    """Report `used` dollars of each budget, by the scope's name, after a request of `amount`."""
    caller, limits = budgets(**budget)
    amounts = dict.fromkeys(limits.values(), amount * NANO)
    row = {limits[name].name: dollars * NANO for name, dollars in used.items()}
    report_budgets(amounts, row, caller)


def test_the_highest_used_part_is_measured():
    report({"tenant": 50, "key_1": 7})
    assert metrics.of(BUDGET_USED) == 70
    report({"tenant": 90, "key_1": 1})
    assert metrics.of(BUDGET_USED) == 90


def test_the_caller_that_reaches_the_threshold_is_logged_once(caplog):
    for dollars in (7, 8, 9):
        report({"key_1": dollars})
    text = format_log(caplog)
    assert text.count("budget near its end") == 1
    assert '"budget":"key_1"' in text
    assert '"tenant":"acme"' in text


def test_other_limits_are_not_budgets():
    caller = make_caller(rpm=1, tpm=1)
    limits = limit_counters(account_of(caller, Limits()).scopes, NOON)
    report_budgets(dict.fromkeys(limits, 1), {}, caller)
    assert metrics.of(BUDGET_USED) == 0
