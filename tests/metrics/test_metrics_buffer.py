"""Collecting metrics, and writing them in the embedded metric format."""

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
def buffer():
    return MetricsBuffer(ENV)


@pytest.fixture
def flush(buffer, capsys):
    """Flushes the buffer and returns the values of each line."""

    def flush():
        buffer.flush()
        return [read_metric_values(line) for line in read_emf_lines(capsys.readouterr().out)]

    return flush


def test_counts_are_summed_and_written_once(buffer, flush):
    buffer.count(REQUESTS)
    buffer.count(REQUESTS, 2)
    assert flush() == [{"Requests": 3}]
    assert flush() == []


def test_the_greatest_measured_value_is_written(buffer, flush):
    for percent in (81.5, 12, 80):
        buffer.measure({BUDGET_USED: percent})
    assert flush() == [{"BudgetUsed": 81.5}]


def test_of_sums_over_all_dimensions(buffer):
    buffer.count(ERRORS, kind="a")
    buffer.count(ERRORS, kind="b")
    assert (buffer.of(ERRORS), buffer.of(REQUESTS)) == (2, 0)


def test_metrics_of_different_dimensions_share_a_line_if_possible(buffer, flush):
    buffer.count(ERRORS, kind="provider_5xx")
    buffer.count(CIRCUITS_OPENED, target="east")
    buffer.count(CIRCUITS_OPENED, target="west")
    buffer.count(REQUESTS)
    assert flush() == [
        {"Errors provider_5xx": 1, "CircuitsOpened east": 1, "Requests": 1},
        {"CircuitsOpened west": 1},
    ]


def test_sums_are_separate_for_each_model_and_target(buffer, flush):
    for model, target in (("gpt-5", "east"), ("gpt-5", "west"), ("gpt-5", "east")):
        buffer.count(INPUT_TOKENS, 10, model=model, target=target)
        buffer.count(COST, 0.25, model=model, target=target)
    assert flush() == [
        {"InputTokens gpt-5 east": 20, "CostUSD gpt-5 east": 0.5},
        {"InputTokens gpt-5 west": 10, "CostUSD gpt-5 west": 0.25},
    ]


def test_the_number_of_dimension_values_is_limited(buffer, flush):
    for number in range(2 * MAX_DIMENSION_VALUES):
        buffer.count(INPUT_TOKENS, model=f"model-{number}", target="east")
    names = {name for line in flush() for name in line}
    assert len(names) == MAX_DIMENSION_VALUES + 1
    assert "InputTokens other east" in names


@pytest.mark.parametrize("value", ["", " ", "x" * 201, "mödel", "a\nb", "\ud800"])
def test_invalid_dimension_values_become_other(buffer, flush, value):
    buffer.count(INPUT_TOKENS, model=value, target="east")
    assert flush() == [{"InputTokens other east": 1}]


def test_without_a_namespace_nothing_is_written(capsys):
    disabled = MetricsBuffer({})
    disabled.count(REQUESTS)
    disabled.flush()
    assert capsys.readouterr().out == ""
    assert disabled.of(REQUESTS) == 0


def test_a_value_that_cannot_be_written_raises_nothing(buffer, flush):
    buffer.measure({ADDED: "no number"})
    assert flush() == []
    buffer.count(REQUESTS)
    assert flush() == [{"Requests": 1}]


def test_a_log_that_cannot_be_written_raises_nothing(buffer, monkeypatch):
    class FullDisk:
        def write(self, _):
            raise OSError(28, "No space left on device")

    buffer.count(REQUESTS)
    monkeypatch.setattr(sys, "stdout", FullDisk())
    buffer.flush()


def test_a_line_has_the_fields_given_to_flush(buffer, capsys):
    buffer.count(REQUESTS)
    buffer.flush(request_id="id-1")
    line = json.loads(capsys.readouterr().out)
    assert (line["stage"], line["request_id"], line["level"]) == ("test", "id-1", "INFO")
