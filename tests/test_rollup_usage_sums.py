"""What stands in the sums: places, figures, prices."""

import pytest

from antiphon.store.usage import COST_PICODOLLARS
from tests.support.usage import (
    COMPLETED,
    begin_response,
    complete_response,
    count_by_part,
    make_usage,
    usage_store,
)


@pytest.fixture
def counted():
    with usage_store() as table:
        yield table


def test_sums_are_kept_apart_by_day_model_target_key_and_tenant(counted):
    day_ms = 86_400_000
    places = [
        {"model": "gpt-5", "created_ms": day_ms - 1},
        {"model": "gpt-5", "created_ms": day_ms},
        {"model": "gpt-5-mini", "created_ms": day_ms},
        {"model": "gpt-5", "created_ms": day_ms, "target": "azure"},
        {"model": "gpt-5", "created_ms": day_ms, "key_id": "key_2"},
        {"model": None, "upstream_model": "o3", "created_ms": day_ms},
        {"model": None, "created_ms": day_ms},
    ]
    for place in [*places, places[0]]:
        begin_response(counted, status="completed", usage=make_usage(), **place)
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


@pytest.mark.parametrize("used", [{}, {"input_tokens": 1}, {"input_tokens": "1"}, {"cost": 0.5}])
def test_figures_that_are_none_are_not_guessed(counted, used):
    begin_response(counted, status="completed", usage=used)
    counted.run_rollup()
    assert counted.total() == {"requests": 1, "completed": 1, "unmetered": 1}


def test_a_service_tier_that_is_known_late_corrects_the_cost_alone(counted):
    new = begin_response(counted, status="completed", usage=make_usage())
    counted.run_rollup()
    counted.links.change(new, service_tier="flex")
    counted.run_rollup()
    assert counted.total() == {**COMPLETED, COST_PICODOLLARS: 1_125_000_000}


def test_sums_hold_no_content_and_stay_for_ever_and_marks_go_after_their_link(counted):
    new = begin_response(counted, metadata={"secret": "marker"})
    complete_response(counted, new)
    counted.run_rollup()
    rows = counted.rows()
    [sort] = [sort for partition, sort in rows if partition == "T#acme#U"]
    assert "expires_at" not in rows["T#acme#U", sort]
    mark = rows[f"T#acme#R#{new.id}", "COUNTED"]
    assert int(mark["expires_at"]["N"]) == new.expires_at + 60 * 86_400
    assert "marker" not in str(rows)
