"""Responses and events of a provider, as small as they may be."""

import itertools
import json

from tests.support.canaries import CONTENT, OUTPUT

_numbers = itertools.count(1)
# What a provider may send, and a parser may refuse.
ODD_VALUES = {
    "half of a surrogate pair": b'"\\ud83d"',
    "an integer of 4,301 digits": b"9" * 4301,
    "300 arrays": b"[" * 300 + b"]" * 300,
    "30,000 arrays": b"[" * 30_000 + b"]" * 30_000,
    "invalid UTF-8": b'"\xff"',
    "NaN": b"NaN",
}


def new_id(kind: str = "resp") -> str:
    return f"{kind}_{next(_numbers):048x}"


def make_response(id: str, status: str = "completed", **more: object) -> dict[str, object]:
    usage = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}
    return {
        "id": id,
        "object": "response",
        "status": status,
        "model": "gpt-5-2026",
        "output": OUTPUT if status == "completed" else [],
        "usage": usage if status == "completed" else None,
        **more,
    }


def make_event(type: str, number: int, **more: object) -> bytes:
    data = json.dumps({"type": type, "sequence_number": number, **more})
    return f"event: {type}\ndata: {data}\n\n".encode()


def make_events(id: str, **more: object) -> list[bytes]:
    """The events of one completed response: created, one delta, completed. `more`: at its end."""
    return [
        make_event("response.created", 0, response=make_response(id, "in_progress")),
        make_event("response.output_text.delta", 1, item_id="msg_1", delta=CONTENT["output"]),
        make_event("response.completed", 2, response=make_response(id, **more)),
    ]


def parse_events(stream: bytes) -> list[dict[str, object]]:
    """The JSON of each event of a stream whose lines end with LF."""
    blocks = (block for block in stream.split(b"\n\n") if b"data: " in block)
    return [json.loads(block.partition(b"data: ")[2]) for block in blocks]
