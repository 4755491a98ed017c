"""The input file of a batch: one create in each line, which the provider makes for its owner.

https://platform.openai.com/docs/api-reference/batch/request-input
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from antiphon.errors import GatewayError, InvalidRequest
from antiphon.schema.create import CreateResponse, Reference
from antiphon.schema.json_document import read_document

MAX_LINES = 50_000
MEMBERS = {"method", "url", "body"}  # of a line, that decide what is called
PATH = "/v1/responses"
FILE = "input_file_id"
# What other readers may take for the end of a line: a whole request could stand between two.
OTHER_LINE_END = re.compile(rb"\r(?!\Z)|\xc2\x85|\xe2\x80[\xa8\xa9]")


@dataclass(frozen=True)
class BatchLine:
    """One request of a batch."""

    number: int  # of its line, from 1
    body: CreateResponse
    content: bytes  # the whole line

    @property
    def references(self) -> Iterator[Reference]:
        """Yield every id that the provider would look up for this line."""
        if self.body.previous_response_id is not None:
            param = self._param("previous_response_id")
            yield param, "response", self.body.previous_response_id
        if self.body.conversation_id is not None:
            yield self._param("conversation"), "conversation", self.body.conversation_id
        try:
            for param, kind, id in self.body.references:
                yield self._param(param), kind, id
        except InvalidRequest as exc:  # a name of an id in another case
            raise line_error(self.number, str(exc)) from exc

    def _param(self, path: str) -> str:
        return f"{FILE}: line {self.number}: {path}"


def read_lines(chunks: Iterable[bytes], max_bytes: int) -> Iterator[BatchLine]:
    """Yield the requests of a file, of which one line at a time is in memory.

    Raise InvalidRequest, which names the line, for one that cannot be read as one create.
    """
    number = 0
    for number, line in enumerate(_split(chunks, max_bytes), 1):
        if number > MAX_LINES:
            raise line_error(number, f"a batch has at most {MAX_LINES:,} lines")
        if line.strip():
            yield BatchLine(number, _read_body(number, line), line)
    if number == 0:
        raise InvalidRequest(f"Invalid '{FILE}': the file is empty.", param=FILE)


def line_error(number: int, reason: str) -> InvalidRequest:
    message = f"Invalid '{FILE}': line {number:,}: {reason.removesuffix('.')}."
    return InvalidRequest(message, param=FILE, code="invalid_batch_line")


def _read_body(number: int, line: bytes) -> CreateResponse:
    if OTHER_LINE_END.search(line):
        raise line_error(number, "it contains a character that may end a line: write it as \\u…")
    try:
        return CreateResponse.of(_body_of(read_document(line)))
    except GatewayError as exc:
        raise line_error(number, str(exc)) from exc


def _body_of(document: Mapping[str, Any]) -> Mapping[str, Any]:
    for name in document.keys() - MEMBERS:
        if name.casefold() in MEMBERS:  # a reader without case would take it for the same name
            raise InvalidRequest(f"write '{name.casefold()}' in lower case")
    if document.get("method") != "POST" or document.get("url") != PATH:
        raise InvalidRequest(f"it must be a POST to {PATH}")
    body = document.get("body")
    if not isinstance(body, dict):
        raise InvalidRequest("'body' must be an object")
    return body


def _split(chunks: Iterable[bytes], max_bytes: int) -> Iterator[bytes]:
    """Yield the lines of a file; a newline inside of a JSON text is escaped."""
    rest, number = b"", 0
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            number += 1
            yield line
        if len(rest) > max_bytes:
            raise line_error(number + 1, f"it is longer than {max_bytes:,} bytes")
    if rest:
        yield rest
