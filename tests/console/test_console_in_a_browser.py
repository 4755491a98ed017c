"""A reader works with /console: every request goes to the gateway, nothing breaks its policy."""

import itertools
import re
from urllib.parse import urlsplit

import openai
import pytest

from tests.support.browser import WatchedPage, needs_chromium, open_page, run_browser
from tests.support.gateway import KEYS

pytestmark = needs_chromium

KEY = KEYS["acme"]
VIEWS = ("responses", "conversations", "files", "usage?of=requests", "limits", "playground")
READY = "main:not(:has([aria-busy])) h1"
# What Chromium writes for each answer that is an error.
NETWORK_LINE = "Failed to load resource"


@pytest.fixture(scope="module")
def browser():
    with run_browser() as browser:
        yield browser


@pytest.fixture
def client(played, door):
    with openai.OpenAI(base_url=played.base(door), api_key=KEY, max_retries=0) as client:
        yield client


@pytest.fixture
def url_client(played):
    """For what does not depend on the door."""
    with openai.OpenAI(base_url=played.url, api_key=KEY, max_retries=0) as client:
        yield client


@pytest.fixture(scope="module")
def tabs():
    """By address, with acme's key: loading one takes longer than most tests."""
    return {}


@pytest.fixture
def check():
    """Give it a tab: after the test, what the page has done is checked."""
    tabs = []
    yield tabs.append
    for tab in tabs:
        assert tab.violations == []
        assert [line for line in tab.console if NETWORK_LINE not in line] == []
        assert tab.hosts == {urlsplit(tab.page.url).netloc}


@pytest.fixture
def open_console(browser, played, tabs, check):
    """Opens a view for acme's key."""

    def open_console(door="url", view="limits", prefix=""):
        address = f"{played.base(door).removesuffix('/v1')}{prefix}/console"
        if address in tabs:
            tabs[address].forget()
            go(tabs[address].page, "usage?of=costs")  # also where the view is shown already
        else:
            tabs[address] = open_tab(browser, address)
            enter(tabs[address].page, KEY)
        check(tabs[address])
        go(tabs[address].page, view)
        return tabs[address]

    return open_console


@pytest.fixture
def new_console(browser, played, check):
    """The console in a profile of its own, which has no key."""
    tab = open_tab(browser, f"{played.url.removesuffix('/v1')}/console#/limits")
    check(tab)
    return tab


def open_tab(browser, address):
    tab = WatchedPage(browser.new_context(locale="en-GB").new_page())
    tab.page.goto(address)
    return tab


def enter(page, key):
    page.get_by_label("Key", exact=True).fill(key)
    page.get_by_role("button", name="Use key").click()
    page.wait_for_selector(READY)


def go(page, view):
    page.evaluate("view => { location.hash = `/${view}`; }", view)
    page.wait_for_selector(READY)


def branching_conversation(client):
    """A root that two responses continue, one of them continued again; the ids."""
    root = client.responses.create(model="gpt-5", input="first", metadata={"team": "console"})
    left = client.responses.create(model="gpt-5", input="left", previous_response_id=root.id)
    right = client.responses.create(model="gpt-5", input="right", previous_response_id=root.id)
    leaf = client.responses.create(model="gpt-5", input="leaf", previous_response_id=right.id)
    return root.id, left.id, right.id, leaf.id


def test_a_branching_conversation_of_the_sdk_is_shown(open_console, client, door):
    root, left, right, leaf = branching_conversation(client)
    page = open_console(door, f"responses/{leaf}", prefix="/openai/v1").page
    steps = page.locator(".step")
    assert steps.locator(".id").all_inner_texts() == [root, left, right, leaf]
    assert page.locator(".branch").all_inner_texts() == ["Branch 1 of 2", "Branch 2 of 2"]
    branches = page.locator(".branches > li")
    assert branches.nth(0).locator(".id").all_inner_texts() == [left]
    assert branches.nth(1).locator(".id").all_inner_texts() == [right, leaf]
    assert page.locator(".step[aria-current] .id").inner_text() == leaf
    detail = page.locator(".detail")
    assert {"completed", "gpt-5", "simulated", right} <= set(detail.locator("dd").all_inner_texts())
    assert re.search(r"Cost\n\$0\.\d+", detail.inner_text())


def test_a_text_is_read_from_the_provider_only_when_it_is_wanted(open_console, client, door):
    id = client.responses.create(model="gpt-5", input="<b>gladiolus</b>").id
    watched = open_console(door, f"responses/{id}")
    assert not [r for r in watched.requests if r.url.endswith(f"/responses/{id}")]
    assert "gladiolus" not in watched.page.content()
    watched.page.get_by_role("button", name="Ask the provider for the text").click()
    answer = watched.page.locator("[data-answer]")
    answer.wait_for()
    assert "<b>gladiolus</b>" in answer.inner_text()  # as text, not as markup
    go(watched.page, "limits")
    go(watched.page, f"responses/{id}")
    assert "gladiolus" not in watched.page.content()


def test_turns_of_a_conversation_and_what_continues_them(open_console, url_client):
    conversation = url_client.conversations.create(metadata={"topic": "turns"})
    turns = [
        url_client.responses.create(model="gpt-5", input="turn", conversation=conversation.id).id
        for _ in range(2)
    ]
    fork = url_client.responses.create(model="gpt-5", input="x", previous_response_id=turns[0]).id
    page = open_console(view="conversations").page
    page.get_by_role("link", name=conversation.id).click()
    page.wait_for_selector(".step")
    ids = page.locator(".step .id").all_inner_texts()
    assert ids == [conversation.id, turns[0], fork, turns[1]]
    assert page.locator(".branch").all_inner_texts() == ["Continued outside of the conversation"]
    page.locator(".step", has_text=fork).click()
    page.wait_for_selector(f".detail:has-text('{fork}')")


@pytest.mark.both_doors
def test_a_stream_arrives_event_by_event_and_is_continued(open_console, door):
    watched = open_console(door, "playground?model=sim-delay-150ms")
    page = watched.page
    page.get_by_label("Input").fill("one two three four")
    page.get_by_role("button", name="Send").click()
    seen = page.evaluate(
        """() => new Promise((resolve) => {
          const texts = new Set();
          const look = () => {
            const output = document.querySelector("[data-output]");
            if (output?.textContent) texts.add(output.textContent);
            if (document.querySelector("[aria-busy]")) requestAnimationFrame(look);
            else resolve([...texts]);
          };
          look();
        })"""
    )
    assert len(seen) > 3
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(seen))
    assert "one two three four" in seen[-1]
    assert "complete after" in page.locator("[data-facts]").inner_text()
    page.locator(".turn summary").click()
    names = [line.split()[-1] for line in page.locator(".event-name").all_inner_texts()]
    assert (names[0], names[-1]) == ("response.created", "response.completed")
    assert names.count("response.output_text.delta") >= len(seen)
    first = page.locator(".previous code").inner_text()
    page.get_by_label("Input").fill("and five")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(f".previous:not(:has-text('{first}'))")
    sent = [request.post_data_json for request in watched.requests if request.method == "POST"]
    assert [body.get("previous_response_id") for body in sent] == [None, first]


def test_a_stream_can_be_stopped(open_console):
    page = open_console(view="playground?model=sim-slow").page
    page.get_by_label("Input").fill("one two three four five six seven")
    page.get_by_role("button", name="Send").click()
    page.wait_for_selector("[data-output]:not(:empty)")
    page.get_by_role("button", name="Stop").click()
    page.wait_for_selector("[data-facts]:has-text('You stopped it')")
    assert page.get_by_role("button", name="Send").is_enabled()


@pytest.mark.parametrize(
    ("model", "parts"),
    [
        ("sim-failed", ["server_error"]),
        ("sim-429-quota", ["Status 429", "code insufficient_quota", "request "]),
        ("no-such-model", ["Status 404", "code model_not_found"]),
    ],
)
def test_an_error_has_its_message_and_code(open_console, model, parts):
    page = open_console(view=f"playground?model={model}").page
    page.get_by_label("Input").fill("x")
    page.get_by_role("button", name="Send").click()
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert all(part in alert.inner_text() for part in parts)


def test_a_wrong_key_is_named_and_can_be_replaced(new_console):
    page = new_console.page
    go(page, "files")
    enter(page, "sk-wrong-0123456789")
    assert "invalid_api_key" in page.get_by_role("alert").first.inner_text()
    page.get_by_role("button", name="Forget key").click()
    assert (
        page.evaluate("sessionStorage.length + localStorage.length + document.cookie.length") == 0
    )
    assert page.locator("h1").inner_text() == "Enter your key"
    enter(page, KEYS["newcomer"])
    assert "This tenant has no files." in page.locator("main").inner_text()
    for view in ("responses", "conversations", "usage"):
        go(page, view)
        assert page.locator(".notice").count() == 1


def test_responses_are_found_by_model_status_and_metadata(open_console, url_client):
    id = url_client.responses.create(model="gpt-5", input="x", metadata={"page": "of search"}).id
    page = open_console(view="responses").page
    page.get_by_label("Model").fill("gpt-5")
    page.get_by_label("Status").select_option("completed")
    page.get_by_label("Metadata").fill("page=of search")
    for _ in range(20):  # the index is written a moment later
        page.get_by_role("button", name="Search").click()
        page.wait_for_selector(READY)
        if page.get_by_role("link", name=id).count():
            break
        go(page, "limits")
        page.go_back()
    assert page.get_by_role("link", name=id).count() == 1
    assert "metadata=page%3Dof+search" in page.url
    for _ in range(21):
        url_client.responses.create(model="gpt-5", input="x")
    go(page, "responses")
    first = page.locator("tbody a").all_inner_texts()
    page.get_by_role("link", name="Next page").click()
    page.wait_for_selector("a:has-text('First page')")
    assert len(first) == 20
    assert not set(first) & set(page.locator("tbody a").all_inner_texts())


def test_limits_and_usage_are_drawn(open_console, url_client):
    url_client.responses.create(model="gpt-5", input="x")
    page = open_console().page
    assert "Tenant\nacme" in page.locator(".facts").first.inner_text()
    go(page, "usage?of=requests&days=7")
    assert page.locator("figure").count() == 4
    page.locator("summary").first.click()
    assert page.locator("figure").first.locator("tbody tr").count() == 7


def test_every_view_is_without_barriers(new_console, url_client):
    *_, leaf = branching_conversation(url_client)
    url_client.files.create(file=("notes.txt", b"x"), purpose="user_data")
    new_console.check_accessible()
    enter(new_console.page, KEY)
    for view in (*VIEWS, f"responses/{leaf}", "responses/resp_unknown"):
        go(new_console.page, view)
        new_console.check_accessible()


def test_everything_can_be_done_with_a_keyboard(new_console):
    page = new_console.page
    press = page.keyboard.press
    while page.evaluate("document.activeElement.id") != "key-field":
        press("Tab")
    page.keyboard.type(KEY)
    press("Enter")
    page.wait_for_selector(READY)
    assert page.evaluate("document.activeElement.tagName") == "H1"
    while page.evaluate("document.activeElement.textContent") != "Playground":
        press("Shift+Tab")
    press("Enter")
    page.wait_for_selector("form.playground")
    while page.evaluate("document.activeElement.id") != "field-input":
        press("Tab")
    page.keyboard.type("x")
    press("Control+Enter")
    page.wait_for_selector("a:has-text('Show it in its tree')")


def test_the_policy_is_in_force(browser, played):
    """Or the other tests would find no violation whatever the page did."""
    with open_page(browser) as watched:
        watched.page.goto(played.base("url").removesuffix("/v1") + "/console")
        watched.page.evaluate("fetch('http://127.0.0.1:9').catch(() => {})")
        script = (
            "() => { try { document.body.innerHTML = '<b>x</b>'; } catch { return 'refused'; } }"
        )
        assert watched.page.evaluate(script) == "refused"
        assert "connect-src http://127.0.0.1:9" in str(watched.violations)
