"""A chain of 200 turns: the last costs the table no more than the second."""

import http.client
import http.server
import json
import threading
from urllib.parse import urlsplit

import pytest

from tests.support.events import running
from tests.support.gateway import KEYS
from tests.support.provider import whole
from tests.support.samples import new_id, response

TURNS = 200


class Counter(http.server.BaseHTTPRequestHandler):
    """Passes calls on to the AWS behind it and writes down which they were."""

    calls: list[str]
    behind: str

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.calls.append(self.headers.get("x-amz-target", "").rpartition(".")[2])
        aws = http.client.HTTPConnection(urlsplit(self.behind).netloc, timeout=30)
        aws.request("POST", self.path, body, dict(self.headers))
        answer = aws.getresponse()
        told = answer.read()
        aws.close()
        self.send_response(answer.status)
        self.send_header("content-length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def counted(gateway):
    """An endpoint before the gateway's AWS, and the calls that it gets."""
    seen = {"calls": [], "behind": gateway.aws_endpoint}
    handler = type("Handler", (Counter,), seen)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", seen["calls"]
        server.shutdown()


@pytest.fixture
def function(counted, provider, tmp_path):
    endpoint, _ = counted
    target = {"provider": "openai", "base_url": f"{provider.address}/v1", "models": ["gpt-*"]}
    config = tmp_path / "config.json"
    patient = {"key_cache_seconds": 300}  # so that the key is read once, however slow the machine
    config.write_text(json.dumps({"gateway": patient, "targets": {"openai": target}}))
    with running(endpoint, config, tmp_path / "log") as asked:
        yield asked


def event(ask):
    http = {"method": "POST", "path": "/v1/responses"}
    return json.dumps(
        {
            "version": "2.0",
            "rawPath": "/v1/responses",
            "rawQueryString": "",
            "headers": {"authorization": f"Bearer {KEYS['acme']}"},
            "requestContext": {"http": http, "stage": "$default"},
            "body": json.dumps(ask),
            "isBase64Encoded": False,
        }
    ).encode()


def test_the_last_turn_costs_no_more_than_the_second(function, counted, provider):
    _, calls = counted

    def turn(parent):
        """One more response behind its parent; its id, and the calls that it took."""
        calls.clear()
        id = new_id()
        answer = {**response(id), "output": [{"type": "message", "id": new_id("msg")}]}
        provider.answers(whole(json.dumps(answer).encode()))
        got = function(event({"model": "gpt-5", "input": "x", "previous_response_id": parent}))
        assert got.status == 200
        return id, list(calls)

    id, first = turn(None)
    assert first == ["GetItem", "GetSecretValue", "PutItem", "BatchWriteItem"]  # the key first
    for _ in range(TURNS - 1):
        id, later = turn(id)
        assert later == ["GetItem", "PutItem", "BatchWriteItem"]  # the parent, the link, its items
