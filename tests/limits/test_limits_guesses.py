"""What a request may use and cost, guessed before it is sent; and how limits are shown."""

import pytest

from antiphon.limits.counters import account_of, limit_counters
from antiphon.limits.refusals import (
    format_dollars,
    format_duration,
    rate_limit_headers,
    seconds_to_next_minute,
)
from antiphon.limits.reservation import TokenEstimate, estimate_tokens
from antiphon.pricing import CostEstimator, Prices
from antiphon.schema.other_bodies import Compact
from antiphon.settings.config import UNLIMITED
from tests.support.dynamodb import make_link
from tests.support.limits import NOON, OWN_PRICES, TARGETS, make_caller, make_create, make_usage

IMAGE = b'{"image_url":"data:image/png;base64,' + b"A" * 300_000 + b'"}'
FILE = b'{"file_data":"data:application/pdf;base64,' + b"A" * 300_000 + b'"}'


@pytest.mark.parametrize(
    ("body", "least", "most"),
    [
        (b"", 1, 1),
        (b"x" * 3000, 1001, 1001),
        (IMAGE, 1600, 1620),
        (IMAGE + IMAGE, 3200, 3240),
        (FILE, 10_000, 10_100),
        (b'"data:', 1, 10),  # no end of it
    ],
)
def test_input_is_guessed_by_its_length_but_for_images_and_files(body, least, most):
    assert least <= estimate_tokens(make_create(), body, None, 0).input <= most


@pytest.mark.parametrize(
    ("asked", "output", "bound"),
    [
        (make_create(), 500, False),
        (make_create(max_output_tokens=9), 9, True),
        (make_create(max_tokens=9), 9, True),
        (Compact.of({"model": "x"}), 500, False),
    ],
)
def test_output_is_what_is_asked_for_or_what_is_usual(asked, output, bound):
    assert estimate_tokens(asked, b"", None, 500) == TokenEstimate(1, output, bound)


@pytest.mark.parametrize(
    ("told", "more"), [(make_usage(7, 3), 10), (None, 0), ({}, 0), ({"total_tokens": "many"}, 0)]
)
def test_what_is_continued_is_read_again(told, more):
    assert estimate_tokens(make_create(), b"", make_link(usage=told), 0).input == 1 + more


@pytest.mark.parametrize(
    ("now", "seconds", "shown"),
    [(60.0, 60, "1m0s"), (60.1, 60, "1m0s"), (61.0, 59, "59s"), (119.9, 1, "1s")],
)
def test_a_minute_ends_with_that_of_the_clock(now, seconds, shown):
    assert (seconds_to_next_minute(now), format_duration(seconds_to_next_minute(now))) == (
        seconds,
        shown,
    )


def test_a_longer_time_is_shown_as_openai_shows_it():
    assert format_duration(360) == "6m0s"


@pytest.mark.parametrize(
    ("nano", "shown"),
    [
        (0, "$0"),
        (1, "$0.000001"),
        (10**9, "$1"),
        (1_234_500_000_000, "$1,234.5"),
        (81_920_000, "$0.08192"),
        (10 * 10**9, "$10"),
    ],
)
def test_money_is_shown_to_the_millionth(nano, shown):
    assert format_dollars(nano) == shown


def test_what_is_left_is_never_less_than_nothing():
    """A limit may have been lowered meanwhile."""
    found = list(limit_counters(account_of(make_caller(rpm=1), UNLIMITED).scopes, NOON))
    assert (
        rate_limit_headers(found, {found[0].counter: 5}, NOON)["x-ratelimit-remaining-requests"]
        == "0"
    )


TARIFF = CostEstimator(Prices(OWN_PRICES), TARGETS)


@pytest.mark.parametrize(
    ("model", "input", "output", "tier", "nano"),
    [
        ("dear", 2, 3, None, 5 * 10**9),
        ("cheap", 9, 1, None, 1_000),
        ("gpt-5", 1_000, 100, None, 2_250_000),
        ("gpt-5", 1_000, 100, "priority", 4_500_000),
        ("gpt-5", 0, 0, None, 0),
        ("gpt-5.6-sol", 300_000, 0, None, 2_400_000_000),  # 8 a million, above 272,000
        ("gpt-5", 1_000, 100, "scale", None),
        ("sim-text", 1, 1, None, None),
        ("", 1, 1, None, None),
        ("gpt-5" + "x" * 300, 1, 1, None, None),
        ("public", 1_000, 100, None, 2_250_000),  # by the name that its only target has for it
        ("llama-3.3-70b-versatile", 1_000, 100, None, 669_000),  # of groq's list
    ],
)
def test_the_most_that_a_request_costs_is_known_before(model, input, output, tier, nano):
    for _ in range(2):
        assert TARIFF.most(model, input, output, tier) == nano


def test_a_cost_is_never_rounded_down():
    assert TARIFF.cost("gpt-5-mini", make_usage(1, 0, cached=1), None, None) == 25
    assert CostEstimator(Prices(OWN_PRICES), TARGETS).most("cheap", 0, 1, None) == 1_000


@pytest.mark.parametrize(
    ("target", "tier", "nano"),
    [("azure", "priority", 2_500_000), ("azure", "scale", 1_250_000), ("openai", None, 1_250_000)],
)
def test_where_a_provider_has_no_price_for_a_tier_another_stands_in(target, tier, nano):
    assert TARIFF.cost("gpt-5", make_usage(1_000, 0), target, tier) == nano


def test_without_any_price_there_is_no_cost():
    assert TARIFF.cost(["sim-text", None], make_usage(1, 1), "gone", None) is None
