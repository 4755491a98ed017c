"""/openapi.json, /docs and what it needs, as both doors serve them."""

import json
import re
from urllib.parse import urljoin

import httpx
import pytest

from antiphon.http_events import PREFIXES
from antiphon.settings.reference import PAGE_FILES
from infra.reference.document import PATH

LINK = re.compile(r'(?:href|src)="(docs/[^"]+)"')


@pytest.fixture
def root(gateway, door):
    return gateway.base(door).removesuffix("/v1")


@pytest.fixture(params=["", *PREFIXES])
def place(root, request):
    return root + request.param


@pytest.fixture
def anyone():
    with httpx.Client(timeout=60, trust_env=False) as client:
        yield client


def links(page):
    return LINK.findall(page.text)


def test_the_document_is_the_one_that_is_checked_in(root, anyone):
    answer = anyone.get(f"{root}/openapi.json")
    assert answer.status_code == 200
    assert answer.content == PATH.read_bytes()
    assert answer.headers["content-type"] == "application/json"


def test_servers_are_found_from_wherever_the_document_was_fetched(root, place, anyone):
    url = f"{place}/openapi.json"
    servers = anyone.get(url).json()["servers"]
    assert [urljoin(url, server["url"]) for server in servers] == [root + p for p in PREFIXES]


def test_below_a_stage_everything_is_found_too(root, anyone):
    """API Gateway takes /prod off the path; the browser must put it back by itself."""
    beside = urljoin("https://x.test/prod/docs", links(anyone.get(f"{root}/docs"))[0])
    assert beside.startswith("https://x.test/prod/docs/")
    server = anyone.get(f"{root}/openapi.json").json()["servers"][0]["url"]
    assert urljoin("https://x.test/prod/openapi.json", server) == "https://x.test/prod/v1"


def test_the_page_and_its_parts_come_from_here(place, anyone):
    page = anyone.get(f"{place}/docs")
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert {link.rpartition("/")[2] for link in links(page)} == PAGE_FILES.keys()
    for link in links(page):  # the scripts, too, so that none waits for the one that imports it
        part = anyone.get(urljoin(str(page.url), link))
        assert (part.status_code, link) == (200, link)


def test_nothing_on_the_page_is_inline_or_foreign(root, anyone):
    page = anyone.get(f"{root}/docs").text
    assert "//" not in page
    assert not re.search(r"<script(?![^>]* src=)|<style|\son\w+=|\sstyle=", page)


def test_the_page_may_do_no_more_than_it_must(place, anyone):
    headers = anyone.get(f"{place}/docs").headers
    policy = dict(rule.split(" ", 1) for rule in headers["content-security-policy"].split("; "))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self'",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_parts_are_stored_until_their_name_expires(root, anyone):
    page = anyone.get(f"{root}/docs")
    assert page.headers["cache-control"] == "no-cache"
    for link in links(page):
        part = anyone.get(f"{root}/{link}")
        assert part.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert part.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("accepted", "is_compressed"),
    [
        ("gzip, deflate, br, zstd", True),
        ("br;q=1.0, GZIP;q=0.5", True),
        ("*", True),
        ("", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000, *", False),
        ("br, *;q=0", False),
        ("gzip;q=much", False),
    ],
)
def test_a_client_gets_it_compressed_if_it_accepts_that(gateway, anyone, accepted, is_compressed):
    """The document below a prefix is one more form of it."""
    root = gateway.base("rest").removesuffix("/v1")
    part = next(link for link in links(anyone.get(f"{root}/docs")) if link.endswith(".js"))
    for path in ("docs", part, "openapi.json", "v1/openapi.json", "openai/v1/openapi.json"):
        plain = anyone.get(f"{root}/{path}", headers={"accept-encoding": "identity"})
        answer = anyone.get(f"{root}/{path}", headers={"accept-encoding": accepted})
        assert answer.headers.get("content-encoding") == ("gzip" if is_compressed else None), path
        assert answer.headers["vary"] == "accept-encoding"
        assert (answer.headers["etag"] == plain.headers["etag"]) is not is_compressed
        assert answer.content == plain.content
        assert answer.num_bytes_downloaded < len(plain.content) or not is_compressed


@pytest.mark.parametrize(
    ("ending", "type"),
    [
        (".css", "text/css; charset=utf-8"),
        (".js", "text/javascript; charset=utf-8"),
        (".svg", "image/svg+xml"),
    ],
)
def test_a_part_says_what_it_is(root, anyone, ending, type):
    found = [link for link in links(anyone.get(f"{root}/docs")) if link.endswith(ending)]
    assert found
    assert all(anyone.get(f"{root}/{link}").headers["content-type"] == type for link in found)


@pytest.mark.parametrize(
    "name",
    [
        "page.js",
        "0000000000000000/page.js",
        "openapi.json",
        "..",
        "../api.py",
        "..%2fopenapi.json",
        "%2e%2e%2fapi.py",
        "..%5capi.py",
        "%2fetc%2fpasswd",
    ],
)
def test_there_is_nothing_else_to_be_had(root, anyone, name):
    request = httpx.Request("GET", f"{root}/docs/x")
    request.url = request.url.copy_with(raw_path=f"/docs/{name}".encode())
    answer = anyone.send(request)
    assert answer.status_code == 404
    assert set(json.loads(answer.content)["error"]) == {"message", "type", "param", "code"}


def test_a_slash_too_many_leads_to_the_page(place, anyone):
    answer = anyone.get(f"{place}/docs/")
    assert answer.status_code == 308
    assert urljoin(str(answer.url), answer.headers["location"]) == f"{place}/docs"
