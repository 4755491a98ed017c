"""One request, as the log lines of the function describe it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from infra.traffic.meanings import explain

CALLER_GONE = "caller gone"
# Ends of a response that are no failure; those of a background response are not its last.
EXPECTED_ENDS = {None, "completed", "in_progress", "queued", "cancelled"}


@dataclass(frozen=True, kw_only=True)
class RequestRecord:
    """Milliseconds begin when the event arrives at the function; None: not known, or not there."""

    time: float  # epoch seconds at which the answer, or the first event of a stream, was ready
    request_id: str | None = None
    tenant: str | None = None
    key_id: str | None = None
    method: str | None = None
    path: str | None = None
    model: str | None = None
    target: str | None = None
    status: int | None = None
    stream: bool | None = None
    first_event_ms: float | None = None
    ms: float | None = None  # until the end, also of a stream
    input_tokens: int | None = None
    cached_tokens: int | None = None
    output_tokens: int | None = None
    service_tier: str | None = None
    cost_usd: float | None = None
    end: str | None = None  # of the response: completed, failed, incomplete, cut, caller gone, …
    code: str | None = None  # of the error
    message: str | None = None  # of the error; it may quote the request
    response_id: str | None = None
    source_ip: str | None = None  # of a refusal without a valid key
    attempts: Sequence[Mapping[str, Any]] = ()

    @property
    def is_error(self) -> bool:
        """Whether the caller got an error, or a response that did not end as it should."""
        return self.is_refused or self.end not in EXPECTED_ENDS

    @property
    def is_refused(self) -> bool:
        return self.status is None or self.status >= HTTPStatus.BAD_REQUEST

    @property
    def is_server_error(self) -> bool:
        return self.status is None or self.status >= HTTPStatus.INTERNAL_SERVER_ERROR

    @property
    def tokens(self) -> int:
        return (self.input_tokens or 0) + (self.output_tokens or 0)

    @property
    def reason(self) -> str:
        """Why it is an error, in few words: for a line of a terminal."""
        return self.message or self.reason_without_message

    @property
    def reason_without_message(self) -> str:
        if self.is_refused:
            return explain(self.code, self.status)
        return ": ".join(filter(None, (self.end, self.code)))

    def for_terminal(self) -> "RequestRecord":
        """Return it without characters that control a terminal: callers choose paths and models."""
        texts: dict[str, Any] = {
            name: _printable(value)
            for name, value in self.__dict__.items()
            if isinstance(value, str)
        }
        return replace(self, **texts)

    def to_json(self) -> dict[str, Any]:
        """Return what is known, with the time in UTC as RFC 3339 has it."""
        known = {name: value for name, value in asdict(self).items() if value not in (None, ())}
        return {**known, "time": format_utc(self.time)}


def _printable(text: str) -> str:
    """Replace control characters, and those that reverse a line; white space becomes a space."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "\ufffd" for c in text)


def format_utc(seconds: float) -> str:
    """Format epoch seconds as RFC 3339, with milliseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
