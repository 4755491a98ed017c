"""The API function's log contains ids, sizes and times, but no content of requests or responses."""

import json
from pathlib import Path

import pytest

from tests.support.events import make_event, make_events, make_response, new_id
from tests.support.function import make_create_event, run_function
from tests.support.gateway import KEYS
from tests.support.provider import CLOSE, encode_chunk, encode_response, encode_stream_head

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
        return [json.loads(line) for line in self.text.splitlines() if "answered" in line]


@pytest.fixture(scope="module")
def running(gateway, _provider, tmp_path_factory):
    """A function with two targets for gpt-two, one of them for all other models, and its log."""
    folder = tmp_path_factory.mktemp("function")
    target = {"provider": "openai", "base_url": f"{_provider.address}/v1", "models": ["gpt-*"]}
    second = {**target, "models": ["gpt-two"], "priority": 2}
    config, log = folder / "config.json", folder / "log"
    config.write_text(json.dumps({"targets": {"openai": target, "azure": second}}))
    gateway.close_circuits()  # a target whose circuit is open would be called last
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


@pytest.mark.parametrize("kind", ["rest", "url"])
def test_attempts_are_logged_for_events_of_both_kinds(invoke, log, provider, kind):
    provider.respond_with(encode_success())
    assert invoke((EVENTS / f"{kind}-create.json").read_bytes()).status == 200
    (line,) = log.answers
    assert [attempt["target"] for attempt in line["attempts"]] == ["openai"]
