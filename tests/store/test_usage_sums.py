"""Usage sums: how they are read and grouped."""

import pytest

from antiphon.store.usage import COST_PICODOLLARS, COUNTS, UsageSum, group_sums, sum_total
from tests.support.dynamodb import make_link
from tests.support.events import new_id
from tests.support.usage import EVER, count_by_part, make_usage, nonzero_counts, usage_store

DAY_MS = 86_400_000
FIRST = 20_000  # days since 1970: 2024-10-04


@pytest.fixture
def counted():
    with usage_store() as store:
        yield store


def write_links(counted, *links):
    counted.dynamo.put_links(*links)
    assert counted.run_rollup() == []


def link_of_day(day, **more):
    fields = {"status": "completed", "model": "gpt-5", "usage": make_usage(), **more}
    return make_link(id=new_id(), created_ms=(FIRST + day) * DAY_MS, **fields)


def days(sums):
    return [each.day for each in sums]


def test_both_ends_of_a_range_are_included(counted):
    write_links(counted, *(link_of_day(day) for day in range(5)))
    found = counted.usage.read_tenant("acme", "2024-10-05", "2024-10-07")
    assert days(found) == ["2024-10-05", "2024-10-06", "2024-10-07"]
    assert days(counted.usage.read_tenant("acme", "2024-10-09", "2024-12-31")) == []
    assert days(counted.usage.read_tenant("acme", "2024-10-05", "2024-10-05")) == ["2024-10-05"]


def test_operators_read_the_sums_of_all_tenants_by_day(counted):
    write_links(
        counted,
        link_of_day(1),
        link_of_day(0, tenant="umbra"),
        link_of_day(0),
        link_of_day(2, tenant="a.b_c-d"),
    )
    found = list(counted.usage.read_all(*EVER))
    assert [(each.day, each.tenant) for each in found] == [
        ("2024-10-04", "acme"),
        ("2024-10-04", "umbra"),
        ("2024-10-05", "acme"),
        ("2024-10-06", "a.b_c-d"),
    ]
    assert [each.tenant for each in counted.usage.read_all("2024-10-05", "2024-10-05")] == ["acme"]


def test_a_partition_has_the_sums_of_one_tenant(counted):
    write_links(counted, link_of_day(0), link_of_day(0, tenant="umbra"))
    for row in counted.dynamo.client.scan(TableName=counted.table.name)["Items"]:
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
def test_distinct_names_have_distinct_sums(counted, one, other):
    write_links(counted, link_of_day(0, **one), link_of_day(0, **other), link_of_day(0, **one))
    assert sorted(each.counts["requests"] for each in counted.sums()) == [1, 2]
    names = {tuple(getattr(each, name) for name in one) for each in counted.sums()}
    assert names == {tuple(one.values()), tuple(other.values())}


def test_many_sums_take_several_queries(counted, monkeypatch):
    monkeypatch.setattr("antiphon.store.usage.READ_ROWS", 3)
    write_links(counted, *(link_of_day(day % 4, model=f"gpt-{day}") for day in range(20)))
    assert sum(count_by_part(counted.sums()).values()) == 20
    with counted.dynamo.count_calls() as calls:
        counted.sums()
    assert calls == ["Query"] * 7


def test_a_report_of_any_length_is_one_query(counted):
    write_links(counted, *(link_of_day(day) for day in range(0, 365, 40)))
    with counted.dynamo.count_calls() as calls:
        assert len(counted.sums()) == 10
    assert calls == ["Query"]


def test_sums_are_grouped_by_any_fields(counted):
    write_links(
        counted,
        *(
            link_of_day(0, model=model, key_id=key)
            for model in ("a", "b")
            for key in ("1", "2", "2")
        ),
        link_of_day(1, model="a", key_id="1"),
    )
    sums = counted.sums()

    def requests_by(*by):
        return [
            (each.day, each.model, each.key_id, each.counts["requests"])
            for each in group_sums(sums, by)
        ]

    assert requests_by("model") == [(None, "a", None, 4), (None, "b", None, 3)]
    assert requests_by("key_id") == [(None, None, "1", 3), (None, None, "2", 4)]
    assert requests_by("day", "model") == [
        ("2024-10-04", "a", None, 3),
        ("2024-10-04", "b", None, 3),
        ("2024-10-05", "a", None, 1),
    ]
    assert requests_by() == [(None, None, None, 7)]
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
def test_costs_are_exact_decimal_numbers(pico, dollars):
    assert UsageSum(None, None, None, None, None, {COST_PICODOLLARS: pico}).dollars == dollars
