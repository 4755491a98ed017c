"""Keys of targets: how long they are kept, and what can be none."""

import threading

import pytest

from antiphon.errors import CredentialMissing
from tests.support.vault import GET
from tests.support.waiting import MANY, race

DAY = 86_400


def test_a_key_is_asked_for_once_in_five_minutes(vault, credentials):
    vault.put("old")
    assert [credentials.get("openai") for _ in range(3)] == ["old"] * 3
    vault.time.passes(239)
    assert (credentials.get("openai"), vault.asked) == ("old", 1)
    vault.put("new")
    vault.time.passes(61)
    assert (credentials.get("openai"), vault.asked) == ("new", 2)


def test_many_that_find_it_old_ask_once(vault, rotated):
    vault.time.passes(301)
    assert race(lambda: rotated.get("openai")) == ["new"] * MANY
    assert vault.asked == 1


def test_many_that_find_none_ask_once(vault, credentials):
    vault.put("key")
    assert race(lambda: credentials.get("openai")) == ["key"] * MANY
    assert vault.asked == 1


def test_an_outage_stops_nothing_that_runs_for_a_day(vault, rotated):
    vault.breaks()
    vault.time.passes(301)
    assert rotated.get("openai") == "old"
    vault.time.passes(DAY - 302)
    assert rotated.get("openai") == "old"
    vault.time.passes(2)
    with pytest.raises(CredentialMissing, match="Secrets Manager did not answer"):
        rotated.get("openai")


def test_in_an_outage_one_call_in_thirty_seconds_waits_for_the_question(vault, rotated):
    vault.breaks()
    vault.time.passes(301)
    for seconds in (0, 1, 28, 2, 28):  # asks at the first and at the fourth
        vault.time.passes(seconds)
        assert rotated.get("openai") == "old"
    assert vault.asked == 2
    vault.mends()
    vault.time.passes(3)
    assert rotated.get("openai") == "new"


def test_without_a_key_those_who_come_together_are_told_together(vault, credentials):
    def told():
        with pytest.raises(CredentialMissing) as raised:
            credentials.get("openai")
        return raised.value.status, raised.value.code

    vault.breaks()
    assert race(told) == [(503, "target_credential_missing")] * MANY
    assert vault.asked == 1
    vault.mends()
    vault.put("key")
    vault.time.passes(1)
    assert credentials.get("openai") == "key"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("replace-me", "nobody has put one into its secret"),
        (" ", "not the credential alone"),
        ('{"key":"sk-1"}', "not the credential alone"),
        ("OPENAI_API_KEY=\nsk-1", "not the credential alone"),
        ("Bearer sk-1", "not the credential alone"),
        ("schlüssel", "not the credential alone"),
        (b"sk-1", "not the credential alone"),
        (None, "its secret is not there"),
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
    asked, answered = threading.Event(), threading.Event()

    def hangs(_):
        asked.set()
        answered.wait(30)

    vault.put("key")
    vault.put("the-other's", "other")
    credentials.get("other")
    vault.cloud.breaks(vault.client, GET, hangs)
    waits = threading.Thread(target=credentials.get, args=("openai",))
    waits.start()
    asked.wait(30)
    assert credentials.get("other") == "the-other's"
    answered.set()
    waits.join(30)
