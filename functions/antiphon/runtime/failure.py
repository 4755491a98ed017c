"""What went wrong: as Lambda is told, and as the log shows it."""

import base64
import importlib
import json
import sys
import traceback
from dataclasses import dataclass, replace
from itertools import dropwhile
from typing import Self

ERROR_TYPE = "Lambda-Runtime-Function-Error-Type"
ERROR_BODY = "Lambda-Runtime-Function-Error-Body"
# Go's HTTP server, which the Runtime API is, refuses trailers that outgrow its 4 KB read buffer
# (net/http transfer.go: "suspiciously long trailer"); base64 makes four bytes of three.
TRAILER_BODY_BYTES = 2800
MESSAGE_CHARACTERS_THAT_FIT = 160  # at twelve bytes each, escaped
NOT_THE_HANDLERS = (__file__.removesuffix("failure.py"), importlib.__file__, "<frozen importlib")


class Fault(Exception):
    """A failure with a type of Lambda's own, such as Runtime.ImportModuleError."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class Failure:
    """An exception, read once and safe to send: its type, its message, its stack trace."""

    kind: str
    message: str
    trace: tuple[str, ...] = ()

    @classmethod
    def of(cls, error: BaseException) -> Self:
        told = traceback.TracebackException.from_exception(error)  # survives a broken __str__
        if isinstance(error, Fault):
            return cls(error.kind, str(told), _trace(error.__cause__))
        if is_exit(error):
            only = "".join(told.format_exception_only())
            return cls("Runtime.ExitError", only.strip(), _trace(error))
        return cls(type(error).__name__, str(told), _trace(error))

    def document(self, request_id: str = "") -> bytes:
        return json.dumps(
            {
                "errorType": self.kind,
                "errorMessage": self.message,
                "requestId": request_id,
                "stackTrace": self.trace,
            }
        ).encode()

    def trailers(self, request_id: str) -> bytes:
        """Tells of a failure after the first byte; what is long is left to the log."""
        body = base64.b64encode(self._fitting(request_id)).decode()
        fields = f"{ERROR_TYPE}: {self.kind}\r\n{ERROR_BODY}: {body}\r\n"
        return fields.encode("latin-1", "backslashreplace")

    def _fitting(self, request_id: str) -> bytes:
        untraced = replace(self, trace=())
        short = replace(untraced, message=self.message[:MESSAGE_CHARACTERS_THAT_FIT])
        documents = (form.document(request_id) for form in (self, untraced))
        fitting = (document for document in documents if len(document) <= TRAILER_BODY_BYTES)
        return next(fitting, short.document(request_id))

    def log(self) -> None:
        traced = ("Traceback (most recent call last):", *self.trace) if self.trace else ()
        log(f"[ERROR] {self.kind}: {self.message}", *traced)


def is_exit(error: BaseException | None) -> bool:
    """Whether the process is to end, once the invocation's failure has been told."""
    return isinstance(error, SystemExit | KeyboardInterrupt)


def log(*lines: str) -> None:
    """Write one record: CloudWatch begins a new one at every line feed, but not at a return."""
    record = "\r".join(line.rstrip("\n") for line in lines).replace("\n", "\r")
    sys.stdout.write(record + "\n")
    sys.stdout.flush()


def _trace(error: BaseException | None) -> tuple[str, ...]:
    frames = traceback.extract_tb(error.__traceback__ if error else None)
    theirs = dropwhile(lambda frame: frame.filename.startswith(NOT_THE_HANDLERS), frames)
    return tuple(traceback.StackSummary.from_list(list(theirs)).format())
