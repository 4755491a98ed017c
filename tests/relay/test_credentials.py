"""Keys of targets: how long they are kept, and what a provider's refusal makes of them."""

import threading

import pytest

from antiphon.errors import CredentialMissing
from antiphon.relay.credentials import Credentials
from antiphon.relay.entra import EntraTokens
from antiphon.settings.targets import OpenAITarget
from tests.support.log import written
from tests.support.vault import GET
from tests.support.vault import vault as a_vault
from tests.support.waiting import MANY, race

TARGET = OpenAITarget(provider="openai", models=["*"])
DAY = 86_400


@pytest.fixture
def vault():
    with a_vault() as made:
        yield made


@pytest.fixture
def credentials(vault):
    entra = EntraTokens(None, vault.secrets, None)  # no target of this file gets there
    return Credentials({"openai": TARGET, "other": TARGET}, vault.secrets, entra)


@pytest.fixture
def rotated(vault, credentials):
    """Where `old` is known, and another one has since been put in its place."""
    vault.put("old")
    credentials.get("openai")
    vault.put("new")
    vault.stages.clear()
    return credentials


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


def test_many_that_are_refused_with_one_key_ask_for_another_once(vault, rotated):
    assert race(lambda: rotated.renew("openai", "old")) == ["new"] * MANY
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

    assert race(call) == ["new"] * MANY
    assert vault.stages == ["AWSCURRENT"]
    assert sent.count("new") == MANY


def test_who_was_refused_with_an_earlier_key_takes_the_present_one(vault, rotated):
    rotated.renew("openai", "old")
    vault.breaks()
    vault.time.passes(60)
    assert rotated.renew("openai", "old") == "new"
    assert vault.asked == 1


def test_a_key_that_the_provider_does_not_take_yet_gives_way_to_the_one_before(vault, credentials):
    vault.put("old")
    vault.put("too-new")
    assert credentials.renew("openai", credentials.get("openai")) == "old"
    assert vault.stages == ["AWSCURRENT", "AWSCURRENT", "AWSPREVIOUS"]
    vault.time.passes(239)
    assert (credentials.get("openai"), vault.asked) == ("old", 3)
    vault.time.passes(61)
    assert credentials.get("openai") == "too-new"  # the next regular question: it may do by now


def test_many_that_are_refused_too_early_fall_back_by_one_round_of_questions(vault, credentials):
    vault.put("old")
    vault.put("too-new")
    credentials.get("openai")
    assert race(lambda: credentials.renew("openai", "too-new")) == ["old"] * MANY
    assert vault.stages == ["AWSCURRENT", "AWSCURRENT", "AWSPREVIOUS"]


def test_where_no_other_is_there_a_refusal_is_asked_about_once_in_thirty_seconds(
    vault, credentials
):
    vault.put("only")
    credentials.get("openai")
    vault.stages.clear()
    assert race(lambda: credentials.renew("openai", "only")) == [None] * MANY
    vault.time.passes(29)
    assert credentials.renew("openai", "only") is None
    assert vault.stages == ["AWSCURRENT", "AWSPREVIOUS"]
    vault.time.passes(1)
    vault.put("another")
    assert credentials.renew("openai", "only") == "another"


def test_neither_old_nor_new_is_not_asked_about_for_ever(vault, credentials):
    vault.put("old")
    vault.put("too-new")
    assert credentials.renew("openai", credentials.get("openai")) == "old"
    assert credentials.renew("openai", "old") is None
    assert vault.asked == 3


def test_what_the_stack_put_is_no_earlier_key(vault, credentials):
    vault.put("replace-me")
    vault.put("first")
    assert credentials.renew("openai", credentials.get("openai")) is None


def test_a_refusal_in_an_outage_changes_nothing(vault, rotated):
    vault.breaks()
    assert rotated.renew("openai", "old") is None
    assert rotated.get("openai") == "old"


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


def test_no_key_is_logged_or_shown(vault, credentials, caplog):
    vault.put("MARK-1")
    first = credentials.get("openai")
    vault.put("MARK-2")
    second = credentials.renew("openai", first)
    credentials.renew("openai", second)
    vault.put("MARK-3 in words")
    vault.time.passes(301)
    assert credentials.get("openai") == second
    logged = written(caplog)
    assert logged.count('"credential refused"') == 2
    assert logged.count('"credential not read"') == 1
    assert "MARK" not in logged + repr(vault.secrets._all["openai"]._found)
