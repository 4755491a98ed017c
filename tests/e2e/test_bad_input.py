"""Bad input gets a 4xx in OpenAI's envelope, and nothing reaches the provider."""

import base64
import http.client
import json
from urllib.parse import urlsplit

import pytest

from tests.support.events import make_response, new_id
from tests.support.gateway import KEYS

KEY = {"authorization": f"Bearer {KEYS['acme']}", "content-type": "application/json"}
PREVIOUS = "previous_response_id"


def with_parent(**parent):
    return json.dumps({"model": "gpt-5", "input": "x", **parent}).encode()


BODIES = {
    "not JSON": (b"x", 400, "body"),
    "empty": (b"", 400, "body"),
    "an array": (b"[]", 400, "body"),
    "twice a key": (b'{"model":"gpt-5","input":"x","model":"o3"}', 400, "model"),
    "NaN": (b'{"model":"gpt-5","input":"x","temperature":NaN}', 400, "temperature"),
    "infinite": (b'{"model":"gpt-5","input":"x","temperature":1e999}', 400, "temperature"),
    "byte-order mark": (b'\xef\xbb\xbf{"model":"gpt-5","input":"x"}', 400, "body"),
    "UTF-16": ('{"model":"gpt-5","input":"x"}'.encode("utf-16"), 400, "body"),
    "too deep": (b'{"model":"gpt-5","input":' + b"[" * 101 + b"]" * 101 + b"}", 400, "input"),
    "far too deep": (b'{"input":' + b"[" * 20_000 + b"]" * 20_000 + b"}", 400, "input"),
    "no model": (b'{"input":"x"}', 400, "model"),
    "no input": (b'{"model":"gpt-5"}', 400, "input"),
    "wrong type": (b'{"model":"gpt-5","input":"x","stream":"yes"}', 400, "stream"),
    "out of range": (b'{"model":"gpt-5","input":"x","temperature":3}', 400, "temperature"),
    "a huge number": (b'{"model":"gpt-5","input":"x","max_output_tokens":1e300}', 400, "max_output_tokens"),
    "a name in capitals": (b'{"model":"gpt-5","input":"x","Model":"o3"}', 400, "Model"),
    "many values": (b'{"model":"gpt-5","input":[%b0]}' % (b"0," * 200_000), 400, "body"),
    "many references": (with_parent(input=[{"id": f"msg_{n}"} for n in range(40_000)]), 400, "input"),
    "a long model": (with_parent(model="gpt-" + "5" * 4_000_000), 400, "model"),
    "two parents": (with_parent(conversation="c", previous_response_id="r"), 400, PREVIOUS),
    "unknown model": (b'{"model":"nobody-has-it","input":"x"}', 404, "model"),
    "unknown parent": (with_parent(previous_response_id="resp_no"), 400, PREVIOUS),
    "unknown conversation": (with_parent(conversation="conv_no"), 404, "conversation"),
    "too large": (json.dumps({"model": "gpt-5", "input": "x" * 4_500_001}).encode(), 413, None),
}  # fmt: skip


def send(gateway, door, body, headers=None, *, path="/responses", method="POST", base=None):
    """Send bytes that no HTTP client library has had a say in."""
    url = urlsplit(gateway.base(door))
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=60)
    try:
        connection.request(method, f"{base or url.path}{path}", body, headers or KEY)
        answer = connection.getresponse()
        names = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, names, answer.read()
    finally:
        connection.close()


def refused(gateway, provider, *args, **kwargs):
    status, headers, body = send(gateway, *args, **kwargs)
    error = json.loads(body)["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["message"]
    assert headers["content-type"] == "application/json"
    assert headers["x-antiphon-request-id"]
    assert provider.received == []
    return status, error


@pytest.mark.parametrize("name", BODIES)
def test_a_bad_body_is_refused_by_the_name_of_the_field(gateway, provider, door, name):
    body, status, param = BODIES[name]
    got, error = refused(gateway, provider, door, body)
    assert (got, error["param"]) == (status, param)
    assert error["type"] == "invalid_request_error"


GOOD = b'{"model":"gpt-5","input":"x"}'


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": "Bearer"},
        {"authorization": "Bearer "},
        {"authorization": "Bearer unknown-key-123"},
        {"authorization": KEYS["acme"]},
        {"authorization": f"Basic {base64.b64encode(KEYS['acme'].encode()).decode()}"},
        {"authorization": f"Bearer {KEYS['acme']} {KEYS['acme']}"},
        {"authorization": f"Bearer\t{KEYS['acme']}"},
        {"authorization": f"Bearer {KEYS['acme']}, Bearer {KEYS['umbra']}"},
        {"authorization": f"Bearer {KEYS['acme']}", "api-key": KEYS["umbra"]},
        {"authorization": "Bearer wrong-key-12345", "api-key": KEYS["acme"]},
        {"authorization": "Bearer " + "k" * 10_000},
        {"api-key": "short"},
        {"api-key": ""},
        {"x-api-key": KEYS["acme"]},
    ],
    ids=lambda headers: json.dumps(headers)[:40],
)
def test_nobody_comes_in_without_one_good_key(gateway, provider, door, headers):
    status, error = refused(gateway, provider, door, GOOD, headers or {"x-none": "1"})
    assert (status, error["code"]) == (401, "invalid_api_key")


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/nothing", "POST"),
        ("/responses/", "POST"),
        ("//responses", "POST"),
        ("/responses/../responses", "POST"),
        ("/responses%2f", "POST"),
        ("/responses;a", "POST"),
        ("/chat/completions", "POST"),
    ],
)
def test_what_is_not_served_is_a_404(gateway, provider, door, path, method):
    status, error = refused(gateway, provider, door, GOOD, path=path, method=method)
    assert (status, error["type"]) == (404, "invalid_request_error")


@pytest.mark.parametrize("prefix", ["/v1", "/openai/v1", "/openai"])
@pytest.mark.parametrize(
    ("path", "methods", "allow"),
    [
        ("/responses", ("PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"), "GET, HEAD, POST"),
        ("/responses/resp_1", ("PUT", "PATCH", "POST"), "DELETE, GET, HEAD"),
        ("/responses/resp_1/cancel", ("GET", "PUT"), "POST"),
        ("/conversations/conv_1/items/msg_1", ("POST", "PATCH"), "DELETE, GET, HEAD"),
        ("/models", ("POST",), "GET, HEAD"),
        ("/usage", ("PATCH",), "GET, HEAD"),
        ("/health", ("POST",), "GET, HEAD"),
    ],
)
def test_another_method_of_a_path_is_a_405(gateway, provider, door, prefix, path, methods, allow):
    base = urlsplit(gateway.base(door)).path.removesuffix("/v1") + prefix
    for method in methods:
        status, headers, body = send(gateway, door, GOOD, path=path, method=method, base=base)
        assert (status, headers["allow"]) == (405, allow)
        assert json.loads(body)["error"]["code"] == "endpoint_not_served"
    assert provider.received == []


@pytest.mark.parametrize(
    "query",
    [
        "model=o3",
        "a=b&Model=o3",
        "mod%65l=o3",
        "model[]=o3",
        "deployment=other",
        "%44eployment=other",
        "stream=true&stream=false",
        "Stream=true",
        "stream[]=true",
        "starting_after=1&starting%5Fafter=2",
    ],
)
def test_a_query_that_two_readers_could_read_differently_is_refused(gateway, provider, door, query):
    status, error = refused(gateway, provider, door, GOOD, path=f"/responses?{query}")
    assert status == 400
    assert error["param"]


def test_a_semicolon_passes_only_where_no_reader_takes_it_for_a_separator(gateway, provider):
    """API Gateway parses the query, so there it is part of a value, and is sent on encoded."""
    status, error = refused(gateway, provider, "url", GOOD, path="/responses?a=b;model=o3")
    assert (status, error["param"]) == (400, "model")
    provider.respond_with_json(make_response(new_id()))
    assert send(gateway, "rest", GOOD, path="/responses?a=b;model=o3")[0] == 200
    assert provider.received[0].line == "POST /v1/responses?a=b%3Bmodel%3Do3 HTTP/1.1"


def test_packed_bodies_are_not_unpacked(gateway, provider, door):
    headers = {**KEY, "content-encoding": "gzip"}
    status, error = refused(gateway, provider, door, b"\x1f\x8b\x08", headers)
    assert (status, error["code"]) == (415, "unsupported_content_encoding")


def test_bytes_that_are_no_utf_8_are_refused_by_the_url_and_replaced_by_api_gateway(
    gateway, provider
):
    body = b'{"model":"gpt-5","input":"\xff"}'
    assert refused(gateway, provider, "url", body)[1]["param"] == "input"
    provider.respond_with_json(make_response(new_id()))
    assert send(gateway, "rest", body)[0] == 200
    assert [got.body for got in provider.received] == [body.replace(b"\xff", "\ufffd".encode())]


@pytest.mark.parametrize(
    ("kind", "way_out"),
    [
        ("application/json", "name it by its `file_id`: client.uploads.upload_file_chunked("),
        ("multipart/form-data; boundary=x", "in parts: client.uploads.upload_file_chunked("),
    ],
)
def test_a_large_body_is_refused_with_a_way_out(gateway, provider, door, kind, way_out):
    headers = {**KEY, "content-type": kind}
    status, error = refused(gateway, provider, door, b"x" * 4_600_000, headers)
    assert (status, error["code"]) == (413, "request_too_large")
    assert "It has 4,600,000 bytes; the limit is 4,500,000." in error["message"]
    assert way_out in error["message"]


@pytest.mark.both_doors
@pytest.mark.parametrize(
    ("kind", "length", "rest"),
    [
        ("application/json", 6_300_000, b'{"message":"Request Too Long"}'),
        ("multipart/form-data; boundary=x", 4_720_000, b'{"message":"Request Too Long"}'),
        ("application/json", 10_500_000, b"HTTP content length exceeded 10485760 bytes."),
    ],
)
def test_a_body_beyond_lambdas_own_limit_gets_the_413_of_aws(
    gateway, provider, door, kind, length, rest
):
    status, _, body = send(gateway, door, b"x" * length, {**KEY, "content-type": kind})
    expected = rest if door == "rest" else b'{"message":"Request Entity Too Large"}'
    assert (status, body, provider.received) == (413, expected, [])


def test_both_spellings_of_the_key_are_taken(gateway, provider, door):
    for headers in ({"authorization": f"bearer {KEYS['acme']}"}, {"api-key": KEYS["acme"]}):
        status, _ = refused(gateway, provider, door, b"{}", headers)
        assert status == 400  # the key was good, the body was not


def test_health_needs_no_key(gateway, client, door):
    base = gateway.base(door).removesuffix("/v1")
    got = client.get(f"{base}/health", headers={"authorization": ""})
    assert (got.status_code, got.json()) == (200, {"status": "ok"})
