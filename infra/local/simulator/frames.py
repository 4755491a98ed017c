"""Events as bytes: what OpenAI sends, and whatever else the SSE standard allows."""

import gzip
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from infra.local.simulator.items import Json

GZIP = 16 + zlib.MAX_WBITS  # a gzip header, for zlib
ODD_NUMBERS = '{ "odd" : [1e3, -0.0, 1.500, 1E-7, 12345678901234567890123, "\\u00e9\\/"],'
DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True)
class Frame:
    """Some bytes of a stream, the event they tell, and when they are due."""

    due: float
    type: str
    data: bytes


type Frames = list[Frame]
type Writes = Callable[[Json], bytes]
type Shapes = Callable[[Frames], Frames]


def plain(event: Json) -> bytes:
    return f"event: {event['type']}\ndata: {_json(event)}\n\n".encode()


def commented(event: Json) -> bytes:
    return b": keep-alive\n\n" + plain(event)


def crlf(event: Json) -> bytes:
    return plain(event).replace(b"\n", b"\r\n")


def cr(event: Json) -> bytes:
    return plain(event).replace(b"\n", b"\r")


def multi_line(event: Json) -> bytes:
    lines = json.dumps(event, ensure_ascii=False, indent=1).splitlines()
    data = "\n".join(f"data: {line}" for line in lines)
    return f"event: {event['type']}\n{data}\n\n".encode()


def nameless(event: Json) -> bytes:
    return f"data: {_json(event)}\n\n".encode()


def odd_json(event: Json) -> bytes:
    """The same meaning in JSON that no encoder of ours would write."""
    spaced = json.dumps(event, separators=("  ,\t", " :  "))
    return f"data:{ODD_NUMBERS}\t{spaced[1:]} \nevent:{event['type']}\n\n".encode()


def _json(event: Json) -> str:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))


def framed(events: Sequence[Json], due: Sequence[float], writes: Writes) -> Frames:
    timed = zip(events, due, strict=True)
    return [Frame(moment, event["type"], writes(event)) for event, moment in timed]


def whole(frames: Frames) -> Frames:
    return frames


def done_at_end(frames: Frames) -> Frames:
    return [*frames, Frame(frames[-1].due, "", DONE)]


def one_byte_each(frames: Frames) -> Frames:
    return [
        replace(frame, data=frame.data[index : index + 1])
        for frame in frames
        for index in range(len(frame.data))
    ]


def all_in_one(frames: Frames) -> Frames:
    return [replace(frames[-1], data=b"".join(frame.data for frame in frames))]


def gzipped(frames: Frames) -> Frames:
    return list(_gzipped(frames))


def _gzipped(frames: Iterable[Frame]) -> Iterator[Frame]:
    packer, last = zlib.compressobj(wbits=GZIP), Frame(0, "", b"")
    for last in frames:
        packed = packer.compress(last.data) + packer.flush(zlib.Z_SYNC_FLUSH)
        yield replace(last, data=packed)
    yield replace(last, type="", data=packer.flush())


def gzipped_whole(body: bytes) -> bytes:
    return gzip.compress(body)
