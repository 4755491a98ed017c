"""The other request bodies: like that of create, only the fields that matter here are checked."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal
from urllib.parse import unquote

from pydantic import Field

from antiphon.errors import InvalidRequest
from antiphon.schema.create import ModelRequest, Reference, RequestBody, item_references
from antiphon.schema.fields import (
    AnyObject,
    CheckedItems,
    CheckedTools,
    Flag,
    Metadata,
    Reasoning,
    StringOrObject,
    TextOptions,
)
from antiphon.schema.json_document import read_document
from antiphon.schema.multipart import Form, is_form, scan_form
from antiphon.schema.resource_references import KIND_BY_NAME, resource_references
from antiphon.schema.validation_errors import invalid_value, missing_parameter

MAX_ITEMS = 20
FIELD_WORD = re.compile(r"[a-z_]+")  # of a form's field such as `container[file_ids][]`

Items = Annotated[CheckedItems, Field(max_length=MAX_ITEMS)]


class InputTokens(ModelRequest):
    """POST /responses/input_tokens: counts the input tokens of a create; nothing is generated."""

    tools: CheckedTools | None = None
    """Tools are counted as well."""
    tool_choice: StringOrObject = None
    """As in create."""
    parallel_tool_calls: Flag = None
    """As in create."""
    reasoning: Reasoning | None = None
    """As in create."""
    text: TextOptions | None = None
    """As in create."""


class Compact(ModelRequest):
    """POST /responses/compact; `model` is required, but may be null."""

    prompt_cache_key: Annotated[str, Field(max_length=64)] | None = None
    """As in create."""
    image: AnyObject = None
    """As in create."""

    def cross_field_errors(self) -> Iterator[InvalidRequest]:
        if "model" not in self.model_fields_set:
            yield missing_parameter("model")


class CreateConversation(RequestBody):
    """POST /conversations: creates a conversation, optionally with its first items."""

    items: Items | None = None
    """The first items: at most 20."""
    metadata: Metadata | None = None
    """At most 16 pairs to find it by: `GET /conversations?metadata[key]=value`."""

    @property
    def references(self) -> Iterator[Reference]:
        yield from item_references(self.items or [], "items")
        yield from super().references


class UpdateConversation(RequestBody):
    """POST /conversations/{id}; `metadata` is required, but may be null."""

    metadata: Metadata | None = None
    """All pairs from now on; null for none."""

    def cross_field_errors(self) -> Iterator[InvalidRequest]:
        if "metadata" not in self.model_fields_set:
            yield missing_parameter("metadata")


class CreateItems(RequestBody):
    """POST /conversations/{id}/items: adds items to a conversation."""

    items: Items
    """At most 20 items, in order."""

    @property
    def references(self) -> Iterator[Reference]:
        yield from item_references(self.items, "items")
        yield from super().references


class CreateBatch(RequestBody):
    """POST /batches: creates of responses, one in each line of a file."""

    input_file_id: str
    """The file. It must be the tenant's own."""
    endpoint: Literal["/v1/responses"]
    """The endpoint for all lines: the gateway serves batches of responses."""


def file_bytes(headers: Mapping[str, str], body: bytes) -> int:
    """Return the size of the files in a form, or the one that a new upload declares, or 0.

    Raise InvalidRequest for a body that cannot be read.
    """
    content_type = headers.get("content-type", "")
    if is_form(content_type):
        return scan_form(content_type, body).file_bytes
    size = read_document(body).get("bytes") if body else None
    return size if type(size) is int and size > 0 else 0


def body_references(headers: Mapping[str, str], body: bytes) -> Iterator[Reference]:
    """Yield what the body of a request about a resource refers to: all else passes unread.

    Raise InvalidRequest for a body that cannot be read.
    """
    content_type = headers.get("content-type", "")
    if is_form(content_type):
        yield from _form_references(scan_form(content_type, body))
    elif body:
        yield from resource_references(read_document(body))


def _form_references(form: Form) -> Iterator[Reference]:
    """Yield the one id that a form of the API has; refuse the names of all others."""
    if "file_id" in form.fields:
        yield "file_id", "file", form.fields["file_id"]
    for name in form.names:
        for word in FIELD_WORD.findall(unquote(name).casefold()):
            if word in KIND_BY_NAME and name != "file_id":
                raise invalid_value(word, f"Invalid '{word}': a form cannot name it. Send JSON.")
