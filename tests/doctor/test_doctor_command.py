"""The command against a whole gateway, and against proxies that change its responses."""

import json
import socket

import pytest
from click.testing import CliRunner

from infra.cli import main
from infra.doctor.checklist import CHECKS
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


def test_all_checks_pass_at_both_endpoints(played):
    result = called(played.url, played.rest, "--json")
    document = json.loads(result.stdout)
    assert result.exit_code == 0
    assert [report["url"] for report in document["urls"]] == [played.url, played.rest]
    for report in document["urls"]:
        found = {row["check"]: row["verdict"] for row in report["checks"]}
        assert found == {check.name: "ok" for check in CHECKS if not check.long}
        assert report["tokens"] > 0
        assert report["model"] == "gpt-5-nano"
    assert document["not_seen_from_here"]


def test_default_output_is_a_table_with_what_is_not_visible(played):
    result = called(played.url, "--free")
    assert result.exit_code == 0
    assert played.url in result.stdout
    for check in CHECKS:
        assert (check.holds in result.stdout) is not check.costs
    assert "0 fails, 0 skipped." in result.stdout
    assert "Billed Duration" in result.stdout


def test_created_responses_and_files_are_deleted(played):
    def ids(client, path):
        return {each["id"] for each in client.get(path, params={"limit": 100}).json()["data"]}

    with played.client() as client:
        before = {path: ids(client, path) for path in ("/responses", "/files")}
        _, rows = checked(played.url)
        assert (rows["create"]["verdict"], rows["file"]["verdict"]) == ("ok", "ok")
        assert all(ids(client, path) <= known for path, known in before.items())


def test_free_checks_create_nothing(played):
    with played.client() as client:
        before = client.get("/responses").json()
        code, rows = checked(played.rest, "--free")
        assert (code, failing(rows)) == (0, set())
        assert client.get("/responses").json() == before


def test_a_long_stream_and_a_long_json_response_are_not_cut(played):
    code, rows = checked(played.url, "--long", "--long-seconds", "0.5")
    assert (code, rows["long"]["verdict"], rows["long-json"]["verdict"]) == (0, "ok", "ok")
    assert "longest gap" in rows["long"]["seen"]


def test_unknown_model_fails_with_advice(played):
    code, rows = checked(played.url, "--model", "missing-model")
    assert code == 1
    assert {"create", "stream"} <= failing(rows)
    assert rows["create"]["seen"].startswith("404 model_not_found")
    assert "--model" in rows["create"]["advice"]
    assert rows["retrieve"]["verdict"] == "skipped"


def test_a_target_of_bedrock_in_the_configuration_creates_a_tiny_response(played, tmp_path):
    file = tmp_path / "gateway.toml"
    file.write_text(
        '[targets.simulated]\nprovider = "bedrock"\nregion = "us-east-1"\nmodels = ["gpt-5"]\n'
    )
    code, rows = checked(played.url, "--config", str(file))
    assert (code, rows["bedrock"]["verdict"]) == (0, "ok")
    assert rows["bedrock"]["seen"].startswith("gpt-5 by simulated in ")


def test_without_a_second_key_a_check_is_skipped(played):
    code, rows = checked(played.url, env={"ANTIPHON_KEY": KEYS["acme"]})
    assert (code, rows["foreign"]["verdict"]) == (0, "skipped")
    assert "--other-key" in rows["foreign"]["advice"]


def test_second_key_of_the_same_tenant_fails_the_check(played):
    code, rows = checked(played.url, "--other-key", KEYS["acme's other"])
    assert (code, failing(rows)) == (1, {"foreign", "delete"})  # the second key can delete it
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
def test_key_comes_from_environment_option_or_stdin(played, env, options, given):
    code, rows = checked(played.url, "--free", *options, env=env, input=given)
    assert (code, rows["models"]["verdict"]) == (0, "ok")


def test_keys_are_never_printed(played):
    for options in ((), ("--json",)):
        result = called(played.url, "--free", *options)
        assert KEYS["acme"] not in result.output
        assert KEYS["umbra"] not in result.output


@pytest.mark.parametrize(
    ("arguments", "env", "text"),
    [
        ((), KEY, "Give a base URL, or --stage to check a stack, or both."),
        (("gateway.example.com",), KEY, "such as https://HOST/v1"),
        (("http://gateway.example.com/v1",), KEY, "the key would be sent unencrypted"),
        (("https://a:b@gateway.example.com/v1",), KEY, "without user or query"),
        (("https://gateway.example.com/v1",), {}, "ANTIPHON_KEY"),
        (("https://gateway.example.com/v1", "--key", "two words"), {}, "one word"),
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
# What the proxy does, the checks that fail, and a part of their advice.
FAULTS = {
    "buffers streams": (faulty_proxy.BUFFERS_STREAMS, {"flow"}, "RESPONSE_STREAM"),
    "drops the last event": (faulty_proxy.DROPS_THE_LAST_EVENT, {"end"}, "incomplete response"),
    "identifies the account": (faulty_proxy.IDENTIFIES_THE_ACCOUNT, {"private"}, "between you"),
    "renames headers": (faulty_proxy.RENAMES_HEADERS, {"names"}, "SDKs"),
    "has no credential": (faulty_proxy.HAS_NO_CREDENTIAL, {"models"}, "antiphon secrets put"),
    "exposes metadata": (faulty_proxy.EXPOSES_METADATA, {"health"}, "InvokeMode"),
    "fails": (faulty_proxy.FAILS, {"models"}, "log group"),
    "responds with HTML": (faulty_proxy.RESPONDS_WITH_HTML, {"health"}, "Another server"),
    "accepts everything": (faulty_proxy.ACCEPTS_EVERYTHING, MUST_BE_REFUSED, ""),
    "removes headers": (faulty_proxy.REMOVES_HEADERS, {"create", "request-ids"}, "proxy"),
}


PAID = {check.name for check in CHECKS if check.costs}


@pytest.mark.parametrize("fault", FAULTS)
def test_faulty_proxy_is_detected(played, fault):
    change, expected, word = FAULTS[fault]
    with faulty_proxy.run_proxy(played.url, change) as url:
        code, rows = checked(url, *(() if expected & PAID else ("--free",)))
    assert code == 1
    assert expected <= failing(rows), rows
    for name in expected:
        assert word in rows[name]["advice"]


def test_transparent_proxy_passes_all_checks(played):
    with faulty_proxy.run_proxy(played.url, faulty_proxy.TRANSPARENT) as url:
        code, rows = checked(url)
    assert (code, failing(rows)) == (0, set())


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
