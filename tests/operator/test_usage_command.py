"""`antiphon usage`: what it tells of the sums, to sheets and machines."""

import csv
import io
import json

import pytest

from infra.operator.usage.days import between
from tests.support.commands import run_antiphon, run_for_json
from tests.support.usage import add_usage, days_ago

pytestmark = pytest.mark.usefixtures("stacks")


@pytest.mark.parametrize(
    ("options", "days"),
    [
        ((), [0, 7, 29]),
        (("--since", "7d"), [0, 7]),
        (("--since", "0"), [0]),
        (("--since", "6d"), [0]),
        (("--until", "1d"), [7, 29, 30]),
        (("--since", "100d", "--until", "30d"), [30, 100]),
        (("--since", "7d", "--until", "7d"), [7]),
    ],
)
def test_the_days_may_be_chosen(options, days):
    for day in (0, 7, 29, 30, 100):
        add_usage(days=day)
    found = run_for_json("usage", "--by", "day", *options)
    assert [each["day"] for each in found["data"]] == [days_ago(day) for day in reversed(days)]


def test_days_may_be_dates():
    add_usage(days=2)
    add_usage(days=3)
    found = run_for_json("usage", "--by", "day", "--since", days_ago(2), "--until", days_ago(0))
    assert (found["start"], found["end"]) == (days_ago(2), days_ago(0))
    assert [each["day"] for each in found["data"]] == [days_ago(2)]


def test_tenants_are_shown_together_apart_or_one_alone():
    add_usage(tenant="acme", micro=1)
    add_usage(tenant="umbra", micro=2)
    assert run_for_json("usage")["total"]["requests"] == 2
    apart = run_for_json("usage", "--by", "tenant")["data"]
    assert [(each["tenant"], each["cost_usd"]) for each in apart] == [
        ("acme", "0.000001"),
        ("umbra", "0.000002"),
    ]
    alone = run_for_json("usage", "--tenant", "umbra")
    assert (alone["tenant"], alone["total"]["cost_usd"]) == ("umbra", "0.000002")
    assert run_for_json("usage", "--tenant", "nobody")["data"] == []


def test_several_parts_may_be_told_apart():
    for model in ("a", "b"):
        for target in ("east", "west"):
            add_usage(model=model, target=target)
    add_usage(model="a", target="west")
    found = run_for_json("usage", "--by", "target", "--by", "model", "--by", "target")
    assert found["by"] == ["target", "model"]
    assert [(each["model"], each["target"], each["requests"]) for each in found["data"]] == [
        ("a", "east", 1),
        ("a", "west", 2),
        ("b", "east", 1),
        ("b", "west", 1),
    ]
    shown = run_antiphon("usage", "--by", "target", "--by", "model").out
    assert shown.split()[:2] == ["target", "model"]


def test_csv_has_every_figure_to_the_last_digit():
    add_usage(micro=3, model='with "quotes", and commas', cached_tokens=7)
    add_usage(micro=0, model="b")
    done = run_antiphon("usage", "--csv", "--by", "model", "--by", "day")
    assert done.err == ""
    first, second = csv.DictReader(io.StringIO(done.out))
    assert (first["model"], second["model"]) == ("b", 'with "quotes", and commas')
    assert (second["cost_usd"], second["cached_tokens"]) == ("0.000003", "7")
    assert list(first)[:3] == ["model", "day", "requests"]
    assert "tenant" not in first


def test_json_is_one_document_whose_total_is_the_sum_of_its_parts():
    for day in range(4):
        add_usage(days=day, micro=day, model=f"gpt-{day % 2}")
    done = run_antiphon("usage", "--by", "model", "--by", "day", "--json")
    told = json.loads(done.out)
    assert done.err == ""
    assert told["deployment"] == "Antiphon-prod"
    for name, number in told["total"].items():
        parts = [each[name] for each in told["data"]]
        assert number == ("0.000006" if name == "cost_usd" else sum(parts))


def test_another_stage_has_usage_of_its_own():
    add_usage(table="table-of-dev")
    assert run_for_json("usage")["total"]["requests"] == 0
    assert run_for_json("usage", "--stage", "dev")["total"]["requests"] == 1


def test_nothing_is_no_fault():
    done = run_antiphon("usage")
    assert (done.code, done.out) == (0, "")
    assert f"Antiphon-prod has counted nothing from {days_ago(29)} to {days_ago(0)}." in done.err
    assert run_antiphon("usage", "--csv").out.startswith("model,requests,")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--since", "soon"), "'soon' is no duration such as 30m, 24h or 7d"),
        (("--since", "2026-02-30"), "'2026-02-30' is no day there is"),
        (("--since", "1d", "--until", "2d"), "is later than --until"),
        (("--by", "colour"), "'colour' is not one of"),
        (("--csv", "--json"), "choose one"),
        (("--tenant", "a b"), "is not 1 to 64 characters"),
    ],
)
def test_wrong_options_are_refused_in_words(options, words):
    done = run_antiphon("usage", *options)
    assert done.code == 2
    assert words in done.err


def test_days_between_two_are_all_of_them():
    assert between("2024-02-28", "2024-03-01") == ["2024-02-28", "2024-02-29", "2024-03-01"]
    assert between("2024-02-28", "2024-02-28") == ["2024-02-28"]
