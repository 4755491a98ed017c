"""Scripts of pages (CORS) and HEAD, at both doors; no answer without `cors_origins` has any."""

import pytest

from tests.support.events import make_events, new_id
from tests.support.provider import encode_stream
from tests.support.requests import create_response

ORIGIN = "https://app.example.com"  # as in the configuration of `hasty`
PREFLIGHT = {  # as Chromium sends it for openai-node
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization,content-type,x-stainless-lang",
    "sec-fetch-mode": "cors",
}
EXPOSED = {"retry-after", "x-antiphon-request-id", "x-antiphon-target", "x-ratelimit-limit-tokens"}


@pytest.fixture
def page(hasty, door):
    """A page of the listed origin, with a key for all but its preflights."""
    with hasty.client(door) as client:
        client.headers["origin"] = ORIGIN
        yield client


def test_a_browser_may_send_what_it_asks_for(page):
    del page.headers["authorization"]
    got = page.options("/responses", headers=PREFLIGHT)
    assert got.status_code == 200
    assert got.headers["access-control-allow-origin"] == ORIGIN
    assert "POST" in got.headers["access-control-allow-methods"]
    allowed = got.headers["access-control-allow-headers"]
    assert allowed == PREFLIGHT["access-control-request-headers"]
    assert int(got.headers["access-control-max-age"]) > 0
    assert got.headers["vary"] == "access-control-request-headers, origin"
    assert got.headers["x-antiphon-request-id"]


def test_a_page_may_read_every_answer_and_its_headers(page, provider):
    limits = {"retry_after": "1", "x_ratelimit_limit_tokens": "9"}
    provider.respond_with(encode_stream(*make_events(new_id()), **limits))
    streamed = page.post("/responses", json={"model": "gpt-5", "input": "x", "stream": True})
    refused = page.get("/responses/resp_unknown")
    without_key = page.get("/models", headers={"authorization": ""})
    assert [a.status_code for a in (streamed, refused, without_key)] == [200, 404, 401]
    for answer in (streamed, refused, without_key):
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        assert answer.headers["vary"] == "origin"
        assert "access-control-allow-credentials" not in answer.headers
    exposed = set(streamed.headers["access-control-expose-headers"].split(", "))
    assert exposed >= {*EXPOSED, "x-request-id", "x-antiphon-attempts"}


@pytest.mark.parametrize("origin", [None, "https://app.example.com.evil.test", "null", "*"])
def test_a_page_of_another_origin_may_read_nothing(page, origin):
    del page.headers["origin"]
    headers = PREFLIGHT if origin is None else {**PREFLIGHT, "origin": origin}
    for answer in (
        page.options("/responses", headers=headers),
        page.get("/models", headers=headers),
    ):
        assert "access-control-allow-origin" not in answer.headers
        assert answer.headers["vary"] == "origin"


def test_by_default_no_page_may_read_anything(client):
    preflight = client.options("/responses", headers={**PREFLIGHT, "origin": ORIGIN})
    answer = client.get("/health", headers={"origin": ORIGIN})
    assert (preflight.status_code, preflight.headers["allow"]) == (405, "GET, HEAD, POST")
    headers = {*preflight.headers, *answer.headers}
    assert not [name for name in headers if name.startswith("access-control") or name == "vary"]


def test_a_head_has_the_headers_of_a_get_and_no_body(provider, client):
    """A stored response costs its provider one GET, whose answer is dropped."""
    id = create_response(client, provider)
    for path in ("/health", "/openapi.json", "/models/gpt-5", "/responses", "/nowhere"):
        check_head(client.head(path), client.get(path))
    whole = encode_stream(*make_events(id))
    for _ in range(2):
        provider.respond_with(whole)
    path = f"/responses/{id}?stream=true"
    check_head(client.head(path), client.get(path))
    assert [request.line.split()[0] for request in provider.received] == ["GET", "GET"]


def check_head(head, get):
    own = {"x-antiphon-request-id", "x-request-id", "x-amzn-requestid", "date"}
    framing = {"content-length", "transfer-encoding", "connection"}
    kept = [{n: v for n, v in a.headers.items() if n not in own | framing} for a in (head, get)]
    assert (head.status_code, head.content, kept[0]) == (get.status_code, b"", kept[1])
