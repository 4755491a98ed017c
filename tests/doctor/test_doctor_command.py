"""The command as operators give it, against a whole gateway and against what may be in its way."""

import json
import socket

import pytest
from click.testing import CliRunner

from infra.cli import main
from infra.doctor.table import CHECKS
from tests.doctor import between
from tests.support.gateway import KEYS

CLEAN = dict.fromkeys(
    ("ANTIPHON_KEY", "OPENAI_API_KEY", "ANTIPHON_OTHER_KEY", "HTTP_PROXY", "http_proxy")
)
KEY = {"ANTIPHON_KEY": KEYS["acme"], "ANTIPHON_OTHER_KEY": KEYS["umbra"]}


def called(*arguments, **given):
    env = {**CLEAN, **given.pop("env", KEY), "COLUMNS": "200"}
    return CliRunner().invoke(main, ["doctor", *arguments], env=env, **given)


def checked(url, *options, **given):
    """Exit status, and each check's row by its name."""
    result = called(url, *options, "--json", **given)
    (told,) = json.loads(result.stdout)["urls"]
    return result.exit_code, {row["check"]: row for row in told["checks"]}


def failing(rows):
    return {name for name, row in rows.items() if row["verdict"] == "fails"}


def test_everything_holds_at_both_doors(played):
    result = called(played.url, played.rest, "--json")
    told = json.loads(result.stdout)
    assert result.exit_code == 0
    assert [report["url"] for report in told["urls"]] == [played.url, played.rest]
    for report in told["urls"]:
        found = {row["check"]: row["verdict"] for row in report["checks"]}
        assert found == {check.name: "ok" for check in CHECKS if not check.long}
        assert report["tokens"] > 0
        assert report["model"] == "gpt-5-nano"
    assert told["not_seen_from_here"]


def test_people_get_a_table_and_what_cannot_be_seen(played):
    result = called(played.url, "--free")
    assert result.exit_code == 0
    assert played.url in result.stdout
    for check in CHECKS:
        assert (check.holds in result.stdout) is not check.costs
    assert "0 fails, 0 skipped." in result.stdout
    assert "Billed Duration" in result.stdout


def test_what_it_made_is_deleted_again(played):
    with played.client() as client:
        before = [link["id"] for link in client.get("/responses").json()["data"]]
        _, rows = checked(played.url)
        assert rows["create"]["verdict"] == "ok"
        after = client.get("/responses", params={"limit": 100}).json()["data"]
        assert {link["id"] for link in after} <= set(before)


def test_what_is_free_creates_nothing(played):
    with played.client() as client:
        before = client.get("/responses").json()
        code, rows = checked(played.rest, "--free")
        assert (code, failing(rows)) == (0, set())
        assert client.get("/responses").json() == before


def test_a_long_stream_is_held_open(played):
    code, rows = checked(played.url, "--long", "--long-seconds", "0.5")
    assert (code, rows["long"]["verdict"]) == (0, "ok")
    assert "silent for" in rows["long"]["seen"]


def test_a_model_that_is_not_served_is_told_by_the_gateway(played):
    code, rows = checked(played.url, "--model", "missing-model")
    assert code == 1
    assert {"create", "stream"} <= failing(rows)
    assert rows["create"]["seen"].startswith("404 model_not_found")
    assert "--model" in rows["create"]["advice"]
    assert rows["retrieve"]["verdict"] == "skipped"


def test_without_a_second_key_it_says_what_it_did_not_see(played):
    code, rows = checked(played.url, env={"ANTIPHON_KEY": KEYS["acme"]})
    assert (code, rows["foreign"]["verdict"]) == (0, "skipped")
    assert "--other-key" in rows["foreign"]["advice"]


def test_a_key_of_the_same_tenant_is_no_foreigner(played):
    code, rows = checked(played.url, "--other-key", KEYS["acme's other"])
    assert (code, failing(rows)) == (1, {"foreign", "delete"})  # it may delete, too
    assert "one tenant" in rows["foreign"]["advice"]


@pytest.mark.parametrize(
    ("env", "options", "given"),
    [
        ({"OPENAI_API_KEY": KEYS["acme"]}, (), None),
        ({"ANTIPHON_KEY": KEYS["acme"], "OPENAI_API_KEY": "sk-of-openai"}, (), None),
        ({}, ("--key", KEYS["acme"]), None),
        ({"OPENAI_API_KEY": "sk-of-openai"}, ("--key", "-"), f"{KEYS['acme']}\n"),
    ],
)
def test_a_key_comes_from_the_environment_the_command_line_or_standard_input(
    played, env, options, given
):
    code, rows = checked(played.url, "--free", *options, env=env, input=given)
    assert (code, rows["models"]["verdict"]) == (0, "ok")


def test_no_key_is_ever_shown(played):
    for options in ((), ("--json",)):
        result = called(played.url, "--free", *options)
        assert KEYS["acme"] not in result.output
        assert KEYS["umbra"] not in result.output


@pytest.mark.parametrize(
    ("arguments", "env", "said"),
    [
        ((), KEY, "Missing argument 'URL...'"),
        (("gateway.example.com",), KEY, "such as https://HOST/v1"),
        (("http://gateway.example.com/v1",), KEY, "the key would travel unencrypted"),
        (("https://a:b@gateway.example.com/v1",), KEY, "without user or query"),
        (("https://gateway.example.com/v1",), {}, "ANTIPHON_KEY"),
        (("https://gateway.example.com/v1", "--key", "two words"), {}, "one word"),
        (("https://gateway.example.com/v1", "--timeout", "0"), KEY, "--timeout"),
    ],
)
def test_wrong_usage_is_told_and_nothing_is_asked(arguments, env, said):
    result = called(*arguments, env=env)
    assert result.exit_code == 2
    assert said in result.output


# What stands in the way, with the check that fails by it and a word of its advice.
WAYS = {
    "holds streams back": (between.HOLDS_STREAMS_BACK, {"flow"}, "RESPONSE_STREAM"),
    "drops the last event": (between.DROPS_THE_LAST_EVENT, {"end"}, "a part for the whole"),
    "tells of the account": (between.TELLS_OF_THE_ACCOUNT, {"private"}, "between you"),
    "renames headers": (between.RENAMES_HEADERS, {"names"}, "SDKs"),
    "has no credential": (between.HAS_NO_CREDENTIAL, {"models"}, "put-secret-value"),
    "shows the prelude": (between.SHOWS_THE_PRELUDE, {"health"}, "InvokeMode"),
    "fails": (between.FAILS, {"models"}, "log group"),
    "answers in HTML": (between.ANSWERS_IN_HTML, {"health"}, "Somebody else"),
    "looks away": (between.LOOKS_AWAY, {"no-key", "unknown-id"}, ""),
    "takes headers away": (between.TAKES_HEADERS_AWAY, {"create", "request-ids"}, "proxy"),
}


PAID = {check.name for check in CHECKS if check.costs}


@pytest.mark.parametrize("way", WAYS)
def test_what_stands_in_the_way_is_seen_for_what_it_does(played, way):
    change, wanted, word = WAYS[way]
    with between.between(played.url, change) as url:
        code, rows = checked(url, *(() if wanted & PAID else ("--free",)))
    assert code == 1
    assert wanted <= failing(rows), rows
    for name in wanted:
        assert word in rows[name]["advice"]


def test_an_honest_proxy_is_no_fault(played):
    with between.between(played.url, between.HONEST) as url:
        code, rows = checked(url)
    assert (code, failing(rows)) == (0, set())


def test_where_nobody_is_one_row_says_so_and_the_others_wait_for_it():
    with socket.create_server(("127.0.0.1", 0)) as gone:
        url = f"http://127.0.0.1:{gone.getsockname()[1]}"
    code, rows = checked(url)
    assert (code, failing(rows)) == (1, {"reach"})
    assert "Is it deployed" in rows["reach"]["advice"]
    assert {row["verdict"] for name, row in rows.items() if name != "reach"} == {"skipped"}
    assert "Somebody answers there" in rows["health"]["seen"]


def test_silence_is_told_as_silence():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        code, rows = checked(f"http://127.0.0.1:{silent.getsockname()[1]}", "--timeout", "1")
    assert (code, failing(rows)) == (1, {"reach"})
    assert "--timeout" in rows["reach"]["advice"]


def test_help_says_what_it_costs_and_what_it_cannot_see():
    said = " ".join(called("--help").output.split())
    for words in ("8,000 tokens", "--free", "shell's history", "Exit status", "Billed Duration"):
        assert words in said
