"""Recorded requests and scripted replies."""

import base64
import json

import httpx
import pytest

from infra.local.simulator.recording import MAX_REQUESTS
from infra.local.simulator.server import build_application, serve_in_thread
from tests.local.simulator.reply import KEY, send_create


@pytest.fixture
def recorder():
    """A simulator for one test."""
    with serve_in_thread(build_application(is_recording=True)) as address:
        yield address


def requests(recorder):
    return httpx.get(f"{recorder}/_sim/requests").json()


def script(recorder, *chunks, **more):
    encoded = [base64.b64encode(chunk).decode() for chunk in chunks]
    posted = httpx.post(f"{recorder}/_sim/script", json={"chunks_base64": encoded, **more})
    return posted.status_code


def test_a_request_is_recorded_unchanged(recorder):
    body = b'{ "model":"gpt-5",  "input": "\\u00e9" }'
    headers = [
        ("Authorization", "Bearer k"),
        ("X-Twice", "1"),
        ("x-twice", "2"),
        ("Content-Encoding", "br"),
    ]
    httpx.post(f"{recorder}/v1/resp%6Fnses?a=%20&a=b", headers=headers, content=body)
    recorded, *others = requests(recorder)
    assert not others
    assert (recorded["method"], recorded["path"], recorded["query"]) == (
        "POST",
        "/v1/resp%6Fnses",
        "a=%20&a=b",
    )
    assert [pair for pair in recorded["headers"] if pair[0].lower() == "x-twice"] == [
        ["X-Twice", "1"],
        ["x-twice", "2"],
    ]
    assert base64.b64decode(recorded["body_base64"]) == body


def test_recorded_requests_and_scripts_can_be_deleted(recorder):
    send_create(recorder)
    script(recorder, b"never played")
    assert httpx.delete(f"{recorder}/_sim/requests").status_code == 204
    assert requests(recorder) == []
    assert send_create(recorder).headers["content-type"] == "application/json"
    assert MAX_REQUESTS >= 1_000


def test_scripts_are_sent_in_order(recorder):
    script(
        recorder, b"\xff\x00", b"2", status=529, headers={"content-type": "text/odd", "x-a": "b"}
    )
    script(recorder, b"12345", headers={"content-length": "5"})
    first, second, third = send_create(recorder), send_create(recorder), send_create(recorder)
    assert (first.status, first.body) == (529, b"\xff\x002")
    assert (first.headers["x-a"], first.headers["content-type"]) == ("b", "text/odd")
    assert (second.status, second.body, second.headers["content-length"]) == (200, b"12345", "5")
    assert json.loads(third.body)["object"] == "response"
    assert len(requests(recorder)) == 3


def test_a_script_can_reset_or_close_the_connection(recorder):
    script(recorder, b"data: ", cut=True)
    script(recorder, b"data: ", close=True)
    reset, closed = send_create(recorder), send_create(recorder)
    assert (reset.body, type(reset.transport_error)) == (b"data: ", httpx.ReadError)
    assert (closed.body, closed.transport_error) == (b"data: ", None)
    assert "transfer-encoding" not in closed.headers


def test_a_script_waits_for_its_request(recorder):
    script(recorder, b"{}", method="GET", path="/responses/resp_1")
    assert json.loads(send_create(recorder).body)["object"] == "response"
    assert httpx.get(f"{recorder}/v1/responses/resp_1", headers=KEY).content == b"{}"


def test_an_invalid_script_is_rejected(recorder):
    assert script(recorder, b"", colour="red") == 400


def test_the_control_paths_need_recording():
    with serve_in_thread(build_application()) as address:
        assert httpx.get(f"{address}/_sim/requests").status_code == 404
        assert httpx.post(f"{address}/_sim/script", json={}).status_code == 404
