"""The log holds ids, sizes and times: nothing that a caller or a provider has said."""

import json

from tests.support.events import make_event, make_events, make_response, new_id
from tests.support.function import make_create_event, run_function
from tests.support.gateway import KEYS
from tests.support.provider import CLOSE, encode_chunk, encode_response, encode_stream_head

MARK = "MARKER-0f3a"


def sent(body, key=KEYS["acme"], **headers):
    """An event in which every word of the caller's carries the mark."""
    return make_create_event(body, key, f"x={MARK}", **{"x-own": MARK, **headers})


def test_nothing_that_was_said_is_logged(gateway, provider, tmp_path):
    target = {"provider": "openai", "base_url": f"{provider.address}/v1", "models": ["gpt-*"]}
    config, log = tmp_path / "config.json", tmp_path / "log"
    config.write_text(json.dumps({"targets": {"openai": target}}))
    ask = {"model": "gpt-5", "input": MARK, "metadata": {MARK: MARK}, "user": MARK}
    spoken = make_event("response.output_text.delta", 1, delta=MARK)
    said = [{"type": "message", "id": new_id("msg"), "content": MARK}]
    with run_function(gateway.aws_endpoint, config, log) as asked:
        provider.respond_with(
            encode_response(json.dumps({**make_response(new_id()), "output": said}).encode())
        )
        assert asked(sent(ask)).status == 200
        provider.respond_with(
            encode_stream_head(),
            encode_chunk(make_events(new_id())[0]),
            encode_chunk(spoken),
            CLOSE,
        )
        assert asked(sent({**ask, "stream": True})).status == 200
        provider.respond_with(
            encode_response(json.dumps({"error": {"message": MARK}}).encode(), 500)
        )
        assert asked(sent(ask)).status == 500
        assert asked(sent(ask, key=f"{MARK}-0123456789")).status == 401
        assert asked(sent(f'{{"{MARK}":1,"{MARK}":2}}')).status == 400
        assert asked(sent({**ask, "metadata": {MARK: 5}})).status == 400
        assert asked(sent({**ask, "temperature": MARK})).status == 400
    written = log.read_text()
    assert written.count('"answered"') == 7
    assert MARK not in written
    assert KEYS["acme"] not in written
    assert "credential-of-openai" not in written


def test_headers_without_a_value_break_nothing(gateway, provider, tmp_path):
    target = {"provider": "openai", "base_url": f"{provider.address}/v1", "models": ["gpt-*"]}
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"targets": {"openai": target}}))
    with run_function(gateway.aws_endpoint, config, tmp_path / "log") as asked:
        bare = {"content-encoding": None, "api-key": None, "openai-beta": None}
        assert asked(sent({"input": "x"}, **bare)).status == 400


def test_the_line_of_a_request_tells_of_each_attempt_and_of_no_other_request(
    gateway, provider, tmp_path
):
    names = {"openai": 1, "azure": 2}
    targets = {
        name: {
            "provider": "openai",
            "base_url": f"{provider.address}/v1",
            "models": ["gpt-*"],
            "priority": rank,
        }
        for name, rank in names.items()
    }
    config, log = tmp_path / "config.json", tmp_path / "log"
    config.write_text(json.dumps({"targets": targets}))
    with run_function(gateway.aws_endpoint, config, log) as asked:
        provider.respond_with(encode_response(b"{}", 429))
        provider.respond_with(encode_response(json.dumps(make_response(new_id())).encode()))
        assert asked(make_create_event({"model": "gpt-5", "input": "x"})).status == 200
        assert asked(make_create_event("nonsense")).status == 400
    lines = [json.loads(line) for line in log.read_text().splitlines() if "answered" in line]
    told = [[(a["target"], a["status"]) for a in line.get("attempts", [])] for line in lines]
    assert told == [[("openai", 429), ("azure", 200)], []]
    assert all(a["ms"] > 0 for a in lines[0]["attempts"])
