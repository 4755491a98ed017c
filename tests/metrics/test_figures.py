"""What is gathered, and how it is told."""

import json
import sys

import pytest

from antiphon.observability import MAX_DIMENSION_VALUES, MetricsBuffer
from antiphon.settings.metrics import (
    ADDED,
    BUDGET_USED,
    CIRCUITS_OPENED,
    COST,
    ERRORS,
    INPUT_TOKENS,
    NAMESPACE,
    REQUESTS,
)
from tests.support.metrics import read_emf_lines, read_metric_values

ENV = {"POWERTOOLS_METRICS_NAMESPACE": NAMESPACE, "STAGE": "test"}


@pytest.fixture
def figures():
    return MetricsBuffer(ENV)


@pytest.fixture
def told(figures, capsys):
    """Tell, and give what each line says."""

    def tell():
        figures.tell()
        return [read_metric_values(line) for line in read_emf_lines(capsys.readouterr().out)]

    return tell


def test_what_is_counted_is_added_up_and_told_once(figures, told):
    figures.count(REQUESTS)
    figures.count(REQUESTS, 2)
    assert told() == [{"Requests": 3}]
    assert told() == []


def test_of_what_is_measured_the_greatest_stands(figures, told):
    for percent in (81.5, 12, 80):
        figures.measure(BUDGET_USED, percent)
    assert told() == [{"BudgetUsed": 81.5}]


def test_what_is_known_by_now_can_be_asked_for(figures):
    figures.count(ERRORS, kind="a")
    figures.count(ERRORS, kind="b")
    assert (figures.of(ERRORS), figures.of(REQUESTS)) == (2, 0)


def test_figures_of_different_dimensions_share_a_line_where_it_can_be(figures, told):
    figures.count(ERRORS, kind="provider_5xx")
    figures.count(CIRCUITS_OPENED, target="east")
    figures.count(CIRCUITS_OPENED, target="west")
    figures.count(REQUESTS)
    assert told() == [
        {"Errors provider_5xx": 1, "CircuitsOpened east": 1, "Requests": 1},
        {"CircuitsOpened west": 1},
    ]


def test_a_model_at_a_target_is_one_place(figures, told):
    for model, target in (("gpt-5", "east"), ("gpt-5", "west"), ("gpt-5", "east")):
        figures.count(INPUT_TOKENS, 10, model=model, target=target)
        figures.count(COST, 0.25, model=model, target=target)
    assert told() == [
        {"InputTokens gpt-5 east": 20, "CostUSD gpt-5 east": 0.5},
        {"InputTokens gpt-5 west": 10, "CostUSD gpt-5 west": 0.25},
    ]


def test_nobody_can_make_the_bill_grow_by_inventing_models(figures, told):
    for number in range(2 * MAX_DIMENSION_VALUES):
        figures.count(INPUT_TOKENS, model=f"model-{number}", target="east")
    seen = {name for line in told() for name in line}
    assert len(seen) == MAX_DIMENSION_VALUES + 1
    assert "InputTokens other east" in seen


@pytest.mark.parametrize("odd", ["", " ", "x" * 201, "mödel", "a\nb", "\ud800"])
def test_what_cloudwatch_takes_for_no_value_is_another(figures, told, odd):
    figures.count(INPUT_TOKENS, model=odd, target="east")
    assert told() == [{"InputTokens other east": 1}]


def test_without_a_namespace_nothing_is_told(capsys):
    quiet = MetricsBuffer({})
    quiet.count(REQUESTS)
    quiet.tell()
    assert capsys.readouterr().out == ""
    assert quiet.of(REQUESTS) == 0


def test_what_cannot_be_told_harms_nobody(figures, told):
    figures.waited_ms = 5
    figures.measure(ADDED, "no number")
    assert told() == []
    assert figures.waited_ms == 0
    figures.count(REQUESTS)
    assert told() == [{"Requests": 1}]


def test_a_log_that_takes_nothing_harms_nobody(figures, monkeypatch):
    class Full:
        def write(self, _):
            raise OSError(28, "No space left on device")

    figures.count(REQUESTS)
    monkeypatch.setattr(sys, "stdout", Full())
    figures.tell()


def test_a_line_carries_what_is_said_about_it(figures, capsys):
    figures.count(REQUESTS)
    figures.tell(request_id="id-1")
    told = json.loads(capsys.readouterr().out)
    assert (told["stage"], told["request_id"], told["level"]) == ("test", "id-1", "INFO")
