"""Encodes events as bytes, and the points at which a scenario disconnects.

The encodings are those that the SSE standard allows:
https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import gzip
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from infra.local.simulator.items import Json

GZIP_WBITS = 16 + zlib.MAX_WBITS  # zlib's value for a gzip header
UNUSUAL_NUMBERS = '{ "odd" : [1e3, -0.0, 1.500, 1E-7, 12345678901234567890123, "\\u00e9\\/"],'
DONE = b"data: [DONE]\n\n"

type EventEncoder = Callable[[Json], bytes]
type ChunkTransform = Callable[[Chunks], Chunks]


@dataclass(frozen=True)
class Chunk:
    """Bytes of a stream, the type of their event, and when they are due, in seconds."""

    due: float
    type: str
    data: bytes


type Chunks = list[Chunk]


def encode_event(event: Json) -> bytes:
    return f"event: {event['type']}\ndata: {_compact_json(event)}\n\n".encode()


def encode_with_comment(event: Json) -> bytes:
    return b": keep-alive\n\n" + encode_event(event)


def encode_with_crlf(event: Json) -> bytes:
    return encode_event(event).replace(b"\n", b"\r\n")


def encode_with_cr(event: Json) -> bytes:
    return encode_event(event).replace(b"\n", b"\r")


def encode_multi_line(event: Json) -> bytes:
    lines = json.dumps(event, ensure_ascii=False, indent=1).splitlines()
    data = "\n".join(f"data: {line}" for line in lines)
    return f"event: {event['type']}\n{data}\n\n".encode()


def encode_without_name(event: Json) -> bytes:
    return f"data: {_compact_json(event)}\n\n".encode()


def encode_unusual_json(event: Json) -> bytes:
    """Encodes the event in valid JSON that common encoders do not produce."""
    spaced = json.dumps(event, separators=("  ,\t", " :  "))
    return f"data:{UNUSUAL_NUMBERS}\t{spaced[1:]} \nevent:{event['type']}\n\n".encode()


def _compact_json(event: Json) -> str:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))


def build_chunks(events: Sequence[Json], due: Sequence[float], encode: EventEncoder) -> Chunks:
    timed = zip(events, due, strict=True)
    return [Chunk(due, event["type"], encode(event)) for event, due in timed]


def unchanged_chunks(chunks: Chunks) -> Chunks:
    return chunks


def append_done(chunks: Chunks) -> Chunks:
    return [*chunks, Chunk(chunks[-1].due, "", DONE)]


def split_bytes(chunks: Chunks) -> Chunks:
    return [
        replace(chunk, data=chunk.data[index : index + 1])
        for chunk in chunks
        for index in range(len(chunk.data))
    ]


def join_chunks(chunks: Chunks) -> Chunks:
    return [replace(chunks[-1], data=b"".join(chunk.data for chunk in chunks))]


def compress_chunks(chunks: Chunks) -> Chunks:
    return list(_compress_each(chunks))


def _compress_each(chunks: Iterable[Chunk]) -> Iterator[Chunk]:
    compressor, last = zlib.compressobj(wbits=GZIP_WBITS), Chunk(0, "", b"")
    for last in chunks:
        data = compressor.compress(last.data) + compressor.flush(zlib.Z_SYNC_FLUSH)
        yield replace(last, data=data)
    yield replace(last, type="", data=compressor.flush())


def compress_body(body: bytes) -> bytes:
    return gzip.compress(body)


class DisconnectKind(StrEnum):
    """How a response ends early."""

    RESET = "reset"  # a TCP reset
    FIN = "fin"  # the connection is closed before the end of the body
    END = "end"  # the body ends as if it were complete


class DisconnectPoint(StrEnum):
    """Where a response ends early; a JSON body counts as a created, a delta and an end."""

    BEFORE_HEADERS = "before-headers"
    AFTER_HEADERS = "after-headers"
    AFTER_CREATED = "after-created"
    MID_DELTA = "mid-delta"
    BEFORE_COMPLETED = "before-completed"


DESCRIPTIONS = {
    DisconnectKind.RESET: "Resets the connection",
    DisconnectKind.FIN: "Closes the connection",
    DisconnectKind.END: "Ends the body as if it were complete",
    DisconnectPoint.BEFORE_HEADERS: "before the headers",
    DisconnectPoint.AFTER_HEADERS: "after the headers",
    DisconnectPoint.AFTER_CREATED: "after response.created",
    DisconnectPoint.MID_DELTA: "in the middle of a delta event",
    DisconnectPoint.BEFORE_COMPLETED: "after all but the terminal event",
}


@dataclass(frozen=True)
class Disconnect:
    """An early end of a response: how, where, and whether the body has a length."""

    kind: DisconnectKind
    point: DisconnectPoint
    close_delimited: bool = False  # the end of the connection is the end of the body

    @property
    def name(self) -> str:
        return f"{self.kind}-{self.point}" + ("-close" if self.close_delimited else "")

    @property
    def about(self) -> str:
        framing = ", without length or chunks" if self.close_delimited else ""
        return f"{DESCRIPTIONS[self.kind]} {DESCRIPTIONS[self.point]}{framing}."

    def remaining(self, chunks: Chunks) -> Chunks:
        """Returns the chunks that are sent before the disconnect."""
        return _REMAINING[self.point](chunks)


def all_disconnects() -> Iterator[Disconnect]:
    """Yields each combination that a client can distinguish."""
    yield Disconnect(DisconnectKind.RESET, DisconnectPoint.BEFORE_HEADERS)
    yield Disconnect(DisconnectKind.FIN, DisconnectPoint.BEFORE_HEADERS)
    for point in list(DisconnectPoint)[1:]:
        for kind in DisconnectKind:
            yield Disconnect(kind, point)
        yield Disconnect(DisconnectKind.RESET, point, close_delimited=True)
        # A FIN at the end of such a body looks the same as its normal end.
        yield Disconnect(DisconnectKind.END, point, close_delimited=True)


def _no_chunks(_chunks: Chunks) -> Chunks:
    return []


def _first_chunk(chunks: Chunks) -> Chunks:
    return chunks[:1]


def _until_middle_delta(chunks: Chunks) -> Chunks:
    deltas = [index for index, chunk in enumerate(chunks) if chunk.type.endswith(".delta")]
    middle = deltas[len(deltas) // 2]
    half = chunks[middle].data[: len(chunks[middle].data) // 2]
    return [*chunks[:middle], replace(chunks[middle], data=half)]


def _all_but_last_chunk(chunks: Chunks) -> Chunks:
    return chunks[:-1]


_REMAINING = {
    DisconnectPoint.BEFORE_HEADERS: _no_chunks,
    DisconnectPoint.AFTER_HEADERS: _no_chunks,
    DisconnectPoint.AFTER_CREATED: _first_chunk,
    DisconnectPoint.MID_DELTA: _until_middle_delta,
    DisconnectPoint.BEFORE_COMPLETED: _all_but_last_chunk,
}
