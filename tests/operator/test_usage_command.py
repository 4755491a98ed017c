"""`antiphon usage`: its options, JSON and CSV."""

import csv
import io
import json

import pytest

from infra.operator.usage_report import days_between
from tests.support.commands import run_antiphon, run_for_json
from tests.support.usage import add_usage, days_ago

pytestmark = pytest.mark.usefixtures("stacks")


DAYS = {  # those that are found, by the options
    (): [0, 7, 29],
    ("--since", "7d"): [0, 7],
    ("--since", "0"): [0],
    ("--since", "6d"): [0],
    ("--until", "1d"): [7, 29, 30],
    ("--since", "100d", "--until", "30d"): [30, 100],
    ("--since", "7d", "--until", "7d"): [7],
}


def test_first_and_last_day_can_be_chosen():
    for day in (0, 7, 29, 30, 100):
        add_usage(days=day)
    for options, days in DAYS.items():
        found = run_for_json("usage", "--by", "day", *options)
        assert [each["day"] for each in found["data"]] == [*map(days_ago, reversed(days))], options


def test_days_can_be_dates():
    add_usage(days=2)
    add_usage(days=3)
    found = run_for_json("usage", "--by", "day", "--since", days_ago(2), "--until", days_ago(0))
    assert (found["start"], found["end"]) == (days_ago(2), days_ago(0))
    assert [each["day"] for each in found["data"]] == [days_ago(2)]


def test_tenants_can_be_summed_grouped_or_selected():
    add_usage(tenant="acme", micro=1)
    add_usage(tenant="umbra", micro=2)
    assert run_for_json("usage")["total"]["requests"] == 2
    grouped = run_for_json("usage", "--by", "tenant")["data"]
    assert [(each["tenant"], each["cost_usd"]) for each in grouped] == [
        ("acme", "0.000001"),
        ("umbra", "0.000002"),
    ]
    single = run_for_json("usage", "--tenant", "umbra")
    assert (single["tenant"], single["total"]["cost_usd"]) == ("umbra", "0.000002")
    assert run_for_json("usage", "--tenant", "nobody")["data"] == []


def test_sums_can_be_grouped_by_several_dimensions():
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
    stdout = run_antiphon("usage", "--by", "target", "--by", "model").out
    assert stdout.split()[:2] == ["target", "model"]


def test_csv_has_all_figures_exactly():
    add_usage(micro=3, model='with "quotes", and commas', cached_tokens=7)
    add_usage(micro=0, model="b")
    done = run_antiphon("usage", "--csv", "--by", "model", "--by", "day")
    assert done.err == ""
    first, second = csv.DictReader(io.StringIO(done.out))
    assert (first["model"], second["model"]) == ("b", 'with "quotes", and commas')
    assert (second["cost_usd"], second["cached_tokens"]) == ("0.000003", "7")
    assert list(first)[:3] == ["model", "day", "requests"]
    assert "tenant" not in first


def test_json_is_one_document_with_a_correct_total():
    for day in range(4):
        add_usage(days=day, micro=day, model=f"gpt-{day % 2}")
    done = run_antiphon("usage", "--by", "model", "--by", "day", "--json")
    document = json.loads(done.out)
    assert done.err == ""
    assert document["deployment"] == "Antiphon-prod"
    for name, number in document["total"].items():
        parts = [each[name] for each in document["data"]]
        assert number == ("0.000006" if name == "cost_usd" else sum(parts))


def test_each_stage_has_its_own_usage():
    add_usage(table="table-of-dev")
    assert run_for_json("usage")["total"]["requests"] == 0
    assert run_for_json("usage", "--stage", "dev")["total"]["requests"] == 1


def test_no_usage_is_not_an_error():
    done = run_antiphon("usage")
    assert (done.code, done.out) == (0, "")
    assert f"Antiphon-prod has no usage from {days_ago(29)} to {days_ago(0)}." in done.err
    assert run_antiphon("usage", "--csv").out.startswith("model,requests,")


USAGE_ERRORS = [
    (("--since", "soon"), "'soon' is not a duration such as 30m, 24h or 7d"),
    (("--since", "2026-02-30"), "'2026-02-30' is not a valid date"),
    (("--since", "1d", "--until", "2d"), "is later than --until"),
    (("--by", "colour"), "'colour' is not one of"),
    (("--csv", "--json"), "choose one"),
    (("--tenant", "a b"), "is not 1 to 64 characters"),
]


def test_invalid_options_are_usage_errors():
    for options, text in USAGE_ERRORS:
        done = run_antiphon("usage", *options)
        assert (done.code, text in done.err) == (2, True), options


def test_days_between_includes_both_ends():
    assert days_between("2024-02-28", "2024-03-01") == ["2024-02-28", "2024-02-29", "2024-03-01"]
    assert days_between("2024-02-28", "2024-02-28") == ["2024-02-28"]
