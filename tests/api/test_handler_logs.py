"""The API function's log contains ids, sizes and times, but no content of requests or responses."""

import json
from pathlib import Path

import pytest

from tests.support.events import make_event, make_events, make_response, new_id
from tests.support.function import make_create_event, run_function
from tests.support.gateway import KEYS
from tests.support.provider import (
    CLOSE,
    encode_chunk,
    encode_response,
    encode_stream,
    encode_stream_head,
)

EVENTS = Path(__file__).parents[2] / "events"
MARK = "MARKER-0f3a"


class RunningLog:
    """What the function has logged since the test began."""

    def __init__(self, path):
        self._path, self._start = path, path.stat().st_size

    @property
    def text(self):
        return self._path.read_bytes()[self._start :].decode()

    @property
    def answers(self):
        """The lines of the requests that were answered."""
        return self._lines("answered")

    @property
    def ends(self):
        """The lines of the streams that have ended."""
        return self._lines("stream ended")

    def _lines(self, message):
        lines = [json.loads(line) for line in self.text.splitlines() if message in line]
        return [line for line in lines if line["message"] == message]


@pytest.fixture(scope="module")
def running(gateway, _provider, tmp_path_factory):
    """A function with two targets for gpt-two, one of them for all other models, and its log."""
    folder = tmp_path_factory.mktemp("function")
    target = {"provider": "openai", "base_url": f"{_provider.address}/v1", "models": ["gpt-*"]}
    second = {**target, "models": ["gpt-two"], "priority": 2}
    config, log = folder / "config.json", folder / "log"
    # No failure of one test makes the first target the last one for the next.
    limits = {"circuit_failures": 1000}
    config.write_text(
        json.dumps({"gateway": limits, "targets": {"openai": target, "azure": second}})
    )
    gateway.close_circuits()
    with run_function(gateway.aws_endpoint, config, log) as invoke:
        yield invoke, log


@pytest.fixture
def invoke(running):
    return running[0]


@pytest.fixture
def log(running):
    return RunningLog(running[1])


def encode_success(**more):
    return encode_response(json.dumps({**make_response(new_id()), **more}).encode())


def make_marked_event(body, key=KEYS["acme"], **headers):
    """An event with the mark in its query and its headers."""
    return make_create_event(body, key, f"x={MARK}", **{"x-own": MARK, **headers})


def test_no_content_is_logged(invoke, log, provider):
    body = {"model": "gpt-5", "input": MARK, "metadata": {MARK: MARK}, "user": MARK}
    delta = make_event("response.output_text.delta", 1, delta=MARK)
    output = [{"type": "message", "id": new_id("msg"), "content": MARK}]
    provider.respond_with(encode_success(output=output))
    assert invoke(make_marked_event(body)).status == 200
    provider.respond_with(
        encode_stream_head(), encode_chunk(make_events(new_id())[0]), encode_chunk(delta), CLOSE
    )
    assert invoke(make_marked_event({**body, "stream": True})).status == 200
    provider.respond_with(encode_response(json.dumps({"error": {"message": MARK}}).encode(), 500))
    assert invoke(make_marked_event(body)).status == 500
    assert invoke(make_marked_event(body, key=f"{MARK}-0123456789")).status == 401
    assert invoke(make_marked_event(f'{{"{MARK}":1,"{MARK}":2}}')).status == 400
    assert invoke(make_marked_event({**body, "metadata": {MARK: 5}})).status == 400
    assert invoke(make_marked_event({**body, "temperature": MARK})).status == 400
    assert len(log.answers) == 7
    assert MARK not in log.text
    assert KEYS["acme"] not in log.text
    assert "credential-of-openai" not in log.text


def test_headers_without_a_value_are_ignored(invoke):
    headers = {"content-encoding": None, "api-key": None, "openai-beta": None}
    assert invoke(make_marked_event({"input": "x"}, **headers)).status == 400


def test_the_line_of_a_request_lists_its_own_attempts(invoke, log, provider):
    provider.respond_with(encode_response(b"{}", 429))
    provider.respond_with(encode_success())
    assert invoke(make_create_event({"model": "gpt-two", "input": "x"})).status == 200
    assert invoke(make_create_event("nonsense")).status == 400
    first, second = log.answers
    assert [(a["target"], a["status"]) for a in first["attempts"]] == [
        ("openai", 429),
        ("azure", 200),
    ]
    assert all(a["ms"] > 0 for a in first["attempts"])
    assert second.get("attempts", []) == []


@pytest.mark.parametrize(
    "event", [{"source": "aws.events", "version": "0"}, {}, [], "warm", None], ids=repr
)
def test_what_is_no_http_is_ignored_without_a_line(invoke, log, event):
    """Such as a schedule that keeps functions warm."""
    assert invoke.call(event) is None
    assert log.text == ""


@pytest.mark.parametrize("kind", ["rest", "url"])
def test_attempts_are_logged_for_events_of_both_kinds(invoke, log, provider, kind):
    provider.respond_with(encode_success())
    assert invoke((EVENTS / f"{kind}-create.json").read_bytes()).status == 200
    (line,) = log.answers
    assert [attempt["target"] for attempt in line["attempts"]] == ["openai"]


# What every line has, and what differs from run to run.
COMMON = {"level", "message", "timestamp", "service", "location", "request_id", "attempts"}


def own_fields(line):
    """The fields of a line without the common ones and the times, which are positive."""
    times = {name: value for name, value in line.items() if name.endswith("ms")}
    assert all(value > 0 for value in times.values())
    return {name: line[name] for name in line.keys() - COMMON - times.keys()}


def test_the_line_of_a_response_names_its_caller_and_what_served_it(invoke, log, provider):
    id = new_id()
    provider.respond_with(encode_success(id=id))
    assert invoke(make_create_event({"model": "gpt-5", "input": "x"})).status == 200
    (line,) = log.answers
    assert line["key_id"].startswith("key_")
    assert own_fields(line) == {
        "method": "POST",
        "path": "/v1/responses",
        "status": 200,
        "tenant": "acme",
        "key_id": line["key_id"],
        "model": "gpt-5",
        "stream": False,
        "target": "openai",
        "response_id": id,
        "response_status": "completed",
        "input_tokens": 3,
        "output_tokens": 4,
    }
    assert log.ends == []


def test_the_end_of_a_stream_is_a_line_of_its_own(invoke, log, provider):
    id = new_id()
    events = make_events(id)
    provider.respond_with(encode_stream(*events))
    assert invoke(make_create_event({"model": "gpt-5", "input": "x", "stream": True})).status == 200
    assert invoke(make_create_event("nonsense")).status == 400  # everything is written by now
    (answered, _), (ended,) = log.answers, log.ends
    caller = {"tenant": "acme", "key_id": answered["key_id"], "model": "gpt-5", "stream": True}
    served = {**caller, "target": "openai", "response_id": id}
    request = {"method": "POST", "path": "/v1/responses", "status": 200}
    assert own_fields(answered) == {**request, **served}
    tokens = {"input_tokens": 3, "output_tokens": 4}
    size = {"events": 3, "bytes": sum(map(len, events))}
    assert own_fields(ended) == {**served, **tokens, **size, "response_status": "completed"}
    assert answered["ms"] == answered["first_event_ms"] == ended["first_event_ms"] < ended["ms"]
    assert answered["request_id"] == ended["request_id"]


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ((CLOSE,), {"response_status": "cut", "code": "upstream_failed"}),
        (
            (encode_chunk(make_event("error", 1, code="rate_limit_exceeded", message=MARK)), CLOSE),
            {"response_status": "error", "code": "rate_limit_exceeded"},
        ),
    ],
)
def test_the_line_of_a_stream_without_a_result_says_why(invoke, log, provider, last, expected):
    created = make_events(new_id())[0]
    provider.respond_with(encode_stream_head(), encode_chunk(created), *last)
    assert invoke(make_create_event({"model": "gpt-5", "input": "x", "stream": True})).status == 200
    assert invoke(make_create_event("nonsense")).status == 400
    (ended,) = log.ends
    assert {name: ended.get(name) for name in expected} == expected
    assert MARK not in log.text


@pytest.mark.parametrize("kind", ["rest", "url"])
def test_a_refusal_without_a_key_has_the_source_address(invoke, log, kind):
    assert invoke((EVENTS / f"{kind}-create-wrong-key.json").read_bytes()).status == 401
    (line,) = log.answers
    assert (line["code"], line["source_ip"]) == ("invalid_api_key", "203.0.113.24")
    assert "tenant" not in line


def test_a_refusal_with_a_key_has_the_key_and_the_code(invoke, log, provider):
    provider.respond_with(encode_response(b"{}", 500))
    for body, code in (({"model": "gpt-5", "input": "x"}, "provider_5xx"), ({}, "invalid_request")):
        assert invoke(make_create_event(body)).status >= 400
        line = log.answers[-1]
        assert (line["tenant"], line["code"]) == ("acme", code)
        assert "source_ip" not in line


def test_a_model_that_may_be_a_text_is_not_logged(invoke, log):
    assert invoke(make_create_event({"model": f"tell {MARK}", "input": "x"})).status == 404
    assert log.answers[-1]["model"] == "other"
    assert MARK not in log.text
