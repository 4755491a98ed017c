"""Files through both doors: byte for byte, in parts, up to Lambda's limit, and never in memory."""

import base64
import json
import os

import httpx
import pytest

from antiphon.upstream.download import MAX_BYTES
from tests.e2e.test_resources import form, make
from tests.support.function import run_function
from tests.support.gateway import KEYS
from tests.support.processes import measured_growth
from tests.support.provider import (
    CLOSE,
    LAST_CHUNK,
    SILENCE,
    encode_chunk,
    encode_head,
    encode_response,
)

KIND = "application/octet-stream"
FILE = b'data: {"error":1}\r\n\0' + bytes(range(256)) * 900
PASSED = {
    "accept-ranges": "bytes",
    "content-disposition": "attachment; filename*=UTF-8''%C3%A4.pdf",
    "content-type": "application/pdf",
    "etag": '"a"',
}
MEGABYTE = 1_000_000


def head(length, status=200):
    return encode_head(status, KIND, {"content-length": str(length)})


def make_event(body, headers):
    """A Function URL's event of POST /v1/files."""
    return json.dumps(
        {
            "version": "2.0",
            "rawPath": "/v1/files",
            "headers": {"authorization": f"Bearer {KEYS['acme']}", **headers},
            "rawQueryString": "",
            "requestContext": {
                "http": {"method": "POST", "path": "/v1/files"},
                "stage": "$default",
            },
            "body": base64.b64encode(body).decode(),
            "isBase64Encoded": True,
        }
    ).encode()


@pytest.fixture
def path(client, provider):
    return f"/files/{make(client, provider)}/content"


def test_a_file_and_its_headers_pass_as_they_are(client, provider, path):
    provider.respond_with(
        encode_response(FILE, kind=PASSED["content-type"], **{**PASSED, "set-cookie": "a=b"})
    )
    response = client.get(path, headers={"range": "bytes=0-", "x-other": "1"})
    assert (response.status_code, response.content) == (200, FILE)
    assert PASSED.items() <= response.headers.items()
    assert "set-cookie" not in response.headers
    (got,) = provider.received
    assert got.headers["range"] == "bytes=0-"
    assert "x-other" not in got.headers


def test_a_part_of_a_file_is_a_part(client, provider, path):
    numbers = {"content_range": f"bytes 5-9/{len(FILE)}"}
    provider.respond_with(encode_response(FILE[5:10], 206, KIND, **numbers))
    response = client.get(path, headers={"range": "bytes=5-9", "if-range": '"a"'})
    assert (response.status_code, response.content) == (206, FILE[5:10])
    assert response.headers["content-range"] == numbers["content_range"]
    assert provider.received[0].headers["if-range"] == '"a"'


def test_a_file_without_bytes_has_none(client, provider, path):
    provider.respond_with(encode_response(b"", kind=KIND))
    response = client.get(path)
    assert (response.status_code, response.content) == (204, b"")


@pytest.mark.parametrize("status", [200, 206])
def test_a_file_that_lambda_would_cut_is_refused_before_it_begins(client, provider, path, status):
    provider.respond_with(head(MAX_BYTES + 1, status), b"x" * 1000, CLOSE)
    response = client.get(path)
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (400, "download_too_large")
    assert "Range" in error["message"]
    assert response.headers["x-should-retry"] == "false"


def test_an_error_in_place_of_a_file_is_one_of_openai(client, provider, path):
    provider.respond_with(encode_response(b"", 416, KIND))
    response = client.get(path, headers={"range": "bytes=9-"})
    assert (response.status_code, response.json()["error"]["type"]) == (
        416,
        "invalid_request_error",
    )


def test_a_head_takes_the_headers_of_a_file_and_none_of_its_bytes(client, provider, path):
    whole = encode_response(bytes(1_000_000), kind=KIND)
    provider.respond_with(whole[:2_000], SILENCE)
    response = client.head(path)
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-type"] == KIND
    assert [request.line.split()[0] for request in provider.received] == ["GET"]


def test_lambdas_deadline_breaks_a_file_off(hasty, provider):
    with hasty.client() as client:
        path = f"/files/{make(client, provider)}/content"
        provider.respond_with(head(1000), b"x" * 999, SILENCE)
        with pytest.raises(httpx.RemoteProtocolError):
            client.get(path)
        provider.respond_with(encode_response(FILE, kind=KIND))
        assert client.get(path).content == FILE  # the same runtime serves the next one


@pytest.mark.parametrize("chunked", [True, False])
def test_a_file_takes_no_memory(gateway, client, provider, path, chunked):
    size, piece = 50 * MEGABYTE, bytes(MEGABYTE)
    framing = {"transfer-encoding": "chunked"} if chunked else {"content-length": str(size)}
    pieces = [encode_chunk(piece) if chunked else piece] * 50
    script = (encode_head(200, KIND, framing), *pieces, *[LAST_CHUNK] * chunked)
    for answer in ((encode_response(FILE, kind=KIND),), script):
        provider.respond_with(*answer)
        with measured_growth(gateway.pid) as growth, client.stream("GET", path) as response:
            received = sum(map(len, response.iter_raw()))
    assert received == size
    assert growth.peak < 5 * MEGABYTE


def test_an_upload_takes_less_than_four_times_its_size(gateway, provider, tmp_path):
    """In a process of its own, whose memory no earlier request has enlarged."""
    config = tmp_path / "gateway.json"
    target = {"provider": "openai", "base_url": f"{provider.address}/v1", "models": ["*"]}
    config.write_text(json.dumps({"targets": {"openai": target}}))
    with run_function(gateway.aws_endpoint, config, tmp_path / "log") as function:

        def upload(content):
            headers, body = form("b", content)
            answer = json.dumps({"id": f"file-{len(content)}", "object": "file"}).encode()
            provider.respond_with(encode_response(answer))
            assert function(make_event(body, headers)).status == 200
            assert provider.received[-1].body == body
            return len(body)

        upload(b"x")  # loads what every request needs; before it the process may not run yet
        with measured_growth(os.getpid()) as growth:
            size = upload(bytes(range(256)) * 15_600)
    assert growth.peak < 4 * size
