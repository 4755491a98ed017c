"""`python -m tests.bench.players.provider`: plays OpenAI, with little work of its own.

`bench-n200-d5` anywhere in a request asks for 200 deltas, 5 ms from each other.
"""

import asyncio
import itertools
import json
import re
import time
from typing import Any

from tests.bench.players.listening import serve
from tests.bench.players.requests import STREAM_HEAD, RequestProtocol, encode_whole

PACE = re.compile(rb"bench-n(\d+)-d([\d.]+)")
STREAMS = re.compile(rb'"stream": ?true')
USAGE = {
    "input_tokens": 36,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 200,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 236,
}
_numbers = itertools.count(1)


def _message(number: int, text: str) -> dict[str, Any]:
    part = {"type": "output_text", "annotations": [], "logprobs": [], "text": text}
    id = f"msg_{number:048x}"
    return {
        "id": id,
        "type": "message",
        "status": "completed",
        "role": "assistant",
        "content": [part],
    }


def _response(number: int, status: str, output: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": f"resp_{number:048x}",
        "object": "response",
        "created_at": 1_764_000_000,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": None,
        "model": "gpt-4.1-2025-04-14",
        "output": output,
        "parallel_tool_calls": True,
        "reasoning": {"effort": None, "summary": None},
        "service_tier": "default",
        "store": True,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto",
        "tools": [],
        "truncation": "disabled",
        "usage": USAGE if status == "completed" else None,
        "metadata": {},
    }


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


class EventStream:
    """The events of one stream, numbered as they come, each in a chunk of its own."""

    def __init__(self, deltas: int) -> None:
        self._number = next(_numbers)
        self._sequence = itertools.count()
        self._item = _message(self._number, " word" * deltas)
        self._place = {"item_id": self._item["id"], "output_index": 0, "content_index": 0}

    def beginning(self) -> bytes:
        begun = _response(self._number, "in_progress", [])
        part = {"type": "output_text", "annotations": [], "logprobs": [], "text": ""}
        return b"".join(
            (
                self._event("response.created", response=begun),
                self._event("response.in_progress", response=begun),
                self._event("response.output_item.added", output_index=0, item=self._item),
                self._event("response.content_part.added", **self._place, part=part),
            )
        )

    def delta(self) -> bytes:
        """Not by way of JSON, for this is what there are many of."""
        return _chunk(
            b"event: response.output_text.delta\n"
            b'data: {"type":"response.output_text.delta","sequence_number":%d,"item_id":"%b",'
            b'"output_index":0,"content_index":0,"delta":"@%d","logprobs":[],'
            b'"obfuscation":"aB3dE5fG7"}\n\n'
            % (next(self._sequence), self._item["id"].encode(), time.monotonic_ns())
        )

    def end(self) -> bytes:
        done, item = "response.output_text.done", self._item
        part = item["content"][0]
        response = _response(self._number, "completed", [item])
        return b"".join(
            (
                self._event(done, **self._place, text=part["text"], logprobs=[]),
                self._event("response.content_part.done", **self._place, part=part),
                self._event("response.output_item.done", output_index=0, item=item),
                self._event("response.completed", response=response),
                b"0\r\n\r\n",
            )
        )

    def _event(self, type: str, **more: Any) -> bytes:
        data = {"type": type, "sequence_number": next(self._sequence), **more}
        text = json.dumps(data, separators=(",", ":"))
        return _chunk(f"event: {type}\ndata: {text}\n\n".encode())


class Provider(RequestProtocol):
    def respond(self, headers: dict[bytes, bytes], body: bytes) -> None:  # noqa: ARG002  every path is a create
        pace = PACE.search(body)
        if pace and STREAMS.search(body):
            self._send_stream(int(pace[1]), float(pace[2]) / 1000)
        else:
            number = next(_numbers)
            answer = _response(number, "completed", [_message(number, " word" * 180)])
            self.transport.write(encode_whole(json.dumps(answer).encode()))

    def _send_stream(self, deltas: int, seconds: float) -> None:
        events = EventStream(deltas)
        self.transport.write(STREAM_HEAD + events.beginning())
        loop = asyncio.get_running_loop()
        begun = loop.time()

        def go_on(sent: int) -> None:
            """Each at its own time from the beginning, so that a late one delays no other."""
            if sent == deltas:
                self.transport.write(events.end())
                return
            self.transport.write(events.delta())
            loop.call_at(begun + (sent + 1) * seconds, go_on, sent + 1)

        go_on(0)


if __name__ == "__main__":
    asyncio.run(serve("provider", Provider))
