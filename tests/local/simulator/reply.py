"""A reply of the simulator: its bytes, its events, and the error of the connection."""

import json
import re
import ssl
from dataclasses import dataclass
from typing import get_args

import httpx
from openai.types.responses import Response, ResponseStreamEvent

LINE_END = re.compile("\r\n|\r|\n")
TYPES = {
    each.model_fields["type"].annotation.__args__[0]: each
    for each in get_args(get_args(ResponseStreamEvent)[0])
}
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # the usual one takes long to make
KEY = {"authorization": "Bearer sk-test"}


@dataclass(frozen=True)
class Reply:
    status: int
    headers: httpx.Headers
    chunks: list[bytes]
    transport_error: httpx.TransportError | None = None

    @property
    def body(self):
        return b"".join(self.chunks)

    @property
    def events(self):
        return read(self.body)

    @property
    def types(self):
        return [event["type"] for event in self.events]

    @property
    def error(self):
        return json.loads(self.body)["error"]


def read(body):
    """Parses the events of a stream, by the rules of https://html.spec.whatwg.org/#server-sent-events."""
    events, data = [], []
    for line in LINE_END.split(body.decode()):
        name, _, value = line.partition(":")
        if name == "data":
            data.append(value.removeprefix(" "))
        if not line and data:
            events.append("\n".join(data))
            data = []
    return [json.loads(event) for event in events if event != "[DONE]"]


def send_create(simulator, model="gpt-4.1", path="/v1/responses", headers=KEY, **body):
    """Sends a create request, and returns the reply as it was received."""
    payload = {"model": model, "input": "Hello there, friend", **body}
    with (
        httpx.Client(base_url=simulator, headers=headers, verify=NO_TLS) as client,
        client.stream("POST", path, json=payload) as reply,
    ):
        chunks = []
        try:
            chunks.extend(reply.iter_raw())
        except httpx.TransportError as exc:
            return Reply(reply.status_code, reply.headers, chunks, exc)
        return Reply(reply.status_code, reply.headers, chunks)


def check_events(events):
    """Checks that the SDK has a type for each event, and that the numbers are consecutive."""
    for event in events:
        TYPES[event["type"]].model_validate(event)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))


def check_response(response):
    Response.model_validate(response)
