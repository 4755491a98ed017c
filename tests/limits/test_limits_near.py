"""Budgets near their end are told of before they are there."""

import pytest

from antiphon.limits.meters import NANO, account, meters
from antiphon.limits.near import tell_budgets
from antiphon.observe import figures
from antiphon.settings.limits import Limits
from antiphon.settings.metrics import BUDGET_USED
from tests.support.limits import NOON, make_caller
from tests.support.metrics import format_log


@pytest.fixture(autouse=True)
def _fresh():
    figures.tell()
    yield
    figures.tell()


def budgets(key=10, tenant=100):
    """A caller whose key and tenant have budgets in dollars, and their meters."""
    someone = make_caller(budget_usd=key, rpm=5)
    scopes = account(someone, Limits(budget_usd=tenant)).scopes
    return someone, {meter.scope.name: meter for meter in meters(scopes, NOON) if meter.kind == "u"}


def tell(used, amount=1, **of):
    """`used` dollars of each budget, by the scope's name, with what this request may cost."""
    someone, found = budgets(**of)
    counted = dict.fromkeys(found.values(), amount * NANO)
    row = {found[name].counter: dollars * NANO for name, dollars in used.items()}
    tell_budgets(counted, row, someone)


def test_the_budget_that_is_used_most_is_measured():
    tell({"tenant": 50, "key_1": 7})
    assert figures.of(BUDGET_USED) == 70
    tell({"tenant": 90, "key_1": 1})
    assert figures.of(BUDGET_USED) == 90


def test_whoever_takes_a_budget_that_far_is_named_once(caplog):
    for dollars in (7, 8, 9):
        tell({"key_1": dollars})
    text = format_log(caplog)
    assert text.count("budget near its end") == 1
    assert '"budget":"key_1"' in text
    assert '"tenant":"acme"' in text


def test_other_limits_are_no_budgets():
    someone = make_caller(rpm=1, tpm=1)
    found = meters(account(someone, Limits()).scopes, NOON)
    tell_budgets(dict.fromkeys(found, 1), {}, someone)
    assert figures.of(BUDGET_USED) == 0
