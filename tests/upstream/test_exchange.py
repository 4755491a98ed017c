"""One request to one target: what is sent, what is passed on, and what each failure means."""

import json
import time
import tracemalloc

import httpx
import pytest

from antiphon.errors import (
    GatewayError,
    InvalidRequest,
    NoTimeLeft,
    UpstreamFailed,
    UpstreamNotReached,
    UpstreamTimeout,
)
from antiphon.providers.azure import Azure
from antiphon.providers.openai import OpenAI
from antiphon.providers.provider import Candidate
from antiphon.settings.config import Gateway
from antiphon.settings.targets import AzureTarget
from antiphon.upstream.exchange import Exchange
from antiphon.upstream.outcome import UpstreamRequest
from antiphon.upstream.stream import UpstreamStream
from tests.support.upstream import Over

OPENAI = Candidate("openai", OpenAI("https://api.openai.com/v1"), "gpt-5")
AZURE_TARGET = AzureTarget(provider="azure", endpoint="https://acme.azure.com", models={"a": "b"})
AZURE = Candidate("azure", Azure(AZURE_TARGET), "b")
CREATE = UpstreamRequest("POST", "/responses", body=b'{"model":"gpt-5"}')
JSON = {"content-type": "application/json"}
EVENTS = {"content-type": "text/event-stream"}
COMPLETED = b'data: {"type":"response.completed","response":{"id":"resp_1"}}\n\n'


class ByteStream(httpx.SyncByteStream):
    def __init__(self, pieces):
        self._pieces = pieces

    def __iter__(self):
        return iter(self._pieces)


def exchange(handler):
    return Exchange(Over(httpx.MockTransport(handler)), Gateway())


def send(handler, request=CREATE, candidate=OPENAI):
    return exchange(handler).send(candidate, "credential", request)


def answer(status=200, content=b"{}", headers=JSON):
    return lambda _request: httpx.Response(status, content=content, headers=headers)


def raises(error):
    def handler(_request):
        raise error

    return handler


def streamed(**changes):
    return UpstreamRequest("POST", "/responses", body=b"{}", streams=True, **changes)


def test_the_request_is_sent_as_the_target_takes_it():
    received = []

    def handler(request):
        received.append(request)
        return answer()(request)

    headers = {
        "accept": "application/json",
        "content-type": "text/plain",
        "openai-beta": "b=1",
        "cookie": "a=b",
        "authorization": "Bearer of the caller",
        "openai-organization": "org-x",
    }
    request = UpstreamRequest(
        "POST",
        "/responses",
        query="api-version=x&include%5B%5D=a&%61pi-Version[]=y",
        headers=headers,
        body_for=lambda model: json.dumps({"model": model}).encode(),
    )
    send(handler, request, AZURE)
    (got,) = received
    assert str(got.url) == "https://acme.azure.com/openai/v1/responses?include%5B%5D=a"
    assert got.read() == b'{"model": "b"}'
    assert dict(got.headers) == {
        "host": "acme.azure.com",
        "accept": "application/json",
        "connection": "keep-alive",
        "content-type": "application/json",
        "openai-beta": "b=1",
        "accept-encoding": "identity",
        "user-agent": "antiphon",
        "api-key": "credential",
        "content-length": "14",
    }


def test_only_known_headers_come_back():
    headers = {
        **JSON,
        "x-request-id": "req_1",
        "x-ratelimit-limit-tokens": "5",
        "set-cookie": "a=b",
        "openai-organization": "org-x",
        "openai-project": "proj_x",
    }
    got = send(answer(headers=headers))
    assert (got.target, got.status, got.content) == ("openai", 200, b"{}")
    assert got.headers == {
        "cache-control": "no-store",
        "content-type": "application/json",
        "x-request-id": "req_1",
        "x-ratelimit-limit-tokens": "5",
    }


@pytest.mark.parametrize("status", [*range(400, 600, 7), 500, 501, 502, 503, 504, 520, 524, 529])
def test_no_sdk_is_invited_to_repeat_a_create_that_may_have_been_processed(status):
    got = send(answer(status))
    may_have_been = status == 499 or (status >= 500 and status != 503)
    assert got.headers.get("x-should-retry") == ("false" if may_have_been else None)
    for method, path in (("GET", "/responses/resp_1"), ("POST", "/responses/resp_1/cancel")):
        assert "x-should-retry" not in send(answer(status), UpstreamRequest(method, path)).headers


@pytest.mark.parametrize(
    ("error", "expected", "code"),
    [
        (httpx.ConnectError("m"), UpstreamNotReached, "upstream_not_reached"),
        (httpx.ConnectTimeout("m"), UpstreamNotReached, "upstream_not_reached"),
        (httpx.ReadTimeout("m"), UpstreamTimeout, "upstream_timeout"),
        (httpx.WriteTimeout("m"), UpstreamTimeout, "upstream_timeout"),
        (httpx.ReadError("m"), UpstreamFailed, "upstream_failed"),
        (httpx.WriteError("m"), UpstreamFailed, "upstream_failed"),
        (httpx.RemoteProtocolError("m"), UpstreamFailed, "upstream_failed"),
        (httpx.DecodingError("m"), UpstreamFailed, "upstream_failed"),
        (httpx.LocalProtocolError("m"), InvalidRequest, None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_failure_of_the_transport_has_its_error(error, expected, code):
    with pytest.raises(GatewayError) as raised:
        send(raises(error))
    assert (type(raised.value), raised.value.code) == (expected, code)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(status):
    with pytest.raises(UpstreamFailed, match="redirect"):
        send(answer(status, headers={"location": "https://elsewhere.example"}))


@pytest.mark.parametrize("request_", [CREATE, streamed()], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    ("declared", "passed"),
    [
        ("application/json", "application/json"),
        ("application/json; charset=utf-8", "application/json; charset=utf-8"),
        ("Application/JSON; charset=utf-8", "application/json"),
        ("text/json", "text/json"),
        ("application/problem+json", "application/problem+json"),
        ("text/event-stream", "application/json"),
        ("text/html", "application/json"),
        ("", "application/json"),
    ],
)
def test_json_is_read_as_json_whatever_its_declared_type(declared, passed, request_):
    content = b' \n{"id":"resp_1"}'
    got = send(answer(content=content, headers={"content-type": declared}), request_)
    assert (got.content, got.members["id"], got.fault) == (content, "resp_1", None)
    assert got.headers["content-type"] == passed


@pytest.mark.parametrize("request_", [CREATE, streamed()], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    ("declared", "passed"),
    [
        ("text/event-stream; charset=utf-8", "text/event-stream; charset=utf-8"),
        ("Text/Event-Stream", "text/event-stream"),
        ("application/json", "text/event-stream"),
        ("", "text/event-stream"),
    ],
)
@pytest.mark.parametrize("start", [b"", b"\n", b": hi\n\n", b"event: response.completed\n"])
def test_events_are_read_as_events_whatever_their_declared_type(declared, passed, request_, start):
    content = start + COMPLETED
    pieces = (
        httpx.ByteStream(content)
        if len(start) > 1
        else [content[n : n + 1] for n in range(len(content))]
    )
    got = send(answer(content=pieces, headers={"content-type": declared}), request_)
    assert b"".join(batch.data for batch in got.body) == content
    assert got.headers["content-type"] == passed


@pytest.mark.parametrize("path", ["/responses/resp_1", "/responses/input_tokens", "/models"])
def test_events_are_no_answer_to_other_requests_than_creates(path):
    with pytest.raises(UpstreamFailed, match="in place of JSON"):
        send(answer(content=b"data: 1\n\n", headers=EVENTS), UpstreamRequest("GET", path))


@pytest.mark.parametrize("kind", ["text/html", "text/plain", ""])
@pytest.mark.parametrize("request_", [CREATE, streamed()], ids=["whole", "streamed"])
def test_what_is_neither_json_nor_events_is_a_fault(kind, request_):
    with pytest.raises(UpstreamFailed, match="in place of JSON"):
        send(answer(content=b"<html>", headers={"content-type": kind}), request_)
    got = send(answer(headers={"content-type": kind}), UpstreamRequest("DELETE", "/responses/r"))
    assert got.status == 200


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b'<p>{"id":"resp_1","status":"completed"}', {"id": "resp_1"}),
        (b'{"id":"resp_1","status":"completed","out', {"id": "resp_1"}),
        (b'{"status":"completed","usage":{"input_tokens":3,"o', {"usage": {"input_tokens": 3}}),
    ],
)
def test_of_what_is_not_passed_on_id_and_cost_are_found(content, found):
    got = send(answer(content=content))
    assert (got.content, got.reply().status) == (b"", 502)
    assert got.members == {**found, "status": None}


def test_an_answer_that_is_too_large_is_read_to_its_end():
    content = b'{"id":"resp_1","x":"%b","status":"completed"}' % (b"y" * 200_000)
    handler = answer(content=content)
    limits = Gateway(max_answer_bytes=100_000)
    got = Exchange(Over(httpx.MockTransport(handler)), limits).send(OPENAI, "credential", CREATE)
    reply = got.reply()
    assert (reply.status, reply.headers["x-should-retry"]) == (502, "false")
    assert b"'max_answer_bytes'" in reply.body
    assert got.members == {"id": "resp_1", "status": "completed"}
    larger = Gateway(max_answer_bytes=len(content))
    got = Exchange(Over(httpx.MockTransport(handler)), larger).send(OPENAI, "credential", CREATE)
    assert got.reply().body == content


@pytest.mark.parametrize(
    ("size", "most"), [(5_000_000, 2.3 * 5_000_000), (60_000_000, 6_500_000)], ids=["whole", "cut"]
)
def test_memory_is_bounded_for_an_answer_of_any_size(size, most):
    def pieces():
        yield b'{"id":"resp_1","x":"'
        for _ in range(size // 50_000):
            yield b"y" * 50_000
        yield b'","output":[%b{}],"status":"completed"}' % (b'{"x":[0,[1]]},' * 1_000)

    response = httpx.Response(200, headers=JSON, stream=ByteStream(pieces()))
    limits = Gateway(max_answer_bytes=5_200_000)
    tracemalloc.start()
    try:
        got = Exchange(Over(httpx.MockTransport(lambda _: response)), limits).send(
            OPENAI, "c", CREATE
        )
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert got.members["status"] == "completed"
    assert peak < most


def test_an_error_that_is_too_large_is_replaced():
    got = send(answer(500, b'{"error":"%b"}' % (b"x" * (1 << 20))))
    assert json.loads(got.content)["error"]["type"] == "server_error"


@pytest.mark.parametrize("candidate", [OPENAI, AZURE], ids=["openai", "azure"])
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (404, "invalid_request_error"),
        (429, "rate_limit_error"),
        (500, "server_error"),
        (503, "server_error"),
    ],
)
def test_an_error_without_a_body_gets_one_that_fits_its_status(candidate, status, kind):
    got = send(answer(status, b" ", {"content-type": "text/html"}), candidate=candidate)
    error = json.loads(got.content)["error"]
    assert f"status {status}" in error["message"]
    assert (error["type"], error["param"], error["code"]) == (kind, None, None)
    assert got.headers["content-type"] == "application/json"


@pytest.mark.parametrize("candidate", [OPENAI, AZURE], ids=["openai", "azure"])
def test_an_error_shows_no_id_of_the_account(candidate):
    body = b'{"error":{"message":"org-AbCdEf12345 in proj_AbCdEf12345","type":"t"}}'
    got = send(answer(429, body), candidate=candidate)
    assert b"AbCdEf12345" not in got.content
    assert b"org-redacted in proj-redacted" in got.content


@pytest.mark.parametrize(
    ("arn", "masked"),
    [
        ("arn:aws:sts::123456789012:assumed-role/Role/x", "arn:aws:sts::redacted"),
        (r"account ID: 123456789012, arn:aws:iam::123456789012:r\/R", "account ID: redacted, arn:aws:iam::redacted"),
        ("arn%3Aaws-cn%3Abedrock%3Ax%3A123456789012%3Aa", "arn%3Aaws-cn%3Abedrock%3Ax%3Aredacted"),
        *[("arn:aws:bedrock:eu-central-1::foundation-model/openai.a",) * 2],
    ],
)  # fmt: skip
def test_an_error_shows_no_account_of_aws(arn, masked):
    body = f'{{"error":{{"message":"User: {arn} is not allowed","type":"t"}}}}'.encode()
    assert f'"User: {masked} is not allowed"'.encode() in send(answer(429, body)).content


@pytest.mark.parametrize("value", ["ä", "a\x7f", "a\nb"])
def test_a_header_that_cannot_be_sent_is_dropped(value):
    def handler(request):
        assert "openai-beta" not in request.headers
        assert request.headers["session-id"] == "s"
        return answer()(request)

    headers = {"openai-beta": value, "session-id": "s"}
    assert send(handler, UpstreamRequest("GET", "/models", headers=headers)).status == 200


@pytest.mark.parametrize(
    ("error", "processed"),
    [(httpx.ConnectTimeout("m"), "no"), (httpx.ReadTimeout("m"), "unknown")],
    ids=["connect", "read"],
)
def test_at_the_deadline_the_error_is_the_gateway_s_own(error, processed):
    request = UpstreamRequest("POST", "/responses", body=b"{}", ends_at=time.monotonic() + 0.1)

    def handler(outgoing):
        while time.monotonic() < outgoing.extensions["ends_at"]:
            pass
        raise error

    with pytest.raises(GatewayError) as raised:
        send(handler, request)
    assert (raised.value.status, raised.value.code) == (504, "gateway_deadline")
    assert raised.value.processed == processed


def test_an_error_whose_body_is_too_long_is_passed_on_by_its_status():
    got = send(answer(429, b"x" * (1 << 20) + b"y"))
    assert (got.status, len(got.content)) == (429, len(got.content.strip()))
    assert b"status 429" in got.content


def test_without_time_left_nothing_is_sent():
    with pytest.raises(NoTimeLeft) as raised:
        send(raises(AssertionError), UpstreamRequest("GET", "/models", ends_at=time.monotonic()))
    assert raised.value.code == "gateway_deadline"


def test_the_timeouts_are_those_of_the_request():
    received = []

    def handler(request):
        received.append(request.extensions)
        return answer()(request)

    request = UpstreamRequest("GET", "/models", timeout_seconds=5, ends_at=time.monotonic() + 900)
    send(handler, request)
    (extensions,) = received
    assert extensions["head_timeout"] == 5
    assert (extensions["timeout"]["connect"], extensions["timeout"]["read"]) == (5, None)


def test_a_stream_is_open_at_its_first_event():
    got = send(answer(content=b": hi\n\n" + COMPLETED, headers=EVENTS), streamed())
    assert isinstance(got.body, UpstreamStream)
    assert b"".join(batch.data for batch in got.body) == b": hi\n\n" + COMPLETED
    assert got.body.ended == "response.completed"


def test_an_error_for_a_stream_request_is_read_whole():
    got = send(answer(400, b'{"error":{}}'), streamed())
    assert got.content == b'{"error":{}}'


def test_a_failure_closes_the_response():
    closed = []

    class Body(httpx.SyncByteStream):
        def __iter__(self):
            yield b": comment\n\n"

        def close(self):
            closed.append(True)

    handler = lambda _: httpx.Response(200, headers=EVENTS, stream=Body())  # noqa: E731
    with pytest.raises(UpstreamFailed):
        send(handler, streamed())
    assert closed == [True]
