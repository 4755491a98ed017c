"""A reader opens /docs, gives a key and sends requests: with nothing from anywhere else."""

import json

import pytest

from tests.support.browser import needs_chromium, open_page, run_browser
from tests.support.events import make_events, new_id
from tests.support.gateway import KEYS
from tests.support.provider import LAST_CHUNK, Gate, encode_chunk, encode_stream_head

pytestmark = needs_chromium

BODY = '{"model": "gpt-5", "input": "Salve!", "stream": true}'
PLACES = [("url", "/docs"), ("rest", "/openai/v1/docs")]


@pytest.fixture(scope="module")
def browser():
    with run_browser() as browser:
        yield browser


def docs(gateway, door, path="/docs"):
    return gateway.base(door).removesuffix("/v1") + path


def send(page):
    page.click("main button[type=submit]")


@pytest.mark.both_doors
@pytest.mark.parametrize(("door", "path"), PLACES)
def test_a_reader_sees_each_event_as_it_comes(browser, gateway, provider, door, path):
    """The provider sends no second event before the first one is visible."""
    first, *others = map(encode_chunk, make_events(new_id()))
    gate = Gate()
    provider.respond_with(encode_stream_head() + first, gate, b"".join(others) + LAST_CHUNK)
    with open_page(browser) as watched:
        page = watched.page
        page.goto(docs(gateway, door, path) + "#createResponse")
        page.fill("input[type=password]", KEYS["acme"])
        page.fill("main textarea", BODY)
        send(page)
        assert "response.created" in page.inner_text(".events li")
        assert page.locator(".events li").count() == 1
        gate.open()
        page.wait_for_selector(".events li:nth-child(3)")
        page.wait_for_selector("[role=status] >> text=/^200 OK, complete/")
        assert provider.received[0].body.decode() == BODY
        (sent,) = [request.headers for request in watched.requests if request.method == "POST"]
        assert sent["authorization"] == f"Bearer {KEYS['acme']}"
        page.click("text=Show as curl")
        stored = page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])")
        assert KEYS["acme"] not in stored + page.inner_text("body")
        watched.check()


def test_a_reader_uploads_a_file_and_lists_files(browser, played):
    """By a form, a choice, and parameters in the query and in the path."""
    with open_page(browser) as watched:
        page = watched.page
        page.goto(docs(played, "url") + "#createFile")
        page.fill("input[type=password]", KEYS["acme"])
        page.get_by_label("purpose").fill("vision")
        upload = {"name": "a.txt", "mimeType": "text/plain", "buffer": b"one"}
        page.get_by_label("file", exact=False).set_input_files(upload)
        send(page)
        page.wait_for_selector("[role=status] >> text=/^200 OK, complete/")
        id = json.loads(page.inner_text(".result pre"))["id"]
        page.goto(docs(played, "url") + "#listFiles")
        page.get_by_label("purpose").fill("vision")
        page.get_by_label("order").select_option("asc")
        send(page)
        page.wait_for_selector(f".result >> text={id}")
        page.goto(docs(played, "url") + "#getFileContent")
        page.get_by_label("path, string").fill(id)
        send(page)
        page.wait_for_selector(".result >> text=3 bytes")
        watched.check()


def test_everyone_can_read_it(browser, gateway):
    """Also what is opened in an operation: schemas, examples, and the list on a phone."""
    with open_page(browser) as watched:
        page = watched.page
        page.goto(docs(gateway, "url"))
        page.wait_for_selector("main h2")
        watched.check_accessible()
        page.goto(docs(gateway, "url") + "#createResponse")
        page.click("main >> text=Schema of the body")
        page.click("main >> text=Members of tools")
        page.click("main >> text=/^Schema: text.event-stream/")
        page.click("main >> text=Example: >> nth=0")
        page.click("text=Show as curl")
        watched.check_accessible()
        for look, name in (("light", "Delete a vector store"), ("phone", "Create a vector store")):
            watched.look(look)
            if look == "phone":
                page.click("nav summary")
            page.get_by_label("Filter").fill(name.lower())
            page.click(f"nav >> text={name}")
            page.wait_for_function(f"document.title.includes('{name}')")
        watched.check()


def test_the_policy_is_in_force(browser, gateway):
    """Or the other tests would find no violation whatever the page did."""
    with open_page(browser) as watched:
        watched.page.goto(docs(gateway, "url"), wait_until="commit")
        watched.page.evaluate("fetch('http://127.0.0.1:9').catch(() => {})")
        assert "connect-src http://127.0.0.1:9" in str(watched.violations)
        assert "Content Security Policy" in str(watched.console)
