"""The log lines that describe a request: the function's own, Lambda's, and the local gateway's.

| line | written by | says |
|---|---|---|
| `answered` | the function, when the answer or the first event is ready | everything but the end |
| `stream ended` | the function, at the end of a stream | tokens, and how the response ended |
| `platform.report` | Lambda, at the end of an invocation | that the function failed or timed out |
| `reply` | the local gateway, at the end of a reply | message of an error; a caller that left |
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

ANSWERED, STREAM_ENDED = "answered", "stream ended"
REPORT, REPLY = "platform.report", "reply"
# What CloudWatch is to return of a log group.
FILTER_PATTERN = (
    f'{{ ($.message = "{ANSWERED}") || ($.message = "{STREAM_ENDED}") || '
    f'(($.type = "{REPORT}") && ($.record.status != "success")) }}'
)
FAILURES = {"timeout": "the function timed out", "error": "the function failed"}
_REFUSAL_LINE = re.compile(rb'"message": ?"refused"')
_REQUEST_LINE = re.compile(rb'"message": ?"(?:answered|stream ended)"')

type Json = Mapping[str, Any]


def is_request_line(line: bytes) -> bool:
    """Whether a function's line describes a request; fast, because each line is looked at."""
    return line.startswith(b"{") and _REQUEST_LINE.search(line) is not None


def is_refusal_line(line: bytes) -> bool:
    """Whether a function's line states an error that it answered a request with."""
    return line.startswith(b"{") and _REFUSAL_LINE.search(line) is not None


def parse_line(line: bytes | str) -> dict[str, Any] | None:
    """Return the object that a line has; None for a line of another kind, such as a traceback."""
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def read_time(line: Json) -> float:
    """Return when a line was written, in epoch seconds."""
    text = line.get("timestamp") or line.get("time")
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return datetime.now(UTC).timestamp()


def report_as_reply(line: Json) -> dict[str, Any] | None:
    """Return what Lambda's report says of the end; None for an invocation without a failure."""
    record = line.get("record")
    record = record if isinstance(record, dict) else {}
    status = str(record.get("status", "success"))
    if status == "success":
        return None
    message = FAILURES.get(status, status)
    return {"request_id": record.get("requestId"), "failure": message, "time": line.get("time")}
