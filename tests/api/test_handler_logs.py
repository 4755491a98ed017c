"""The API function's log contains ids, sizes and times, but no content of requests or responses."""

import json

from tests.support.events import make_event, make_events, make_response, new_id
from tests.support.function import make_create_event, run_function
from tests.support.gateway import KEYS
from tests.support.provider import CLOSE, encode_chunk, encode_response, encode_stream_head

MARK = "MARKER-0f3a"


def make_marked_event(body, key=KEYS["acme"], **headers):
    """An event with the mark in its query and its headers."""
    return make_create_event(body, key, f"x={MARK}", **{"x-own": MARK, **headers})


def test_no_content_is_logged(gateway, provider, tmp_path):
    target = {"provider": "openai", "base_url": f"{provider.address}/v1", "models": ["gpt-*"]}
    config, log = tmp_path / "config.json", tmp_path / "log"
    config.write_text(json.dumps({"targets": {"openai": target}}))
    body = {"model": "gpt-5", "input": MARK, "metadata": {MARK: MARK}, "user": MARK}
    delta = make_event("response.output_text.delta", 1, delta=MARK)
    output = [{"type": "message", "id": new_id("msg"), "content": MARK}]
    with run_function(gateway.aws_endpoint, config, log) as invoke:
        provider.respond_with(
            encode_response(json.dumps({**make_response(new_id()), "output": output}).encode())
        )
        assert invoke(make_marked_event(body)).status == 200
        provider.respond_with(
            encode_stream_head(),
            encode_chunk(make_events(new_id())[0]),
            encode_chunk(delta),
            CLOSE,
        )
        assert invoke(make_marked_event({**body, "stream": True})).status == 200
        provider.respond_with(
            encode_response(json.dumps({"error": {"message": MARK}}).encode(), 500)
        )
        assert invoke(make_marked_event(body)).status == 500
        assert invoke(make_marked_event(body, key=f"{MARK}-0123456789")).status == 401
        assert invoke(make_marked_event(f'{{"{MARK}":1,"{MARK}":2}}')).status == 400
        assert invoke(make_marked_event({**body, "metadata": {MARK: 5}})).status == 400
        assert invoke(make_marked_event({**body, "temperature": MARK})).status == 400
    text = log.read_text()
    assert text.count('"answered"') == 7
    assert MARK not in text
    assert KEYS["acme"] not in text
    assert "credential-of-openai" not in text


def test_headers_without_a_value_are_ignored(gateway, provider, tmp_path):
    target = {"provider": "openai", "base_url": f"{provider.address}/v1", "models": ["gpt-*"]}
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"targets": {"openai": target}}))
    with run_function(gateway.aws_endpoint, config, tmp_path / "log") as invoke:
        headers = {"content-encoding": None, "api-key": None, "openai-beta": None}
        assert invoke(make_marked_event({"input": "x"}, **headers)).status == 400


def test_the_line_of_a_request_lists_its_own_attempts(gateway, provider, tmp_path):
    priorities = {"openai": 1, "azure": 2}
    targets = {
        name: {
            "provider": "openai",
            "base_url": f"{provider.address}/v1",
            "models": ["gpt-*"],
            "priority": priority,
        }
        for name, priority in priorities.items()
    }
    config, log = tmp_path / "config.json", tmp_path / "log"
    config.write_text(json.dumps({"targets": targets}))
    with run_function(gateway.aws_endpoint, config, log) as invoke:
        provider.respond_with(encode_response(b"{}", 429))
        provider.respond_with(encode_response(json.dumps(make_response(new_id())).encode()))
        assert invoke(make_create_event({"model": "gpt-5", "input": "x"})).status == 200
        assert invoke(make_create_event("nonsense")).status == 400
    lines = [json.loads(line) for line in log.read_text().splitlines() if "answered" in line]
    attempts = [[(a["target"], a["status"]) for a in line.get("attempts", [])] for line in lines]
    assert attempts == [[("openai", 429), ("azure", 200)], []]
    assert all(a["ms"] > 0 for a in lines[0]["attempts"])
