"""A reader opens /docs, gives a key and sends a request: with nothing from anywhere else."""

import json
from urllib.parse import urlsplit

import pytest

from tests.reference.browser import MISSING, PROGRAM, opened
from tests.support.events import make_response, new_id
from tests.support.gateway import KEYS
from tests.support.provider import encode_response

pytestmark = pytest.mark.skipif(PROGRAM is None, reason=MISSING)

CREATE = "#operations-Responses-createResponse"
BODY = '{"model": "gpt-5", "input": "Salve!"}'
SHOWN = f"{CREATE} .live-responses-table"


@pytest.fixture
def page(tmp_path):
    with opened(tmp_path) as page:
        yield page


@pytest.fixture(params=["url /docs", "rest /docs", "rest /openai/v1/docs"])
def address(gateway, request):
    door, path = request.param.split()
    return gateway.base(door).removesuffix("/v1") + path


def authorize(page, nth):
    page.click("button.authorize")
    page.write(f".auth-container:nth-of-type({nth}) input", KEYS["acme"])
    page.click(f".auth-container:nth-of-type({nth}) button.authorize")
    page.until("!!document.querySelector('.auth-container h6')")  # "Authorized"
    page.click(".modal-ux button.btn-done")
    page.until("!document.querySelector('.modal-ux')")


def create(page):
    """Send a request of one's own; the status that the page shows."""
    page.click(f"{CREATE} .opblock-summary-control")
    page.until(f"document.querySelector('{CREATE} textarea')?.value")
    page.write(f"{CREATE} textarea", BODY)
    page.click(f"{CREATE} .execute")
    return page.until(
        f"document.querySelector('{SHOWN} .response .response-col_status')?.innerText"
    )


def requested_urls(page):
    urls = (event["request"]["url"] for event in page.params_of("Network.requestWillBeSent"))
    return [url for url in urls if urlsplit(url).scheme not in {"data", "blob"}]


def log_entries(page):
    return [event["entry"]["text"] for event in page.params_of("Log.entryAdded")]


def test_a_reader_with_a_key_sends_a_request(page, address, provider):
    id = new_id()
    provider.respond_with(encode_response(json.dumps(make_response(id)).encode()))
    page.open(address)
    authorize(page, 1)
    assert create(page) == "200"
    assert id in page.value(f"document.querySelector('{SHOWN}').innerText")
    assert provider.received[0].body.decode() == BODY
    assert {urlsplit(url).netloc for url in requested_urls(page)} == {urlsplit(address).netloc}
    assert page.value("violations") == []
    assert log_entries(page) == []


def test_a_key_can_go_in_azure_s_header_too(page, gateway, provider):
    provider.respond_with(encode_response(json.dumps(make_response(new_id())).encode()))
    page.open(gateway.base("url") + "/docs")
    authorize(page, 2)
    assert create(page) == "200"
    requests = [event["request"] for event in page.params_of("Network.requestWillBeSent")]
    (sent,) = [request["headers"] for request in requests if request["method"] == "POST"]
    assert sent["api-key"] == KEYS["acme"]
    assert "Authorization" not in sent


def test_the_policy_is_in_force(page, gateway):
    """Or the other tests would find no violation whatever the page did."""
    page.open(gateway.base("url") + "/docs")
    page.until("!!document.querySelector('.opblock')")
    page.value("new Promise((done) => setTimeout(() => fetch('http://127.0.0.1:9').catch(done)))")
    page.value("document.body.setAttribute('style', 'color: red')")
    page.value("document.body.append(document.createElement('iframe'))")
    page.until("violations.length")
    assert "connect-src http://127.0.0.1:9" in str(page.value("violations"))


def test_a_key_is_forgotten_with_the_page(page, gateway):
    page.open(gateway.base("url") + "/docs")
    authorize(page, 1)
    stored = page.value("JSON.stringify([localStorage, sessionStorage, document.cookie])")
    assert KEYS["acme"] not in stored
