"""The command against a whole gateway, and against proxies that change its responses."""

import json
import socket

import pytest
from click.testing import CliRunner

from infra.cli import main
from infra.doctor.checklist import CHECKS
from infra.doctor.command import doctor
from tests.doctor import faulty_proxy
from tests.support.gateway import KEYS

CLEAN = dict.fromkeys(
    ("ANTIPHON_KEY", "OPENAI_API_KEY", "ANTIPHON_OTHER_KEY", "HTTP_PROXY", "http_proxy")
)
KEY = {"ANTIPHON_KEY": KEYS["acme"], "ANTIPHON_OTHER_KEY": KEYS["umbra"]}


def called(*arguments, **given):
    env = {**CLEAN, **given.pop("env", KEY), "COLUMNS": "200"}
    return CliRunner().invoke(main, ["doctor", *arguments], env=env, **given)


def checked(url, *options, **given):
    """Return the exit status and the rows of the checks by name."""
    result = called(url, *options, "--json", **given)
    (report,) = json.loads(result.stdout)["urls"]
    return result.exit_code, {row["check"]: row for row in report["checks"]}


def failing(rows):
    return {name for name, row in rows.items() if row["verdict"] == "fails"}


def listed_ids(client):
    """Return the ids of what the tenant has stored, by the path of its list."""
    lists = {path: client.get(path, params={"limit": 100}) for path in ("/responses", "/files")}
    return {path: {each["id"] for each in got.json()["data"]} for path, got in lists.items()}


@pytest.fixture(scope="module")
def healthy(played):
    """All checks at both endpoints; the ids that were stored before, and those after."""
    long = ("--long", "--long-seconds", "0.5")
    with played.client() as client:
        before = listed_ids(client)
        return called(played.url, played.rest, "--json", *long), before, listed_ids(client)


@pytest.fixture(scope="module")
def free(played):
    """The table of the free checks; the ids that were stored before, and those after."""
    with played.client() as client:
        before = listed_ids(client)
        return called(played.rest, "--free"), before, listed_ids(client)


@pytest.fixture(scope="module")
def with_one_key(played, tmp_path_factory):
    """The exit status and the rows of a run through a proxy that changes nothing."""
    file = tmp_path_factory.mktemp("doctor") / "gateway.toml"
    file.write_text(
        '[targets.simulated]\nprovider = "bedrock"\nregion = "us-east-1"\nmodels = ["gpt-5"]\n'
    )
    with faulty_proxy.run_proxy(played.url, faulty_proxy.TRANSPARENT) as url:
        return checked(url, "--config", str(file), env={"ANTIPHON_KEY": KEYS["acme"]})


def test_all_checks_pass_at_both_endpoints(healthy, played):
    result, *_ = healthy
    document = json.loads(result.stdout)
    assert result.exit_code == 0
    assert [report["url"] for report in document["urls"]] == [played.url, played.rest]
    for report in document["urls"]:
        rows = {row["check"]: row for row in report["checks"]}
        assert {row["verdict"] for row in rows.values()} == {"ok"}, rows
        assert rows.keys() == {check.name for check in CHECKS}
        assert "longest gap" in rows["long"]["seen"]
        assert report["tokens"] > 0
        assert report["model"] == "gpt-5-nano"
    assert document["not_seen_from_here"]


def test_created_responses_and_files_are_deleted(healthy):
    _, before, after = healthy
    assert all(after[path] <= known for path, known in before.items())


def test_default_output_is_a_table_with_what_is_not_visible(free, played):
    result, *_ = free
    assert result.exit_code == 0
    assert played.rest in result.stdout
    for check in CHECKS:
        assert (check.holds in result.stdout) is not check.costs
    assert "0 fails, 0 skipped." in result.stdout
    assert "Billed Duration" in result.stdout


def test_free_checks_create_nothing(free):
    _, before, after = free
    assert after == before


def test_keys_are_never_printed(healthy, free):
    for result, *_ in (healthy, free):
        assert KEYS["acme"] not in result.output
        assert KEYS["umbra"] not in result.output


def test_transparent_proxy_passes_all_checks(with_one_key):
    code, rows = with_one_key
    assert (code, failing(rows)) == (0, set())
    assert rows.keys() == {check.name for check in CHECKS if not check.long}


def test_without_a_second_key_a_check_is_skipped(with_one_key):
    _, rows = with_one_key
    assert rows["foreign"]["verdict"] == "skipped"
    assert "--other-key" in rows["foreign"]["advice"]


def test_a_target_of_bedrock_in_the_configuration_creates_a_tiny_response(with_one_key):
    _, rows = with_one_key
    assert rows["bedrock"]["verdict"] == "ok"
    assert rows["bedrock"]["seen"].startswith("gpt-5 by simulated in ")


def test_unknown_model_fails_with_advice(played):
    code, rows = checked(played.url, "--model", "missing-model")
    assert code == 1
    assert {"create", "stream"} <= failing(rows)
    assert rows["create"]["seen"].startswith("404 model_not_found")
    assert "--model" in rows["create"]["advice"]
    assert rows["retrieve"]["verdict"] == "skipped"


@pytest.mark.parametrize(
    ("env", "options", "given"),
    [
        ({"OPENAI_API_KEY": KEYS["acme"]}, (), None),
        ({"ANTIPHON_KEY": KEYS["acme"], "OPENAI_API_KEY": "sk-of-openai"}, (), None),
        ({}, ("--key", KEYS["acme"]), None),
        ({"OPENAI_API_KEY": "sk-of-openai"}, ("--key", "-"), f"{KEYS['acme']}\n"),
    ],
)
def test_key_comes_from_environment_option_or_stdin(env, options, given):
    with CliRunner().isolation(env={**CLEAN, **env}, input=given):
        context = doctor.make_context("doctor", [*options])
    assert context.params["key"] == KEYS["acme"]


@pytest.mark.parametrize(
    ("arguments", "env", "text"),
    [
        ((), KEY, "Give a base URL, or --stage to check a stack, or both."),
        (("gateway.example.com",), KEY, "such as https://HOST/v1"),
        (("http://gateway.example.com/v1",), KEY, "the key would be sent unencrypted"),
        (("https://a:b@gateway.example.com/v1",), KEY, "without user or query"),
        (("https://gateway.example.com/v1",), {}, "ANTIPHON_KEY"),
        (("https://gateway.example.com/v1", "--key", "two words"), {}, "one word"),
        (("https://gateway.example.com/v1", "--other-key", "two words"), KEY, "one word"),
        (("https://gateway.example.com/v1", "--timeout", "0"), KEY, "--timeout"),
    ],
)
def test_wrong_usage_exits_with_2(arguments, env, text):
    result = called(*arguments, env=env)
    assert result.exit_code == 2
    assert text in result.output


MUST_BE_REFUSED = {
    *("no-key", "wrong-key", "unknown-model", "bad-body", "unknown-id", "unknown-parent"),
    *("large-body", "huge-body", "websocket"),
}
# What the proxy does, the checks that fail, and a part of the advice of each.
FAULTS = {
    "changes headers": (
        faulty_proxy.CHANGES_HEADERS,
        {"private": "between you", "names": "SDKs", "request-ids": "proxy"},
    ),
    "accepts everything": (faulty_proxy.ACCEPTS_EVERYTHING, dict.fromkeys(MUST_BE_REFUSED, "")),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faulty_proxy_is_detected(played, fault):
    change, expected = FAULTS[fault]
    with faulty_proxy.run_proxy(played.url, change) as url:
        code, rows = checked(url, "--free")
    assert (code, failing(rows)) == (1, expected.keys()), rows
    for name, word in expected.items():
        assert word in rows[name]["advice"]


def test_without_a_server_all_other_checks_are_skipped():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    code, rows = checked(url)
    assert (code, failing(rows)) == (1, {"reach"})
    assert "Is it deployed" in rows["reach"]["advice"]
    assert {row["verdict"] for name, row in rows.items() if name != "reach"} == {"skipped"}
    assert "The server answers" in rows["health"]["seen"]


def test_server_that_does_not_respond_is_a_timeout():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        code, rows = checked(f"http://127.0.0.1:{silent.getsockname()[1]}", "--timeout", "1")
    assert (code, failing(rows)) == (1, {"reach"})
    assert "--timeout" in rows["reach"]["advice"]


def test_help_states_costs_and_what_is_not_visible():
    help = " ".join(called("--help").output.split())
    for text in ("10,000 tokens", "--free", "shell's history", "Exit status", "Billed Duration"):
        assert text in help
