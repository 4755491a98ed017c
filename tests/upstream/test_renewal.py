"""What a provider's refusal makes of a key: one question, and another key where there is one."""

from tests.support.concurrency import MANY_THREADS, run_at_once
from tests.support.metrics import format_log


def test_many_that_are_refused_with_one_key_ask_for_another_once(vault, rotated):
    assert run_at_once(lambda: rotated.renew("openai", "old")) == ["new"] * MANY_THREADS
    assert vault.stages == ["AWSCURRENT"]
    assert rotated.get("openai") == "new"


def test_many_calls_that_meet_an_expired_key_all_succeed_by_one_question(vault, rotated):
    sent = []

    def call():
        key = rotated.get("openai")
        sent.append(key)
        if key == "old":  # the provider's 401
            key = rotated.renew("openai", key)
            sent.append(key)
        return key

    assert run_at_once(call) == ["new"] * MANY_THREADS
    assert vault.stages == ["AWSCURRENT"]
    assert sent.count("new") == MANY_THREADS


def test_who_was_refused_with_an_earlier_key_takes_the_present_one(vault, rotated):
    rotated.renew("openai", "old")
    vault.fail()
    vault.time.advance(60)
    assert rotated.renew("openai", "old") == "new"
    assert vault.request_count == 1


def test_a_key_that_the_provider_does_not_take_yet_gives_way_to_the_one_before(vault, credentials):
    vault.put("old")
    vault.put("too-new")
    assert credentials.renew("openai", credentials.get("openai")) == "old"
    assert vault.stages == ["AWSCURRENT", "AWSCURRENT", "AWSPREVIOUS"]
    vault.time.advance(239)
    assert (credentials.get("openai"), vault.request_count) == ("old", 3)
    vault.time.advance(61)
    assert credentials.get("openai") == "too-new"  # the next regular question: it may do by now


def test_many_that_are_refused_too_early_fall_back_by_one_round_of_questions(vault, credentials):
    vault.put("old")
    vault.put("too-new")
    credentials.get("openai")
    assert run_at_once(lambda: credentials.renew("openai", "too-new")) == ["old"] * MANY_THREADS
    assert vault.stages == ["AWSCURRENT", "AWSCURRENT", "AWSPREVIOUS"]


def test_without_another_credential_a_rejection_causes_one_fetch_in_thirty_seconds(
    vault, credentials
):
    vault.put("only")
    credentials.get("openai")
    vault.stages.clear()
    assert run_at_once(lambda: credentials.renew("openai", "only")) == [None] * MANY_THREADS
    vault.time.advance(29)
    assert credentials.renew("openai", "only") is None
    assert vault.stages == ["AWSCURRENT", "AWSPREVIOUS"]
    vault.time.advance(1)
    vault.put("another")
    assert credentials.renew("openai", "only") == "another"


def test_a_response_of_unknown_state_is_not_polled_for_ever(vault, credentials):
    vault.put("old")
    vault.put("too-new")
    assert credentials.renew("openai", credentials.get("openai")) == "old"
    assert credentials.renew("openai", "old") is None
    assert vault.request_count == 3


def test_what_the_stack_put_is_no_earlier_key(vault, credentials):
    vault.put("replace-me")
    vault.put("first")
    assert credentials.renew("openai", credentials.get("openai")) is None


def test_a_refusal_in_an_outage_changes_nothing(vault, rotated):
    vault.fail()
    assert rotated.renew("openai", "old") is None
    assert rotated.get("openai") == "old"


def test_no_key_is_logged_or_returned(vault, credentials, caplog):
    vault.put("MARK-1")
    first = credentials.get("openai")
    vault.put("MARK-2")
    second = credentials.renew("openai", first)
    credentials.renew("openai", second)
    vault.put("MARK-3 in words")
    vault.time.advance(301)
    assert credentials.get("openai") == second
    logged = format_log(caplog)
    assert logged.count('"credential refused"') == 2
    assert logged.count('"credential not read"') == 1
    assert "MARK" not in logged + repr(vault.secrets._caches["openai"]._credential)
