"""A reader opens /docs, gives a key and sends a request: with nothing from anywhere else."""

import json
from urllib.parse import urlsplit

import pytest

from tests.reference.browser import MISSING, PROGRAM, WatchedPage, run_browser
from tests.support.events import make_response, new_id
from tests.support.gateway import KEYS
from tests.support.provider import encode_response

pytestmark = pytest.mark.skipif(PROGRAM is None, reason=MISSING)

CREATE = "#operations-Responses-createResponse"
BODY = '{"model": "gpt-5", "input": "Salve!"}'
RESULT = f"{CREATE} .live-responses-table"


@pytest.fixture(scope="module")
def browser():
    with run_browser() as browser:
        yield browser


@pytest.fixture
def watched(browser):
    """A page in a profile of its own."""
    with browser.new_context() as context:
        yield WatchedPage(context.new_page())


@pytest.fixture
def page(watched):
    return watched.page


def authorize(page, nth):
    page.click("button.authorize")
    page.fill(f".auth-container:nth-of-type({nth}) input", KEYS["acme"])
    page.click(f".auth-container:nth-of-type({nth}) button.authorize")
    page.wait_for_selector(".auth-container h6")  # "Authorized"
    page.click(".modal-ux button.btn-done")
    page.wait_for_selector(".modal-ux", state="detached")


def create(page):
    """Sends the request that a reader writes; returns the status that the page shows."""
    page.click(f"{CREATE} .opblock-summary-control")
    page.fill(f"{CREATE} textarea", BODY)
    page.click(f"{CREATE} .execute")
    return page.inner_text(f"{RESULT} .response .response-col_status")


def requested_hosts(watched):
    urls = [urlsplit(request.url) for request in watched.requests]
    return {url.netloc for url in urls if url.scheme not in {"data", "blob"}}


# Where the page is opened, which of its two fields takes the key, and the header that has it.
READERS = [
    ("url", "/docs", 1, ("authorization", f"Bearer {KEYS['acme']}")),
    ("rest", "/openai/v1/docs", 2, ("api-key", KEYS["acme"])),
]


@pytest.mark.parametrize(("door", "path", "field", "header"), READERS, ids=["url", "rest"])
def test_a_reader_with_a_key_sends_a_request(
    watched, page, gateway, provider, door, path, field, header
):
    id = new_id()
    provider.respond_with(encode_response(json.dumps(make_response(id)).encode()))
    address = gateway.base(door).removesuffix("/v1") + path
    page.goto(address)
    authorize(page, field)
    assert create(page) == "200"
    assert id in page.inner_text(RESULT)
    assert provider.received[0].body.decode() == BODY
    (sent,) = [request.headers for request in watched.requests if request.method == "POST"]
    assert [(n, v) for n, v in sent.items() if n in {"authorization", "api-key"}] == [header]
    assert requested_hosts(watched) == {urlsplit(address).netloc}
    assert watched.violations == []
    assert watched.console == []
    stored = page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])")
    assert KEYS["acme"] not in stored  # so it is forgotten with the page


def test_the_policy_is_in_force(watched, page, gateway):
    """Or the other test would find no violation whatever the page did."""
    page.goto(gateway.base("url") + "/docs", wait_until="commit")
    page.evaluate("fetch('http://127.0.0.1:9').catch(() => {})")
    assert "connect-src http://127.0.0.1:9" in str(watched.violations)
    assert "Content Security Policy" in str(watched.console)
