"""A provider's answer in each framing, cut at any byte, and each way to end the connection there."""

import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from tests.support.concurrency import IS_SOAK
from tests.support.events import make_response
from tests.support.provider import (
    CLOSE,
    LAST_CHUNK,
    RESET,
    SILENCE,
    FakeProvider,
    ReceivedRequest,
    Script,
    encode_chunk,
    encode_head,
    encode_response,
)

# What follows the last byte; the garbage has no line end, so that it completes no event.
ENDINGS = {
    "FIN": (CLOSE,),
    "RST": (RESET,),
    "silence": (SILENCE,),
    "garbage": (b"\x00\xff{garbage", CLOSE),
}
FRAMINGS = ("chunked", "sized", "until closed")
JSON, STREAM = "application/json", "text/event-stream; charset=utf-8"


@dataclass(frozen=True)
class Cut:
    """An answer of which only the first `at` bytes are sent."""

    framing: str
    ending: str
    at: int = 0

    def wire(self, pieces: list[bytes], kind: str) -> bytes:
        """The whole answer as it would be sent without the cut, one chunk for each piece."""
        body = b"".join(pieces)
        if self.framing == "chunked":
            body = b"".join(map(encode_chunk, pieces)) + LAST_CHUNK
        fields = {
            "chunked": {"transfer-encoding": "chunked"},
            "sized": {"content-length": str(len(body))},
            "until closed": {"connection": "close"},
        }
        return encode_head(200, kind, fields[self.framing]) + body

    def script(self, pieces: list[bytes], kind: str) -> Script:
        """A provider does not close a connection behind a whole answer; the next request is on it."""
        wire = self.wire(pieces, kind)
        if self.at >= len(wire) and self.framing != "until closed":
            return (wire,)
        return wire[: self.at], *ENDINGS[self.ending]

    def arrived(self, pieces: list[bytes], kind: str) -> bytes:
        """The part of the body that is among the first bytes."""
        _, _, body = self.wire(pieces, kind)[: self.at].partition(b"\r\n\r\n")
        if self.framing != "chunked":
            return body
        found = b""
        while size := re.match(rb"([0-9a-f]+)\r\n", body):
            length = int(size[1], 16)
            found += body[size.end() : size.end() + length]
            body = body[size.end() + length + 2 :]
        return found


def make_cuts(framing: str, ending: str, pieces: list[bytes], kind: str) -> list[Cut]:
    """A cut at every byte with ANTIPHON_SOAK, else at some of them.

    pytest-randomly seeds `random` and prints the seed: `-p "randomly_seed=N"` repeats a run.
    """
    whole = Cut(framing, ending)
    size = len(whole.wire(pieces, kind))
    # Behind a whole answer the gateway may use the connection again: what ends it there may take
    # the next request with it.
    is_last = framing == "until closed" and ending != "silence"
    places = range(size + 1 if is_last else size)
    if not IS_SOAK:
        choice = random.Random(f"{random.getrandbits(32)} {framing} {ending} {kind}")
        places = [*choice.sample(places, 2 if ending == "silence" else 4), places[-1]]
    return [replace(whole, at=at) for at in places]


def respond_with_cuts(
    provider: FakeProvider, cuts: dict[str, Cut], answer: Callable[[str], list[bytes]], kind: str
) -> None:
    """Cut the answer to the create whose input is an id, and complete each polled response."""

    def choose(request: ReceivedRequest) -> Script:
        if not request.body:  # the settle function's poll
            id = request.line.split()[1].rpartition("/")[2]
            return (encode_response(json.dumps(make_response(id)).encode()),)
        id = json.loads(request.body)["input"]
        provider.received.append(request)
        return cuts[id].script(answer(id), kind)

    provider.respond_by(choose)


def encode_json(id: str) -> list[bytes]:
    """A small response in two pieces."""
    body = json.dumps(make_response(id)).encode()
    return [body[:40], body[40:]]
