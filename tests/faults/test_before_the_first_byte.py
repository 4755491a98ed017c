"""What the caller's SDK does, and what it gets, where a provider fails before its first byte.

All calls are sent at once, with the retries that the SDK makes by itself; each test looks at one.
The expected values are those of a table in docs/faults.md.
"""

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import openai
import pytest

from tests.clients.sdk import opened
from tests.support.concurrency import IS_SOAK
from tests.support.events import new_id
from tests.support.gateway import KEYS
from tests.support.provider import CLOSE, RESET, SILENCE, encode_response

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
ERROR = b'{"error":{"message":"m","type":"t","param":"p","code":"c","more":[1]}}'
BODIES = {
    "json": (ERROR, "application/json"),
    "html": (b"<html>Bad</html>", "text/html"),
    "empty": (b"", "text/plain"),
}
BREAKS = {"reset": RESET, "closed": CLOSE, "silence": SILENCE}
NOT_REACHED = {  # the models of targets that no request can reach
    "connection refused": "refusing",
    "unknown name": "unknown",
    "untrusted certificate": "untrusted",
}
PASSES = "its own"  # the provider's body


@dataclass(frozen=True)
class Outcome:
    """What comes of one call: the error that the caller gets, and how often it was sent."""

    status: int
    code: str
    should_retry: str | None
    attempts: int
    sent: int

    @classmethod
    def of_row(cls, status, code, should_retry, attempts, sent):
        return cls(int(status), code, should_retry or None, int(attempts), int(sent))


@dataclass(frozen=True)
class Call:
    """One call of the SDK, for which the provider has one answer."""

    fault: str
    body: str
    stream: bool
    id: str = field(default_factory=new_id, compare=False)

    def script(self, address):
        if self.fault in BREAKS:
            return (BREAKS[self.fault],)
        body, kind = BODIES[self.body]
        headers = {"retry_after_ms": "1", "location": f"{address}/v1/followed"}
        return (encode_response(body, int(self.fault), kind, **headers),)


def read_table():
    """The rows of the page, by what the provider does."""
    section = PAGE.read_text().partition("## Before the first byte")[2].partition("## ")[0]
    rows = [[cell.strip(" `") for cell in row.split("|")] for row in section.splitlines()]
    return {row[1]: Outcome.of_row(*row[2:7]) for row in rows if len(row) > 7 and row[5].isdigit()}


TABLE = read_table()
CALLS = [
    Call(fault, body, stream)
    for number, fault in enumerate(TABLE)
    for place, body in enumerate(BODIES if fault.isdigit() else ("",))
    for stream in (False, True)
    # Of a status and a body one of both outside the soak; each status and each body has both.
    if IS_SOAK or not body or stream == bool((number + place) % 2)
]


async def send(client, call):
    """The error that one call ends with."""
    model = NOT_REACHED.get(call.fault, "gpt-5")
    with pytest.raises(openai.APIStatusError) as caught:
        await client.create(model=model, input=call.id, stream=call.stream)
    return caught.value


async def send_all(gateway):
    settings = {"base_url": gateway.url, "api_key": KEYS["acme"]}
    async with opened("async", **settings) as client:
        return await asyncio.gather(*(send(client, call) for call in CALLS))


@pytest.fixture(scope="module")
def outcomes(impatient, _provider, untrusted):
    """The error of each call, and how often it was sent."""
    _provider.reset()
    sent, calls, connections = Counter(), {call.id: call for call in CALLS}, len(untrusted.turns)

    def choose(request):
        if not request.body:  # the settle function's poll for another test, or a redirect
            sent["followed"] += "followed" in request.line
            return (CLOSE,)
        id = json.loads(request.body)["input"]
        sent[id] += 1
        return calls[id].script(_provider.address)

    _provider.respond_by(choose)
    errors = asyncio.run(send_all(impatient))
    _provider.reset()
    sent["connections"] = connections - len(untrusted.turns)
    return dict(zip(CALLS, errors, strict=True)), sent


def name(call):
    return f"{call.fault}-{call.body or 'break'}-{'streamed' if call.stream else 'whole'}"


@pytest.mark.parametrize("call", CALLS, ids=name)
def test_the_caller_gets_what_the_page_promises(outcomes, call):
    errors, sent = outcomes
    error, expected = errors[call], TABLE[call.fault]
    headers = error.response.headers
    attempts = int(error.request.headers["x-stainless-retry-count"]) + 1
    code = PASSES if expected.code == PASSES else error.response.json()["error"]["code"]
    if (call.fault, call.stream) == ("silence", False):
        code = code.replace("gateway_deadline", "upstream_timeout")
    got = Outcome(error.status_code, code, headers.get("x-should-retry"), attempts, sent[call.id])
    assert got == expected
    check_body(call, error.response, passes=expected.code == PASSES)


def check_body(call, got, *, passes):
    """The provider's own body; where there is none to pass, an error in OpenAI's form."""
    body, kind = BODIES.get(call.body, (b"", ""))
    if passes and body:
        assert (got.content, got.headers["content-type"]) == (body, kind)
    else:
        assert set(got.json()["error"]) == {"message", "type", "param", "code"}
        assert got.headers["content-type"] == "application/json"
    assert got.headers["x-antiphon-request-id"]
    if passes:
        assert got.headers["retry-after-ms"] == "1"


def test_nothing_is_sent_elsewhere_or_without_a_trusted_connection(outcomes):
    _, sent = outcomes
    assert sent["followed"] == 0
    attempts = 2 * TABLE["untrusted certificate"].attempts  # streamed and whole
    assert sent["connections"] == 2 * attempts


def test_the_page_has_each_status_and_fault():
    assert len([fault for fault in TABLE if fault.isdigit()]) >= 14
    assert {fault for fault in TABLE if not fault.isdigit()} == {*BREAKS, *NOT_REACHED}
