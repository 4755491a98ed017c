"""A failed invocation or start: its JSON and trailers for Lambda, and its log record."""

import base64
import importlib
import json
import os
import sys
import time
import traceback
from dataclasses import dataclass, replace
from itertools import dropwhile
from typing import Self

ERROR_TYPE = "Lambda-Runtime-Function-Error-Type"
ERROR_BODY = "Lambda-Runtime-Function-Error-Body"
# The Runtime API is a Go HTTP server, which refuses trailers longer than its 4 KB read buffer
# (net/http transfer.go: "suspiciously long trailer"); base64 turns three bytes into four.
MAX_TRAILER_JSON_BYTES = 2800
SHORT_MESSAGE_CHARACTERS = 160  # fit into a trailer, even at twelve bytes each when escaped
FRAMES_OF_THE_RUNTIME = (
    __file__.removesuffix("failure.py"),
    importlib.__file__,
    "<frozen importlib",
)


# After these the process must end, once the failure was reported.
EXITS = (SystemExit, KeyboardInterrupt)


class Fault(Exception):
    """An error that Lambda has a type for, such as Runtime.ImportModuleError."""

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(message)
        self.error_type = error_type


@dataclass(frozen=True)
class Failure:
    """An exception as text: its type, message and stack trace."""

    error_type: str
    message: str
    trace: tuple[str, ...] = ()

    @classmethod
    def from_exception(cls, error: BaseException) -> Self:
        text = traceback.TracebackException.from_exception(error)  # survives a broken __str__
        if isinstance(error, Fault):
            return cls(error.error_type, str(text), _format_trace(error.__cause__))
        if isinstance(error, EXITS):
            last_lines = "".join(text.format_exception_only())
            return cls("Runtime.ExitError", last_lines.strip(), _format_trace(error))
        return cls(type(error).__name__, str(text), _format_trace(error))

    def to_json(self, request_id: str = "") -> bytes:
        """The error object that the Runtime API and its trailers take."""
        return json.dumps(self._to_fields(request_id)).encode()

    def encode_trailers(self, request_id: str) -> bytes:
        """Trailers for a failure after the first byte; shortened, since the log has the rest."""
        body = base64.b64encode(self._to_short_json(request_id)).decode()
        fields = f"{ERROR_TYPE}: {self.error_type}\r\n{ERROR_BODY}: {body}\r\n"
        return fields.encode("latin-1", "backslashreplace")

    def _to_short_json(self, request_id: str) -> bytes:
        untraced = replace(self, trace=())
        short = replace(untraced, message=self.message[:SHORT_MESSAGE_CHARACTERS])
        for failure in (self, untraced):
            document = failure.to_json(request_id)
            if len(document) <= MAX_TRAILER_JSON_BYTES:
                return document
        return short.to_json(request_id)

    def _to_fields(self, request_id: str) -> dict[str, object]:
        return {
            "errorType": self.error_type,
            "errorMessage": self.message,
            "requestId": request_id,
            "stackTrace": self.trace,
        }

    def log(self, request_id: str = "") -> None:
        """Write the failure, with its trace, as one log record."""
        if _logs_json():
            _write_json("ERROR", self._to_fields(request_id))
        else:
            trace = ("Traceback (most recent call last):", *self.trace) if self.trace else ()
            _write_text("ERROR", f"{self.error_type}: {self.message}", *trace)


def log(level: str, message: str) -> None:
    """Write one record; `level` is one of Lambda's: WARN or ERROR."""
    if _logs_json():
        _write_json(level, {"message": message})
    else:
        _write_text(level, message)


def _logs_json() -> bool:
    """Whether Lambda filters records by their level, which it reads in JSON only."""
    return os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON"


def _write_json(level: str, fields: dict[str, object]) -> None:
    """Write a record in the form of AWS's own runtime client, which Lambda reads the level of.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
    """
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    _write(json.dumps({"timestamp": now, "level": level, **fields}))


def _write_text(level: str, *lines: str) -> None:
    """Write one record. CloudWatch starts a new one at a line feed, not at a carriage return."""
    record = "\r".join(line.rstrip("\n") for line in lines).replace("\n", "\r")
    _write(f"[{level}] {record}")


def _write(record: str) -> None:
    sys.stdout.write(record + "\n")
    sys.stdout.flush()


def _format_trace(error: BaseException | None) -> tuple[str, ...]:
    frames = traceback.extract_tb(error.__traceback__ if error else None)
    of_handler = dropwhile(lambda frame: frame.filename.startswith(FRAMES_OF_THE_RUNTIME), frames)
    return tuple(traceback.StackSummary.from_list(list(of_handler)).format())
