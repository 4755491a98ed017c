"""Targets that fail are spared by every environment, and asked again by one request."""

import pytest

from antiphon.errors import InvalidRequest, UpstreamFailed, UpstreamNotReached, UpstreamTimeout
from antiphon.upstream.outcome import UpstreamResponse
from antiphon.upstream.timers import deadline_reached
from tests.support.routing import START

OK = UpstreamResponse("a", 200, {}, b"{}")
FAILURES = [
    UpstreamNotReached("m"),
    UpstreamTimeout("m"),
    UpstreamFailed("m"),
    *(UpstreamResponse("a", status, {}, b"{}") for status in (401, 403, 429, 500, 502, 503, 504)),
]
HARMLESS = [
    OK,
    deadline_reached(),
    *(UpstreamResponse("a", status, {}, b"{}") for status in (400, 404, 422)),
]


@pytest.mark.parametrize("outcome", FAILURES, ids=repr)
def test_failures_in_a_row_put_a_target_behind_the_others(two, outcome):
    here, _ = two
    for _ in range(2):
        here.record_failure("a", outcome)
    assert here.order() == ["a", "b-east", "c"]
    here.record_failure("a", outcome)
    assert here.order() == ["b-east", "c", "a"]


@pytest.mark.parametrize("outcome", HARMLESS, ids=repr)
def test_what_speaks_of_the_request_is_no_failure(two, outcome):
    here, _ = two
    for _ in range(10):
        here.record_failure("a", outcome)
    assert here.order()[0] == "a"


@pytest.mark.parametrize("fault", [deadline_reached(), InvalidRequest("m")], ids=repr)
def test_a_fault_of_the_gateway_itself_closes_no_circuit(two, fault):
    here, _ = two
    for outcome in (*FAILURES[:3], fault):
        here.record_failure("a", outcome)
    assert here.order() == ["b-east", "c", "a"]


def test_an_answer_ends_the_row(two):
    here, _ = two
    for outcome in (FAILURES[0], FAILURES[0], OK) * 3:
        here.record_failure("a", outcome)
    assert here.order()[0] == "a"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "2500", "retry-after": "60"}, 2.5),
        ({"retry-after": "86400"}, 900),
    ],
    ids=str,
)
def test_a_target_is_left_alone_for_as_long_as_it_says(two, clock, headers, seconds):
    here, _ = two
    here.record_failure("a", **headers)
    clock.now = START + seconds - 0.01
    assert here.order()[-1] == "a"
    clock.now = START + seconds
    assert here.order()[0] == "a"


@pytest.mark.parametrize("text", ["soon", "-3", "0", "nan", "Thu, 01 Jan 1970 00:00:00 GMT"])
def test_a_retry_after_that_says_nothing_is_none(two, text):
    here, _ = two
    here.record_failure("a", **{"retry-after": text})
    assert here.order()[0] == "a"
