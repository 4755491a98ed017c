"""Puts the log lines of each request together."""

from collections import OrderedDict
from dataclasses import dataclass, fields, replace
from typing import Any

from infra.traffic.log_lines import (
    ANSWERED,
    REPLY,
    REPORT,
    STREAM_ENDED,
    Json,
    parse_line,
    read_time,
    report_as_reply,
)
from infra.traffic.record import CALLER_GONE, RequestRecord

MAX_OPEN = 10_000  # requests whose end is not known; of more the oldest ones are forgotten
FUNCTION_FAILED = "function_failed"  # the code where the function did not answer
_FROM_LOG = {each.name for each in fields(RequestRecord)} - {"time", "message", "end", "cost_usd"}


@dataclass(frozen=True)
class RequestLines:
    """The lines of one request that have arrived; they may come in any order."""

    answered: Json | None = None
    ended: Json | None = None
    reply: Json | None = None

    @property
    def is_streaming(self) -> bool:
        return self.answered is not None and self.ended is None and self._is_stream

    def is_complete(self, *, needs_reply: bool) -> bool:
        if self.reply is not None and self.reply.get("failure"):
            return True
        if self.answered is None or self.is_streaming:
            return False
        return self.reply is not None or not needs_reply

    def to_record(self) -> RequestRecord:
        answered, ended, reply = self.answered or {}, self.ended or {}, self.reply or {}
        lines = {**_basics(reply), **answered, **ended}
        known = {name: lines[name] for name in _FROM_LOG & lines.keys()}
        record = RequestRecord(**known, time=read_time(answered or reply), end=_end(lines, reply))
        failure = reply.get("failure")
        if failure:
            return replace(record, message=failure, code=record.code or FUNCTION_FAILED)
        return replace(record, message=reply.get("message"))

    @property
    def _is_stream(self) -> bool:
        return "first_event_ms" in (self.answered or {})


class RequestAssembler:
    """Give it each line; it returns a request when its last line has come."""

    def __init__(self, *, needs_reply: bool) -> None:
        """`needs_reply`: whether a line `reply` follows each request, as on a local gateway."""
        self._needs_reply = needs_reply
        self._open: OrderedDict[str, RequestLines] = OrderedDict()

    def streams_since(self, start: float) -> list[Json]:
        """Return the lines `answered`, since then, of the streams that have not ended."""
        lines = (each.answered for each in self._open.values() if each.is_streaming)
        return [line for line in lines if line is not None and read_time(line) >= start]

    def add(self, text: bytes | str) -> RequestRecord | None:
        line = parse_line(text)
        part = None if line is None else _part(line)
        if part is None:
            return None
        id, more = part
        if id is None:  # it never was at the function
            return RequestLines(**more).to_record()
        lines = replace(self._open.pop(id, RequestLines()), **more)
        if lines.is_complete(needs_reply=self._needs_reply):
            return lines.to_record()
        self._open[id] = lines
        if len(self._open) > MAX_OPEN:
            self._open.popitem(last=False)
        return None


def _part(line: dict[str, Any]) -> tuple[str | None, dict[str, Json]] | None:
    """Return the id of the request, and the line under its name; None for any other line."""
    id = line.get("request_id")
    if line.get("type") == REPORT:
        reply = report_as_reply(line)
        return None if reply is None else (reply["request_id"], {"reply": reply})
    if line.get("type") == REPLY:
        return id, {"reply": line}
    name = {ANSWERED: "answered", STREAM_ENDED: "ended"}.get(str(line.get("message")))
    return None if name is None or id is None else (id, {name: line})


def _basics(reply: Json) -> dict[str, Any]:
    """Return what a reply says of a request that the function has no line of."""
    names = ("request_id", "method", "path", "status")
    return {name: reply[name] for name in names if reply.get(name) is not None}


def _end(lines: Json, reply: Json) -> str | None:
    if reply.get("caller_gone"):
        return CALLER_GONE
    status = lines.get("response_status")
    return status if isinstance(status, str) else None
