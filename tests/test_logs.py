"""The log holds ids, sizes and times: nothing that a caller or a provider has said."""

import json

from tests.support.events import create, running
from tests.support.gateway import KEYS
from tests.support.provider import CLOSE, chunk, stream_head, whole
from tests.support.samples import event, new_id, response, story

MARK = "MARKER-0f3a"


def sent(body, key=KEYS["acme"], **headers):
    """An event in which every word of the caller's carries the mark."""
    return create(body, key, f"x={MARK}", **{"x-own": MARK, **headers})


def test_nothing_that_was_said_is_logged(gateway, provider, tmp_path):
    target = {"provider": "openai", "base_url": f"{provider.address}/v1", "models": ["gpt-*"]}
    config, log = tmp_path / "config.json", tmp_path / "log"
    config.write_text(json.dumps({"targets": {"openai": target}}))
    ask = {"model": "gpt-5", "input": MARK, "metadata": {MARK: MARK}, "user": MARK}
    spoken = event("response.output_text.delta", 1, delta=MARK)
    said = [{"type": "message", "id": new_id("msg"), "content": MARK}]
    with running(gateway.aws_endpoint, config, log) as asked:
        provider.answers(whole(json.dumps({**response(new_id()), "output": said}).encode()))
        assert asked(sent(ask)).status == 200
        provider.answers(stream_head(), chunk(story(new_id())[0]), chunk(spoken), CLOSE)
        assert asked(sent({**ask, "stream": True})).status == 200
        provider.answers(whole(json.dumps({"error": {"message": MARK}}).encode(), 500))
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
    with running(gateway.aws_endpoint, config, tmp_path / "log") as asked:
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
    with running(gateway.aws_endpoint, config, log) as asked:
        provider.answers(whole(b"{}", 429))
        provider.answers(whole(json.dumps(response(new_id())).encode()))
        assert asked(create({"model": "gpt-5", "input": "x"})).status == 200
        assert asked(create("nonsense")).status == 400
    lines = [json.loads(line) for line in log.read_text().splitlines() if "answered" in line]
    told = [[(a["target"], a["status"]) for a in line.get("attempts", [])] for line in lines]
    assert told == [[("openai", 429), ("azure", 200)], []]
    assert all(a["ms"] > 0 for a in lines[0]["attempts"])
