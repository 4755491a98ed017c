"""Lambda's deadline, its SIGTERM, and a caller who is gone, at each moment of an answer."""

import json

import httpx
import pytest

from tests.conftest import configuration
from tests.faults.aws_proxy import run_aws_proxy
from tests.support.events import make_event, make_events, make_response, new_id, parse_events
from tests.support.function import make_create_event, run_function
from tests.support.gateway import KEYS, run_gateway
from tests.support.provider import (
    LAST_CHUNK,
    Gate,
    encode_chunk,
    encode_response,
    encode_stream_head,
)

CONFIG = """
[gateway]
circuit_failures = 1000000

[targets.openai]
provider = "openai"
base_url = "{address}/v1"
models = ["gpt-*"]
"""
SECONDS_LEFT = 4.0  # a third of which is kept for an orderly end
MEGABYTE = make_event("response.output_text.delta", 1, item_id="msg_1", delta="x" * (1 << 20))
EVENT_COUNT = len(make_events(""))


class Pause(Gate):
    """Shortly closed, so that a provider goes on and on."""

    def wait(self):
        return not self._event.wait(0.02)


@pytest.fixture(scope="module")
def function(tmp_path_factory, impatient, _provider):
    """A function of its own in the AWS of the gateway, whose settle function follows it up."""
    folder = tmp_path_factory.mktemp("function")
    config = folder / "gateway.toml"
    config.write_text(CONFIG.format(address=_provider.address))
    with (
        run_aws_proxy(impatient.aws_endpoint) as proxy,
        run_function(proxy.address, config, folder / "log") as running,
    ):
        assert running(make_create_event({})).status == 400  # it is warm
        yield running


def make_event_of(*, stream):
    return make_create_event({"model": "gpt-5", "input": "x", "stream": stream})


def make_scripts(id):
    """What a provider does until the deadline, and whether the request is for a stream."""
    head, (created, delta, _) = encode_stream_head(), map(encode_chunk, make_events(id))
    return {
        "no head": ((Gate(),), False),
        "no event": ((head, Gate()), True),
        "idle": ((head, created, Gate()), True),
        "active": ((head, created, *(Pause(), delta) * 1_000), True),
    }


@pytest.mark.parametrize("name", make_scripts(""))
def test_the_deadline_ends_an_answer_in_order(function, impatient, provider, name):
    id = new_id()
    script, stream = make_scripts(id)[name]
    provider.respond_with(*script)
    got = function(make_event_of(stream=stream), SECONDS_LEFT)
    if name.startswith("no"):
        assert (got.status, got.headers["x-should-retry"]) == (504, "false")
        assert json.loads(got.body)["error"]["code"] == "gateway_deadline"
        return
    events = parse_events(got.body)
    assert [event["type"] for event in events[-2:]] == ["error", "response.failed"]
    assert (events[-2]["code"], events[-1]["response"]["id"]) == ("gateway_deadline", id)
    assert [event["type"] for event in events].count("response.failed") == 1
    assert impatient.row(f"T#acme#R#{id}")["unfinished"]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_behind_the_deadline_nothing_is_sent(function, provider, stream):
    got = function(make_event_of(stream=stream), seconds_left=0)
    assert (got.status, json.loads(got.body)["error"]["code"]) == (504, "gateway_deadline")
    assert provider.received == []


@pytest.mark.parametrize("is_slow", [False, True], ids=["fast", "slow"])
@pytest.mark.parametrize("events", range(EVENT_COUNT + 1))
def test_an_answer_that_cannot_be_delivered_is_recorded(
    function, impatient, provider, events, is_slow
):
    """A slow provider sends the rest of its events behind the cut, and is then hung up on."""
    id, cut, end = new_id(), Gate(), Gate()
    sent = list(map(encode_chunk, make_events(id)))
    before = max(events, 1) if is_slow else EVENT_COUNT
    is_left = before < EVENT_COUNT
    rest = (*sent[before:], end) if is_left else (LAST_CHUNK,)
    provider.respond_with(encode_stream_head(), *sent[:before], cut, *rest)
    provider.respond_to_settle(id, encode_response(json.dumps(make_response(id)).encode()))
    function.cut(make_event_of(stream=True), events)
    cut.open()
    end.open()
    assert not is_left or provider.hung_up.wait(60)
    row = impatient.wait_for_row(f"T#acme#R#{id}", lambda row: row["status"] == "completed")
    assert row["usage"]["total_tokens"] == 7
    provider.respond_with_json(make_response(new_id()))
    assert function(make_event_of(stream=False)).status == 200


def test_a_reader_that_stops_reading_leaves_a_link_that_is_followed(function, impatient, provider):
    id = new_id()
    created = encode_chunk(make_events(id)[0])
    # More than all buffers on the way to the caller.
    provider.respond_with(encode_stream_head(), created, *[encode_chunk(MEGABYTE)] * 64)
    provider.respond_to_settle(id, encode_response(json.dumps(make_response(id)).encode()))
    with function.begin(make_event_of(stream=True), SECONDS_LEFT):
        row = impatient.wait_for_row(f"T#acme#R#{id}", lambda row: row["status"] == "completed")
    assert row["unfinished"] is None
    assert row["usage"]["total_tokens"] == 7
    assert provider.hung_up.is_set()


def test_sigterm_ends_a_stream_with_the_pair(tmp_path, provider, issuer):
    config, id, gate = tmp_path / "gateway.toml", new_id(), Gate()
    config.write_text(configuration(provider, issuer))
    created = make_events(id)[0]
    provider.respond_with(encode_stream_head(), encode_chunk(created), gate)
    headers = {"authorization": f"Bearer {KEYS['acme']}"}
    with httpx.Client(headers=headers, trust_env=False, timeout=60) as client:
        with run_gateway(config, tmp_path / "ready.json", "--concurrency", "1") as gateway:
            body = {"model": "gpt-5", "input": "x", "stream": True}
            request = client.build_request("POST", f"{gateway.url}/responses", json=body)
            pieces = client.send(request, stream=True).iter_raw()
            assert next(pieces) == created
        error, failed = parse_events(b"".join(pieces))
    assert error["error"]["code"] == "gateway_stopped"
    assert (failed["type"], failed["response"]["id"]) == ("response.failed", id)
