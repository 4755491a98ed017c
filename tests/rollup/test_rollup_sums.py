"""Contents of the usage sums: keys, counts and costs."""

import pytest

from antiphon.store.usage import COST_PICODOLLARS
from tests.support.usage import (
    COMPLETED,
    begin_response,
    complete_response,
    count_by_part,
    make_usage,
)


def test_each_day_model_target_key_and_tenant_has_its_own_sum(counted):
    day_ms = 86_400_000
    keys = [
        {"model": "gpt-5", "created_ms": day_ms - 1},
        {"model": "gpt-5", "created_ms": day_ms},
        {"model": "gpt-5-mini", "created_ms": day_ms},
        {"model": "gpt-5", "created_ms": day_ms, "target": "azure"},
        {"model": "gpt-5", "created_ms": day_ms, "key_id": "key_2"},
        {"model": None, "upstream_model": "o3", "created_ms": day_ms},
        {"model": None, "created_ms": day_ms},
    ]
    for key in [*keys, keys[0]]:
        begin_response(counted, status="completed", usage=make_usage(), **key)
    begin_response(counted, status="completed", usage=make_usage(), tenant="umbra")
    counted.run_rollup()
    assert count_by_part(counted.sums()) == {
        ("1970-01-01", "gpt-5", "openai", "key_1"): 2,
        ("1970-01-02", "gpt-5", "openai", "key_1"): 1,
        ("1970-01-02", "gpt-5-mini", "openai", "key_1"): 1,
        ("1970-01-02", "gpt-5", "azure", "key_1"): 1,
        ("1970-01-02", "gpt-5", "openai", "key_2"): 1,
        ("1970-01-02", "o3", "openai", "key_1"): 1,
        ("1970-01-02", "", "openai", "key_1"): 1,
    }
    assert counted.total("umbra")["requests"] == 1


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"model": "unheard-of"}, {"unpriced": 1}),
        ({"model": "gpt-5", "service_tier": "flex"}, {COST_PICODOLLARS: 1_125_000_000}),
        ({"model": "gpt-5", "service_tier": "scale"}, {"unpriced": 1}),
        (
            {"model": "mine", "upstream_model": "gpt-5-2025-08-07"},
            {COST_PICODOLLARS: 2_250_000_000},
        ),
        ({"model": "gpt-5", "target": "long-gone"}, {COST_PICODOLLARS: 2_250_000_000}),
    ],
)
def test_tokens_are_counted_with_or_without_a_price(counted, more, expected):
    begin_response(counted, status="completed", usage=make_usage(), **more)
    counted.run_rollup()
    assert counted.total() == {
        **{n: v for n, v in COMPLETED.items() if n != COST_PICODOLLARS},
        **expected,
    }


@pytest.mark.parametrize("usage", [{}, {"input_tokens": 1}, {"input_tokens": "1"}, {"cost": 0.5}])
def test_invalid_usage_is_counted_as_unmetered(counted, usage):
    begin_response(counted, status="completed", usage=usage)
    counted.run_rollup()
    assert counted.total() == {"requests": 1, "completed": 1, "unmetered": 1}


def test_a_service_tier_that_is_known_later_corrects_only_the_cost(counted):
    new = begin_response(counted, status="completed", usage=make_usage())
    counted.run_rollup()
    counted.links.change(new, service_tier="flex")
    counted.run_rollup()
    assert counted.total() == {**COMPLETED, COST_PICODOLLARS: 1_125_000_000}


def test_sums_hold_no_content_and_never_expire_and_markers_expire_after_their_link(counted):
    new = begin_response(counted, metadata={"secret": "marker"})
    complete_response(counted, new)
    counted.run_rollup()
    rows = counted.rows()
    [sort] = [sort for partition, sort in rows if partition == "T#acme#U"]
    assert "expires_at" not in rows["T#acme#U", sort]
    marker_row = rows[f"T#acme#R#{new.id}", "COUNTED"]
    assert int(marker_row["expires_at"]["N"]) == new.expires_at + 60 * 86_400
    assert "marker" not in str(rows)
