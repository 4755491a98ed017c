"""The bodies of the other calls: as narrow a check as that of create, and as wide a passage."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from antiphon.errors import InvalidRequest
from antiphon.schema.continuing import Checked, Continuing, Reference, item_references
from antiphon.schema.fields import Anything, Flag, Metadata, Reasoning, StringOrObject, TextOptions
from antiphon.schema.items import Item, Tool
from antiphon.schema.refusal import missing

MOST_ITEMS = 20

Items = Annotated[list[Item], Field(max_length=MOST_ITEMS)]


class InputTokens(Continuing):
    """POST /responses/input_tokens: what a create would count, with nothing generated."""

    tools: list[str | Tool] | None = None
    """Tools count as well."""
    tool_choice: StringOrObject = None
    """As in create."""
    parallel_tool_calls: Flag = None
    """As in create."""
    reasoning: Reasoning | None = None
    """As in create."""
    text: TextOptions | None = None
    """As in create."""


class Compact(Continuing):
    """POST /responses/compact; `model` must stand there, if only as null."""

    prompt_cache_key: Annotated[str, Field(max_length=64)] | None = None
    """As in create."""
    image: Anything = None
    """As in create."""

    def refusals(self) -> Iterator[InvalidRequest]:
        if "model" not in self.model_fields_set:
            yield missing("model")


class CreateConversation(Checked):
    """POST /conversations: a conversation, perhaps with its first items."""

    items: Items | None = None
    """What it begins with: at most 20 items."""
    metadata: Metadata | None = None
    """At most 16 pairs to find it by: `GET /conversations?metadata[key]=value`."""

    @property
    def references(self) -> Iterator[Reference]:
        yield from item_references(self.items or [], "items")


class UpdateConversation(Checked):
    """POST /conversations/{id}; `metadata` must stand there, if only as null."""

    metadata: Metadata | None = None
    """All pairs it has from now on; null for none."""

    def refusals(self) -> Iterator[InvalidRequest]:
        if "metadata" not in self.model_fields_set:
            yield missing("metadata")


class CreateItems(Checked):
    """POST /conversations/{id}/items: more items for a conversation."""

    items: Items
    """At most 20 items, in order."""

    @property
    def references(self) -> Iterator[Reference]:
        yield from item_references(self.items, "items")
