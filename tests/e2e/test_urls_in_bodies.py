"""Whatever URL a caller or a provider names, the gateway connects to its targets alone."""

import itertools
import json
import socket
from urllib.parse import urlsplit

import pytest

from tests.support.events import make_events, make_response, new_id
from tests.support.provider import encode_response, encode_stream
from tests.support.requests import create_conversation

# Each of them is an address of the listener.
FORMS = (
    "http://127.0.0.1:{port}/{n}",
    "http://user:password@localhost:{port}/{n}",
    "http://2130706433:{port}/{n}#x",
    "https://127.0.0.1:{port}/{n}?a=b",
    "http://[::ffff:127.0.0.1]:{port}/{n}",
    "//0x7f.1:{port}/{n}",
)
NAMES_OF_URLS = ("url", "image_url", "file_url", "video_url", "server_url", "href", "$ref", "uri")
HEADERS = ("referer", "origin", "x-base-url", "openai-base-url", "x-portkey-custom-host", "host")


class Listener:
    """A server that nobody must connect to, and URLs that lead to it."""

    def __init__(self, listening):
        self._listening = listening
        self._numbers = itertools.count()
        self.port = listening.getsockname()[1]

    def url(self):
        n = next(self._numbers)
        return FORMS[n % len(FORMS)].format(port=self.port, n=n)

    def urls(self, levels=3):
        """Each member that names a URL, as text, in an object, in a list, and all of that deeper."""
        members = {name: self.url() for name in NAMES_OF_URLS}
        members |= {f"x_{name}": [self.url(), {name: self.url()}] for name in NAMES_OF_URLS}
        return members | ({"more": self.urls(levels - 1)} if levels else {})

    def assert_untouched(self):
        self._listening.settimeout(0)
        with pytest.raises(BlockingIOError):
            self._listening.accept()


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield Listener(listening)


def make_tools(listener):
    """Tools that a provider connects to or that name what it fetches, also in lists of tools."""
    mcp = {
        "type": "mcp",
        "server_label": "a",
        "headers": {"x": listener.url()},
        "authorization": "t",
    }
    tools = [
        {**mcp, **listener.urls()},
        {"type": "web_search", "filters": {"allowed_domains": [listener.url()]}},
        {"type": "image_generation", "input_image_mask": {"image_url": listener.url()}},
        {"type": "function", "name": "f", "parameters": listener.urls()},
    ]
    return [*tools, {"type": "namespace", "name": "n", "description": "d", "tools": tools}]


def make_items(listener):
    content = [
        {"type": "input_text", "text": listener.url()},
        {"type": "input_image", "image_url": listener.url()},
        {"type": "input_file", "file_url": listener.url()},
        {"type": "brand_new", **listener.urls()},
    ]
    screenshot = {"type": "computer_screenshot", "image_url": listener.url()}
    return [
        {"role": "user", "content": content},
        {"type": "function_call_output", "call_id": "c", "output": content},
        {"type": "computer_call_output", "call_id": "c", "output": screenshot},
        {"type": "mcp_list_tools", "server_label": "a", "tools": make_tools(listener)},
        {"type": "additional_tools", "tools": make_tools(listener)},
        {"type": "brand_new", **listener.urls()},
    ]


def make_create(listener, **more):
    return {
        "model": "gpt-5",
        "input": make_items(listener),
        "tools": make_tools(listener),
        "text": {"format": {"type": "json_schema", "name": "n", "schema": listener.urls()}},
        "metadata": {"callback": listener.url()},
        **{name: listener.url() for name in ("base_url", "api_base", "webhook_url", "endpoint")},
        **more,
    }


def make_answer(listener, id, **more):
    """A response whose output names URLs, as citations and images do."""
    return {**make_response(id, output=make_items(listener)), **listener.urls(), **more}


BODIES = {
    "/responses": make_create,
    "/responses/input_tokens": make_create,
    "/responses/compact": make_create,
    "/conversations": lambda listener: {"items": make_items(listener)},
    "/conversations/{}": lambda listener: {"metadata": {"callback": listener.url()}},
    "/conversations/{}/items": lambda listener: {"items": make_items(listener)},
}


@pytest.mark.parametrize("path", BODIES)
def test_urls_pass_unchanged_and_none_is_fetched(client, provider, listener, path):
    conversation = create_conversation(client, provider) if "{}" in path else new_id("conv")
    id = new_id() if path.startswith("/responses") else conversation
    answer = json.dumps(make_answer(listener, id)).encode()
    provider.respond_with(encode_response(answer, location=listener.url()))
    body = json.dumps(BODIES[path](listener)).encode()
    headers = {**{name: listener.url() for name in HEADERS}, "content-type": "application/json"}
    headers["host"] = headers["x-forwarded-host"] = urlsplit(f"//127.0.0.1:{listener.port}").netloc
    got = client.post(path.format(conversation), content=body, headers=headers)
    assert (got.status_code, got.content) == (200, answer)
    assert [request.body for request in provider.received] == [body]
    listener.assert_untouched()


def test_none_is_fetched_for_a_stream_or_later_by_another_function(
    gateway, client, provider, listener
):
    streamed, queued = new_id(), new_id()
    events = make_events(streamed, **listener.urls())
    provider.respond_with(encode_stream(*events))
    got = client.post("/responses", json=make_create(listener, stream=True))
    assert got.content == b"".join(events)
    begun, done = (make_answer(listener, queued, status=each) for each in ("queued", "completed"))
    provider.respond_with_json(begun)
    provider.respond_to_settle(queued, encode_response(json.dumps(done).encode()))
    got = client.post("/responses", json=make_create(listener, background=True))
    assert got.status_code == 200
    gateway.wait_for_row(f"T#acme#R#{queued}", lambda row: row["status"] == "completed")
    assert len(provider.received) == 2
    listener.assert_untouched()
