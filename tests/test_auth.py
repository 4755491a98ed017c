"""The caller of a key, and keys that are refused."""

import re

import pytest

from antiphon.auth import Auth, Caller
from antiphon.errors import Unauthenticated, Unavailable
from antiphon.http import Request
from antiphon.settings.config import Limits
from tests.support.keys import KEY, NOW, Clock, FakeKeyRows, identify


@pytest.fixture
def clock():
    return Clock()


def test_a_caller_has_the_values_of_its_key_record(clock):
    limits = Limits(rpm=5)
    rows = FakeKeyRows(models=("gpt-5*",), limits=limits)
    caller = identify(Auth(rows, 30, clock))
    assert caller == Caller("acme", "key_1", ("gpt-5*",), limits)


@pytest.mark.parametrize(
    ("models", "model", "is_allowed"),
    [
        (None, "gpt-5", True),
        (("gpt-5*",), "gpt-5-mini", True),
        (("gpt-5*", "o3"), "o3", True),
        (("gpt-5",), "gpt-5-mini", False),
        (("o*-mini",), "o4", False),
        (("gpt-5",), "GPT-5", False),
        (("gpt-5",), "gpt-5\n", False),
        ((), "gpt-5", False),
    ],
)
def test_a_key_may_call_its_models(models, model, is_allowed):
    assert Caller("acme", "key_1", models).may_call(model) is is_allowed


@pytest.mark.parametrize(
    ("row", "is_valid"),
    [
        ({"ends_at": NOW + 1}, True),
        ({"ends_at": NOW}, False),
        ({"ends_at": NOW - 1}, False),
        ({"ends_at": NOW + 10**9}, True),
        ({"revoked_at": NOW - 10**9}, False),
        # A revoked key is invalid even if the operator's clock is ahead of ours.
        ({"revoked_at": NOW + 300}, False),
        ({"revoked_at": NOW + 300, "ends_at": NOW + 300}, False),
    ],
)
def test_a_key_ends_at_the_second_in_its_row(clock, row, is_valid):
    assert bool(identify(Auth(FakeKeyRows(**row), 30, clock))) is is_valid


def test_a_store_that_does_not_answer_admits_nobody_and_is_read_again(clock):
    rows = FakeKeyRows()
    auth = Auth(rows, 30, clock)

    def fail(_):
        raise Unavailable("The gateway's store did not answer. Try again.")

    get, rows.get = rows.get, fail
    with pytest.raises(Unavailable):
        identify(auth)
    rows.get = get
    assert identify(auth)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": KEY},
        {"authorization": f"Basic {KEY}"},
        {"authorization": "Bearer "},
        {"authorization": f"Bearer {KEY} {KEY}"},
        {"authorization": f"Bearer {KEY}", "api-key": "sk-another-one"},
        {"api-key": ""},
        {"api-key": "short"},
        {"api-key": "x" * 129},
        {"api-key": f"{KEY}\n"},
        {"api-key": "sk-antiphon-öf-acme"},
    ],
)
def test_anything_but_a_single_well_formed_key_is_refused_without_a_read(clock, headers):
    rows = FakeKeyRows()
    with pytest.raises(Unauthenticated):
        Auth(rows, 30, clock).identify(Request("req_1", "GET", headers=headers))
    assert rows.reads == 0


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({}, "didn't provide"),
        ({"authorization": KEY}, "does not begin with 'Bearer '"),
        ({"authorization": f"Basic {KEY}"}, "does not begin with 'Bearer '"),
        ({"authorization": "Bearer "}, "no key"),
        ({"authorization": f"Bearer {KEY}", "api-key": "sk-another-one"}, "differ"),
        ({"api-key": "short"}, "8 to 128 letters, digits, '_' and '-'. This one has 5."),
        ({"api-key": f"{KEY}\n"}, "This one has other characters."),
    ],
)
def test_the_message_says_what_is_wrong_and_nothing_of_the_key(clock, headers, words):
    with pytest.raises(Unauthenticated, match=re.escape(words)) as refusal:
        Auth(FakeKeyRows(), 30, clock).identify(Request("req_1", "GET", headers=headers))
    assert not any(value and value in str(refusal.value) for value in headers.values())


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": f"Bearer {KEY}"},
        {"authorization": f"bearer  {KEY}"},
        {"api-key": KEY},
        {"authorization": f"Bearer {KEY}", "api-key": KEY},
    ],
)
def test_a_key_is_read_from_either_header(clock, headers):
    assert Auth(FakeKeyRows(), 30, clock).identify(Request("req_1", "GET", headers=headers))
