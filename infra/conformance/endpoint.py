"""The endpoint that is measured: sends requests, and reads JSON and streams of events."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httpx
from httpx_sse import EventSource, ServerSentEvent

type Json = dict[str, Any]

JSON_TYPE, STREAM_TYPE = "application/json", "text/event-stream"
DONE = "[DONE]"
TIMEOUT_SECONDS = 120.0
MAX_QUOTE = 200  # characters of a body in a message


class Violation(Exception):
    """What the endpoint did is not what the specification says; the message says what it was."""


def require(condition: object, message: str) -> None:
    """Raise Violation with the message if the condition does not hold."""
    if not condition:
        raise Violation(message)


@dataclass(frozen=True)
class Stream:
    """A streamed answer to its end; `events` is without `[DONE]`, `raw` with it."""

    headers: httpx.Headers
    raw: Sequence[ServerSentEvent]
    events: Sequence[Json]

    @property
    def final(self) -> Json:
        """The response of the last event."""
        require(self.events, "The stream has no events.")
        response = self.events[-1].get("response")
        require(isinstance(response, dict), f"The last event is {self.events[-1]['type']}.")
        return dict(response or {})

    def of(self, type: str) -> list[Json]:
        """All events of this type."""
        return [event for event in self.events if event["type"] == type]


@dataclass(frozen=True)
class Endpoint:
    """A base URL that ends in /v1, as a client with a key, and the model for all requests."""

    client: httpx.Client
    model: str

    def create(self, **body: object) -> Json:
        """Create a response; raise Violation unless it comes as JSON with status 200."""
        return self.post("/responses", **body)

    def post(self, path: str, **body: object) -> Json:
        answer = self.send("POST", path, json=self._with_model(body))
        require(answer.status_code == HTTPStatus.OK, _describe(answer))
        return read_json(answer)

    def refuse(self, **body: object) -> httpx.Response:
        """Send a create that has to be refused; return the answer, whichever it is."""
        return self.send("POST", "/responses", json=self._with_model(body))

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self.client.request(method, path, **options)

    def stream(self, **body: object) -> Stream:
        """Create a streamed response and read it to its end."""
        request = {**self._with_model(body), "stream": True}
        with self.client.stream("POST", "/responses", json=request) as answer:
            if answer.status_code != HTTPStatus.OK:
                answer.read()
                raise Violation(_describe(answer))
            raw = list(EventSource(answer).iter_sse())
        events = [json.loads(each.data) for each in raw if each.data != DONE]
        return Stream(answer.headers, raw, events)

    def _with_model(self, body: Mapping[str, object]) -> Json:
        return {"model": self.model, **body}


def read_json(answer: httpx.Response) -> Json:
    """Return the object in the body; raise Violation if there is none, or another content type."""
    kind = answer.headers.get("content-type", "")
    require(kind.startswith(JSON_TYPE), f"The content type is {kind!r}.")
    found = answer.json()
    require(isinstance(found, dict), "The body is no JSON object.")
    return dict(found)


def _describe(answer: httpx.Response) -> str:
    return f"HTTP {answer.status_code}: {answer.text[:MAX_QUOTE]}"


def open_client(url: str, key: str) -> httpx.Client:
    """Return a client of this base URL; it reads no variables for proxies."""
    return httpx.Client(
        base_url=url,
        headers={"authorization": f"Bearer {key}"},
        timeout=TIMEOUT_SECONDS,
    )
