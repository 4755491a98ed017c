"""A chain of 200 turns: the last costs the table no more than the second."""

import http.client
import http.server
import json
import threading

import pytest
from moto.server import ThreadedMotoServer

from antiphon import wiring
from infra.local import aws
from infra.local.things import SECRET_PREFIX, TABLE, Things, queue_url
from tests.support.gateway import KEYS
from tests.support.provider import Provider, whole
from tests.support.samples import new_id, response

TURNS = 200


class Counter(http.server.BaseHTTPRequestHandler):
    """Passes calls on to moto and writes down which they were."""

    calls: list[str]
    behind: tuple[str, int]

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.calls.append(self.headers.get("x-amz-target", "").rpartition(".")[2])
        moto = http.client.HTTPConnection(*self.behind, timeout=30)
        moto.request("POST", self.path, body, dict(self.headers))
        answer = moto.getresponse()
        told = answer.read()
        moto.close()
        self.send_response(answer.status)
        self.send_header("content-length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, *_):
        """Say nothing."""


class Context:
    aws_request_id = "req"

    def get_remaining_time_in_millis(self):
        return 60_000


@pytest.fixture
def aws_calls(monkeypatch):
    """The endpoint of an empty AWS, and the calls that it gets."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    counted = {"calls": [], "behind": moto.get_host_and_port()}
    handler = type("Handler", (Counter,), counted)
    counter = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=counter.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{counter.server_port}", counted["calls"]
    counter.shutdown()
    counter.server_close()
    moto.stop()


@pytest.fixture
def provider():
    made = Provider()
    yield made
    made.close()


@pytest.fixture
def api(aws_calls, provider, tmp_path, monkeypatch):
    """The function's own handler, in this process, and the calls it makes of AWS."""
    endpoint, calls = aws_calls
    aws.make(Things([(KEYS["acme"], "acme")], {"openai": "credential"}), endpoint)
    config = tmp_path / "config.json"
    target = {"provider": "openai", "base_url": f"{provider.address}/v1", "models": ["gpt-*"]}
    config.write_text(json.dumps({"targets": {"openai": target}}))
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    env = {"TABLE_NAME": TABLE, "SECRET_PREFIX": SECRET_PREFIX, "CONFIG_FILE": str(config)}
    return wiring.api({**env, "QUEUE_URL": queue_url(endpoint)}), calls


def turn(api, provider, parent):
    """One more response behind its parent; its id, and the table's calls that it took."""
    handler, calls = api
    calls.clear()
    id = new_id()
    answer = {**response(id), "output": [{"type": "message", "id": new_id("msg")}]}
    provider.answers(whole(json.dumps(answer).encode()))
    ask = {"model": "gpt-5", "input": "x", "previous_response_id": parent}
    got = handler(event(json.dumps(ask)), Context())
    assert got["statusCode"] == 200
    assert b"".join(got["body"])
    return id, list(calls)


def event(body):
    http = {"method": "POST", "path": "/v1/responses"}
    return {
        "version": "2.0",
        "rawPath": "/v1/responses",
        "rawQueryString": "",
        "headers": {"authorization": f"Bearer {KEYS['acme']}"},
        "requestContext": {"http": http, "stage": "$default"},
        "body": body,
        "isBase64Encoded": False,
    }


def test_the_last_turn_costs_no_more_than_the_second(api, provider):
    id, first = turn(api, provider, None)
    assert first == ["GetItem", "GetSecretValue", "PutItem", "BatchWriteItem"]  # the key first
    for _ in range(TURNS - 1):
        id, calls = turn(api, provider, id)
        assert calls == ["GetItem", "PutItem", "BatchWriteItem"]  # the parent, the link, its items
