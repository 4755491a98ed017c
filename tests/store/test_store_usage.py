"""The rows of sums: how they are found, told apart, and put together."""

import pytest

from antiphon.store.usage import COST_PICODOLLARS, COUNTS, UsageSum, group_sums, sum_total
from tests.support.dynamodb import make_link
from tests.support.events import new_id
from tests.support.usage import EVER, count_by_part, make_usage, nonzero_counts, usage_store

DAY_MS = 86_400_000
FIRST = 20_000  # days since 1970: 2024-10-04


@pytest.fixture
def counted():
    with usage_store() as table:
        yield table


def hold(counted, *links):
    counted.dynamo.put_links(*links)
    assert counted.run_rollup() == []


def on(day, **more):
    told = {"status": "completed", "model": "gpt-5", "usage": make_usage(), **more}
    return make_link(id=new_id(), created_ms=(FIRST + day) * DAY_MS, **told)


def days(sums):
    return [each.day for each in sums]


def test_both_ends_of_a_span_belong_to_it(counted):
    hold(counted, *(on(day) for day in range(5)))
    found = counted.usage.of("acme", "2024-10-05", "2024-10-07")
    assert days(found) == ["2024-10-05", "2024-10-06", "2024-10-07"]
    assert days(counted.usage.of("acme", "2024-10-09", "2024-12-31")) == []
    assert days(counted.usage.of("acme", "2024-10-05", "2024-10-05")) == ["2024-10-05"]


def test_operators_find_the_sums_of_all_tenants_by_day(counted):
    hold(counted, on(1), on(0, tenant="umbra"), on(0), on(2, tenant="a.b_c-d"))
    found = list(counted.usage.every(*EVER))
    assert [(each.day, each.tenant) for each in found] == [
        ("2024-10-04", "acme"),
        ("2024-10-04", "umbra"),
        ("2024-10-05", "acme"),
        ("2024-10-06", "a.b_c-d"),
    ]
    assert [each.tenant for each in counted.usage.every("2024-10-05", "2024-10-05")] == ["acme"]


def test_no_partition_that_an_app_may_read_holds_those_of_another(counted):
    hold(counted, on(0), on(0, tenant="umbra"))
    for row in counted.dynamo.client.scan(TableName=counted.table._name)["Items"]:
        if row["sk"]["S"].startswith("2024"):
            assert row["pk"]["S"] == f"T#{row['tenant']['S']}#U"
            assert row["by_time_pk"]["S"] == "USAGE"
    assert [each.tenant for each in counted.sums("umbra")] == ["umbra"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"model": "a#b", "target": "c"}, {"model": "a", "target": "b#c"}),
        ({"model": "a%23b"}, {"model": "a#b"}),
        ({"model": "gpt-5"}, {"model": "GPT-5"}),
        ({"model": "ü" * 300}, {"model": "ü" * 301}),
        ({"model": "x" * 5000}, {"model": "x" * 5000 + "y"}),
        ({"model": "a", "key_id": "b#c"}, {"model": "a#b", "key_id": "c"}),
        ({"model": ""}, {"model": "#"}),
        ({"model": "a$"}, {"model": "a"}),
    ],
)
def test_whatever_names_hold_they_are_told_apart(counted, one, other):
    hold(counted, on(0, **one), on(0, **other), on(0, **one))
    assert sorted(each.counts["requests"] for each in counted.sums()) == [1, 2]
    names = {tuple(getattr(each, name) for name in one) for each in counted.sums()}
    assert names == {tuple(one.values()), tuple(other.values())}


def test_many_rows_are_read_page_by_page(counted, monkeypatch):
    monkeypatch.setattr("antiphon.store.usage.READ_ROWS", 3)
    hold(counted, *(on(day % 4, model=f"gpt-{day}") for day in range(20)))
    assert sum(count_by_part(counted.sums()).values()) == 20
    with counted.dynamo.count_calls() as calls:
        counted.sums()
    assert calls == ["Query"] * 7


def test_a_report_of_any_length_is_one_query(counted):
    hold(counted, *(on(day) for day in range(0, 365, 40)))
    with counted.dynamo.count_calls() as calls:
        assert len(counted.sums()) == 10
    assert calls == ["Query"]


def test_sums_are_put_together_by_any_of_their_parts(counted):
    hold(
        counted,
        *(on(0, model=model, key_id=key) for model in ("a", "b") for key in ("1", "2", "2")),
        on(1, model="a", key_id="1"),
    )
    sums = counted.sums()

    def told(*by):
        return [
            (each.day, each.model, each.key_id, each.counts["requests"])
            for each in group_sums(sums, by)
        ]

    assert told("model") == [(None, "a", None, 4), (None, "b", None, 3)]
    assert told("key_id") == [(None, None, "1", 3), (None, None, "2", 4)]
    assert told("day", "model") == [
        ("2024-10-04", "a", None, 3),
        ("2024-10-04", "b", None, 3),
        ("2024-10-05", "a", None, 1),
    ]
    assert told() == [(None, None, None, 7)]
    assert nonzero_counts(sum_total(sums)) == nonzero_counts(group_sums(sums, ())[0])
    assert nonzero_counts(sum_total([])) == {}
    assert set(sum_total([]).counts) == set(COUNTS)


@pytest.mark.parametrize(
    ("pico", "dollars"),
    [
        (0, "0"),
        (1, "0.000000000001"),
        (1_800_000_000, "0.0018"),
        (10**12, "1"),
        (1200 * 10**12, "1200"),
        (123_456_789_012_345_678, "123456.789012345678"),
    ],
)
def test_costs_are_told_in_plain_digits_to_the_last(pico, dollars):
    assert UsageSum(None, None, None, None, None, {COST_PICODOLLARS: pico}).dollars == dollars
