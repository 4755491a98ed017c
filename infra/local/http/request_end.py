"""How the reply to a request ended: what only the endpoint knows of it."""

import json
import time
from dataclasses import dataclass
from typing import Any

from infra.traffic.log_lines import REPLY
from infra.traffic.record import format_utc


@dataclass(frozen=True, kw_only=True)
class RequestEnd:
    """`request_id` is None where the function was not invoked."""

    request_id: str | None
    method: str
    path: str
    status: int | None = None
    message: str | None = None  # of an error
    failure: str | None = None  # why the function's reply is missing or incomplete
    caller_gone: bool = False

    def to_line(self) -> bytes:
        """Return a line that stands beside those of the function."""
        fields = {name: value for name, value in self.__dict__.items() if value}
        return json.dumps({"type": REPLY, "time": format_utc(time.time()), **fields}).encode()


def error_message(body: bytes) -> str | None:
    """Return the message of an error in OpenAI's envelope, or in that of AWS."""
    try:
        document: Any = json.loads(body)
        error = document.get("error") or document
        message = error["message"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return message if isinstance(message, str) else None
