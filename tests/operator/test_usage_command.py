"""`antiphon usage`: its options, JSON and CSV."""

import csv
import io
import json

import pytest

from infra.operator.usage_report import days_between
from tests.support.operating import antiphon, made
from tests.support.used import ago, used

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
def test_first_and_last_day_can_be_chosen(options, days):
    for day in (0, 7, 29, 30, 100):
        used(days=day)
    found = made("usage", "--by", "day", *options)
    assert [each["day"] for each in found["data"]] == [ago(day) for day in reversed(days)]


def test_days_can_be_dates():
    used(days=2)
    used(days=3)
    found = made("usage", "--by", "day", "--since", ago(2), "--until", ago(0))
    assert (found["start"], found["end"]) == (ago(2), ago(0))
    assert [each["day"] for each in found["data"]] == [ago(2)]


def test_tenants_can_be_summed_grouped_or_selected():
    used(tenant="acme", micro=1)
    used(tenant="umbra", micro=2)
    assert made("usage")["total"]["requests"] == 2
    grouped = made("usage", "--by", "tenant")["data"]
    assert [(each["tenant"], each["cost_usd"]) for each in grouped] == [
        ("acme", "0.000001"),
        ("umbra", "0.000002"),
    ]
    single = made("usage", "--tenant", "umbra")
    assert (single["tenant"], single["total"]["cost_usd"]) == ("umbra", "0.000002")
    assert made("usage", "--tenant", "nobody")["data"] == []


def test_sums_can_be_grouped_by_several_dimensions():
    for model in ("a", "b"):
        for target in ("east", "west"):
            used(model=model, target=target)
    used(model="a", target="west")
    found = made("usage", "--by", "target", "--by", "model", "--by", "target")
    assert found["by"] == ["target", "model"]
    assert [(each["model"], each["target"], each["requests"]) for each in found["data"]] == [
        ("a", "east", 1),
        ("a", "west", 2),
        ("b", "east", 1),
        ("b", "west", 1),
    ]
    stdout = antiphon("usage", "--by", "target", "--by", "model").out
    assert stdout.split()[:2] == ["target", "model"]


def test_csv_has_all_figures_exactly():
    used(micro=3, model='with "quotes", and commas', cached_tokens=7)
    used(micro=0, model="b")
    done = antiphon("usage", "--csv", "--by", "model", "--by", "day")
    assert done.err == ""
    first, second = csv.DictReader(io.StringIO(done.out))
    assert (first["model"], second["model"]) == ("b", 'with "quotes", and commas')
    assert (second["cost_usd"], second["cached_tokens"]) == ("0.000003", "7")
    assert list(first)[:3] == ["model", "day", "requests"]
    assert "tenant" not in first


def test_json_is_one_document_with_a_correct_total():
    for day in range(4):
        used(days=day, micro=day, model=f"gpt-{day % 2}")
    done = antiphon("usage", "--by", "model", "--by", "day", "--json")
    document = json.loads(done.out)
    assert done.err == ""
    assert document["deployment"] == "Antiphon-prod"
    for name, number in document["total"].items():
        parts = [each[name] for each in document["data"]]
        assert number == ("0.000006" if name == "cost_usd" else sum(parts))


def test_each_stage_has_its_own_usage():
    used(table="table-of-dev")
    assert made("usage")["total"]["requests"] == 0
    assert made("usage", "--stage", "dev")["total"]["requests"] == 1


def test_no_usage_is_not_an_error():
    done = antiphon("usage")
    assert (done.code, done.out) == (0, "")
    assert f"Antiphon-prod has no usage from {ago(29)} to {ago(0)}." in done.err
    assert antiphon("usage", "--csv").out.startswith("model,requests,")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("--since", "soon"), "'soon' is not a duration such as 30m, 24h or 7d"),
        (("--since", "2026-02-30"), "'2026-02-30' is not a valid date"),
        (("--since", "1d", "--until", "2d"), "is later than --until"),
        (("--by", "colour"), "'colour' is not one of"),
        (("--csv", "--json"), "choose one"),
        (("--tenant", "a b"), "is not 1 to 64 characters"),
    ],
)
def test_invalid_options_are_usage_errors(options, text):
    done = antiphon("usage", *options)
    assert done.code == 2
    assert text in done.err


def test_days_between_includes_both_ends():
    assert days_between("2024-02-28", "2024-03-01") == ["2024-02-28", "2024-02-29", "2024-03-01"]
    assert days_between("2024-02-28", "2024-02-28") == ["2024-02-28"]
