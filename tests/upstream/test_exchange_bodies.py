"""Bodies of requests: JSON and forms go to the provider with the type by which they were read."""

import httpx
import pytest

from antiphon.http import Request
from antiphon.providers.openai import OpenAI
from antiphon.providers.provider import Candidate
from antiphon.schema.multipart import scan_form
from antiphon.settings.config import Gateway
from antiphon.upstream.exchange import Exchange
from antiphon.upstream.outcome import UpstreamRequest
from tests.support.forms import write_by_httpx
from tests.support.upstream import Over

OPENAI = Candidate("openai", OpenAI("https://api.openai.com/v1"), None)
FILE = bytes(range(256)) * 20
FORM_TYPE, FORM = write_by_httpx({"purpose": "batch"}, [("file", ("ä.bin", FILE))], '"b/(c)"')


def send(request, path="/files", headers=None, **how):
    """What the provider receives, and which headers of its answer pass."""
    received = []

    def handler(outgoing):
        received.append(outgoing)
        kind = {"content-type": "application/json", **(headers or {})}
        return httpx.Response(200, content=b"{}", headers=kind)

    upstream = UpstreamRequest.forward(request, path, **how)
    got = Exchange(Over(httpx.MockTransport(handler)), Gateway()).send(
        OPENAI, "credential", upstream
    )
    return received[0], got.headers


def test_a_form_passes_byte_for_byte_with_its_own_type():
    scan_form(FORM_TYPE, FORM)
    headers = {"content-type": FORM_TYPE, "openai-beta": "assistants=v2", "range": "bytes=0-1"}
    got, _ = send(Request("id", "POST", headers=headers, body=FORM), is_form=True)
    assert (got.headers["content-type"], got.read()) == (FORM_TYPE, FORM)
    assert got.headers["content-length"] == str(len(FORM))
    assert got.headers["openai-beta"] == "assistants=v2"
    assert "range" not in got.headers  # only for a download


@pytest.mark.parametrize(
    ("declared", "sent"),
    [
        (None, "application/json"),
        ("text/plain", "application/json"),
        ("multipart/form-data; boundary=json", "application/json"),
        ("Application/JSON; charset=utf-8", "Application/JSON; charset=utf-8"),
        ("application/merge-patch+json", "application/merge-patch+json"),
    ],
)
def test_what_was_read_as_json_is_sent_as_json(declared, sent):
    headers = {"content-type": declared} if declared else {}
    got, _ = send(Request("id", "POST", headers=headers, body=b'{"name":"x"}'))
    assert got.headers["content-type"] == sent


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_without_a_body_nothing_is_declared_for_the_caller(method):
    got, _ = send(Request("id", method))
    assert "content-type" not in got.headers
    assert got.headers.get("content-length") == ("0" if method == "POST" else None)


def test_headers_of_files_come_back():
    headers = {"openai-poll-after-ms": "500", "etag": '"a"', "accept-ranges": "bytes"}
    _, passed = send(Request("id", "GET"), headers=headers)
    assert {name: passed[name] for name in headers} == headers
