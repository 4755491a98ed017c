"""Keys of targets: how long they are kept, and what can be none."""

import inspect
import threading
import time

import pytest

from antiphon.errors import CredentialMissing
from antiphon.store.secrets import ParsedSecret, ProviderSecrets
from antiphon.store.webhook_secrets import SigningSecrets
from antiphon.upstream.tokens import TokenCache
from tests.support.aws import GET_SECRET_VALUE
from tests.support.concurrency import MANY_THREADS, run_at_once

DAY = 86_400


def test_a_key_is_fetched_once_in_five_minutes(vault, credentials):
    vault.put("old")
    assert [credentials.get("openai") for _ in range(3)] == ["old"] * 3
    vault.time.advance(239)
    assert (credentials.get("openai"), vault.request_count) == ("old", 1)
    vault.put("new")
    vault.time.advance(61)
    assert (credentials.get("openai"), vault.request_count) == ("new", 2)


@pytest.mark.parametrize("cache", [ParsedSecret, ProviderSecrets, SigningSecrets, TokenCache])
def test_it_grows_old_while_lambda_freezes_the_process(cache):
    """time.monotonic() may stop meanwhile."""
    assert inspect.signature(cache).parameters["clock"].default is time.time


def test_many_that_find_it_old_ask_once(vault, rotated):
    vault.time.advance(301)
    assert run_at_once(lambda: rotated.get("openai")) == ["new"] * MANY_THREADS
    assert vault.request_count == 1


def test_many_that_find_none_ask_once(vault, credentials):
    vault.put("key")
    assert run_at_once(lambda: credentials.get("openai")) == ["key"] * MANY_THREADS
    assert vault.request_count == 1


def test_an_outage_stops_nothing_that_runs_for_a_day(vault, rotated):
    vault.fail()
    vault.time.advance(301)
    assert rotated.get("openai") == "old"
    vault.time.advance(DAY - 302)
    assert rotated.get("openai") == "old"
    vault.time.advance(2)
    with pytest.raises(CredentialMissing, match="Secrets Manager did not answer"):
        rotated.get("openai")


def test_in_an_outage_one_call_in_thirty_seconds_waits_for_the_question(vault, rotated):
    vault.fail()
    vault.time.advance(301)
    for seconds in (0, 1, 28, 2, 28):  # asks at the first and at the fourth
        vault.time.advance(seconds)
        assert rotated.get("openai") == "old"
    assert vault.request_count == 2
    vault.restore()
    vault.time.advance(3)
    assert rotated.get("openai") == "new"


def test_without_a_key_concurrent_callers_get_the_same_error(vault, credentials):
    def read_error():
        with pytest.raises(CredentialMissing) as raised:
            credentials.get("openai")
        return raised.value.status, raised.value.code

    vault.fail()
    assert run_at_once(read_error) == [(503, "target_credential_missing")] * MANY_THREADS
    assert vault.request_count == 1
    vault.restore()
    vault.put("key")
    vault.time.advance(1)
    assert credentials.get("openai") == "key"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("replace-me", "its secret still has the placeholder value"),
        (" ", "not the credential alone"),
        ('{"key":"sk-1"}', "not the credential alone"),
        ("OPENAI_API_KEY=\nsk-1", "not the credential alone"),
        ("Bearer sk-1", "not the credential alone"),
        ("schlüssel", "not the credential alone"),
        (b"sk-1", "not the credential alone"),
        (None, "its secret does not exist"),
    ],
)
def test_what_can_be_no_credential_is_sent_to_nobody(vault, credentials, text, reason):
    if isinstance(text, bytes):
        vault.client.create_secret(Name="test/openai", SecretBinary=text)
    elif text is not None:
        vault.put(text)
    with pytest.raises(CredentialMissing, match=reason):
        credentials.get("openai")


def test_white_space_around_a_key_is_none_of_it(vault, credentials):
    vault.put(" sk-1\n")
    assert credentials.get("openai") == "sk-1"


def test_nobody_waits_for_another_target_s_question(vault, credentials):
    requested, answered = threading.Event(), threading.Event()

    def hangs(_):
        requested.set()
        answered.wait(30)

    vault.put("key")
    vault.put("the-other's", "other")
    credentials.get("other")
    vault.cloud.fail(vault.client, GET_SECRET_VALUE, hangs)
    waits = threading.Thread(target=credentials.get, args=("openai",))
    waits.start()
    requested.wait(30)
    assert credentials.get("other") == "the-other's"
    answered.set()
    waits.join(30)
