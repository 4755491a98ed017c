"""The link objects in the gateway's own lists: ids, metadata and usage, but no content.

The string below a field is for the reference; it is not loaded at run time.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict


class LinkModel(BaseModel):
    """Times are epoch seconds; null means unknown."""

    model_config = ConfigDict(from_attributes=True, frozen=True, defer_build=True)

    id: str
    """The id, as create gave it."""


class ConversationLink(LinkModel):
    """A conversation of the caller's tenant, and the target that stores it."""

    object: Literal["conversation.link"] = "conversation.link"
    """What it is."""
    created_at: int
    """When it was made."""
    target: str
    """The target that holds it, as the configuration names it."""
    metadata: dict[str, Any]  # strings, according to the provider's API reference
    """The pairs it was made with, or was given later."""


class ResponseLink(LinkModel):
    """A response of the caller's tenant, the target that stores it, and its status."""

    object: Literal["response.link"] = "response.link"
    """What it is."""
    created_at: int
    """When it was made."""
    completed_at: int | None
    """When it ended."""
    status: str
    """How far it is, as the gateway last heard."""
    model: str | None
    """The model's name as it was asked for."""
    target: str
    """The target that holds it, as the configuration names it."""
    previous_response_id: str | None
    """The response it continues."""
    conversation: str | None
    """The conversation it belongs to."""
    root: str
    """What its tree grew from: a conversation, or the first response of a chain."""
    background: bool
    """Whether it was asked for in the background."""
    store: bool
    """Whether the provider keeps it."""
    metadata: dict[str, Any]
    """The pairs it was made with."""
    usage: dict[str, Any] | None
    """The tokens it took, as the provider counts them."""


class LinkList(BaseModel):
    """A page of links."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    object: Literal["list"] = "list"
    """What it is."""
    data: list[ResponseLink | ConversationLink]
    """The links, in the order asked for."""
    first_id: str | None
    """The id of the first link in `data`."""
    last_id: str | None
    """What to give as `after` for the next page: the id of the last link in `data`, or of the last
    one looked at where a filtered page ended early."""
    has_more: bool
    """Whether there is a next page."""


class Lineage(LinkList):
    """A page of a tree of responses: all that continue the same root."""

    root: str
    """A conversation, or the first response of a chain."""
