import asyncio
import json

import pytest

from infra.rest_errors import FAILURE

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_each_chunk_of_the_runtime_is_a_chunk_to_the_caller_at_once(endpoints, gate):
    wait = ["gate", gate.port, "between"]
    call = await endpoints.steps("url", ["send", "a"], wait, ["send", "b"], ["send", "c"])
    assert await call.head() == 200
    assert await call.chunk() == b"a"
    between = await gate.arrival()  # "a" is here while the function still waits
    between.release()
    assert [await call.chunk() for _ in range(3)] == [b"b", b"c", b""]


async def test_many_chunks_at_once_are_not_merged(endpoints):
    call = await endpoints.steps("rest", ["many", 500, 10])
    await call.head()
    chunks = [await call.chunk() for _ in range(501)]
    assert chunks == [b"x" * 10] * 500 + [b""]


async def test_a_slow_caller_slows_the_function_and_loses_nothing(endpoints):
    call = await endpoints.steps("url", ["many", 400, 100_000])
    await call.head()
    assert len(await call.body()) == 40_000_000


async def test_status_headers_and_cookies_come_from_the_prelude(endpoints):
    prelude = {
        "statusCode": 418,
        "headers": {"X-One": "1", "content-length": "99", "Transfer-Encoding": "gzip"},
        "multiValueHeaders": {"X-Two": ["a", "b"]},
        "cookies": ["c=1", "d=2"],
    }
    call = await endpoints.steps("rest", ["prelude", prelude], ["send", "tea"])
    assert await call.answer() == b"tea"
    assert call.status == 418
    assert call.header("x-one") == ["1"]
    assert call.header("x-two") == ["a", "b"]
    assert call.header("set-cookie") == ["c=1", "d=2"]
    assert call.header("content-length") == []
    assert call.header("transfer-encoding") == ["chunked"]


MANY_STEPS = json.dumps([["send", "a"], ["many", 9, 10]]).encode()


@pytest.mark.parametrize("endpoint", ["url", "rest"])
@pytest.mark.parametrize(
    ("line", "body", "status"),
    [
        ("HEAD /event", b"", 200),
        ("HEAD /", MANY_STEPS, 200),
        ("POST /", b'[["prelude", {"statusCode": 204}], ["send", "x"]]', 204),
        ("POST /", b'[["prelude", {"statusCode": 304}], ["send", "x"], ["many", 9, 10]]', 304),
    ],
)
async def test_what_has_no_body_leaves_the_connection_to_the_next_answer(
    endpoints, endpoint, line, body, status
):
    call = await endpoints.send(endpoint, line, body)
    assert await call.head() == status
    assert call.header("transfer-encoding") == call.header("content-length") == []
    call.again("GET /event")
    event = json.loads(await call.answer())
    assert call.status == 200
    assert "GET" in {
        event.get("httpMethod"),
        event["requestContext"].get("http", {}).get("method"),
    }


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PATCH", "PURGE"])
async def test_every_method_reaches_the_function(endpoints, method):
    """No door of the stack answers one by itself: `ANY` in the REST API, no CORS at the URL."""
    url = await endpoints.send("url", f"{method} /method")
    assert await url.head() == 200
    assert url.header("x-method") == [method]


@pytest.mark.parametrize(
    ("endpoint", "body"),
    [("url", b"Internal Server Error"), ("rest", FAILURE.body().encode())],
)
@pytest.mark.parametrize("step", [["raise", "no"], ["exit", 3], ["prelude", {"statusCode": "?"}]])
async def test_a_failure_before_the_first_byte_is_a_502(endpoints, endpoint, body, step):
    call = await endpoints.steps(endpoint, step, ["send", "x"])
    assert await call.answer() == body
    assert call.status == 502


@pytest.mark.parametrize("step", [["raise", "no"], ["exit", 3]])
async def test_a_failure_after_the_first_byte_aborts_the_body(endpoints, step):
    call = await endpoints.steps("url", ["send", "a"], step)
    assert await call.head() == 200
    assert await call.chunk() == b"a"
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await call.chunk()


async def test_a_caller_that_goes_does_not_stop_the_function(endpoints, gate):
    wait = ["gate", gate.port, "running"]
    call = await endpoints.steps("url", ["send", "a"], wait, ["many", 40, 100_000], wait)
    await call.head()
    running = await gate.arrival()
    await call.close()
    running.release()
    to_the_end = await gate.arrival()
    to_the_end.release()
    again = await endpoints.steps("url", ["pid"])  # the environment is free for the next one
    assert int(await again.answer()) == running.pid


async def test_a_request_that_no_event_can_carry_is_refused(endpoints):
    announced = await endpoints.send("url", "POST /event", headers=[b"Content-Length: 6500000"])
    assert await announced.head() == 413
    form = [b"Content-Type: multipart/form-data; boundary=x"]
    grown = await endpoints.send("rest", "POST /event", b"x" * 4_720_000, form)
    assert await grown.answer() == b'{"message":"Request Too Long"}'
    assert grown.status == 413


@pytest.mark.parametrize(
    "line",
    [
        b"Authorization Bearer sk-canary-0123456789",
        b"Authorization: Bearer sk-canary-0123456789\x00",
        b"sk-canary-0123456789 : x",
        b"Content-Length: sk-canary-0123456789",
    ],
)
async def test_a_malformed_line_is_neither_printed_nor_repeated(endpoints, caplog, line):
    caplog.set_level("DEBUG")
    call = await endpoints.send("rest", "GET /event", headers=[line])
    assert await call.answer() == b'{"message":"Bad Request"}'
    assert call.status == 400
    assert "sk-canary" not in caplog.text
    assert "a request got status 400" in caplog.text


async def test_a_websocket_handshake_is_an_ordinary_get(endpoints):
    handshake = [b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Key: eA=="]
    call = await endpoints.send("url", "GET /event", headers=handshake)
    event = json.loads(await call.answer())
    assert call.status == 200
    assert event["headers"]["upgrade"] == "websocket"


async def test_expect_100_continue_is_answered(endpoints):
    call = await endpoints.send("url", "POST /event", b"x", [b"Expect: 100-continue"])
    assert await call.head() == 100
    assert json.loads(await call.answer())["body"] == "x"


async def test_bytes_of_headers_and_body_survive(endpoints):
    headers = [b"X-Latin: caf\xe9", b"Content-Encoding: gzip", b"Content-Type: application/json"]
    call = await endpoints.send("url", "POST /event?a=%C3%A9", b"\x1f\x8b\x08", headers)
    event = json.loads(await call.answer())
    assert event["headers"]["x-latin"] == "café"
    assert (event["body"], event["isBase64Encoded"]) == ("H4sI", True)
    assert event["queryStringParameters"] == {"a": "é"}
