"""The link objects in the gateway's own lists: ids, metadata and usage, but no content.

The string below a field is for the reference; it is not loaded at run time.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict


class LinkModel(BaseModel):
    """Times are epoch seconds; null means unknown."""

    model_config = ConfigDict(from_attributes=True, frozen=True, defer_build=True)

    id: str
    """The id from create."""


class ConversationLink(LinkModel):
    """A conversation of the caller's tenant, and the target that stores it."""

    object: Literal["conversation.link"] = "conversation.link"
    """The type of object."""
    created_at: int
    """When it was created."""
    target: str
    """The name of the target that stores it."""
    metadata: dict[str, Any]  # strings, according to the provider's API reference
    """Its pairs, from create or a later update."""


class ResponseLink(LinkModel):
    """A response of the caller's tenant, the target that stores it, and its status."""

    object: Literal["response.link"] = "response.link"
    """The type of object."""
    created_at: int
    """When it was created."""
    completed_at: int | None
    """When it ended."""
    status: str
    """The newest status that the gateway knows."""
    model: str | None
    """The model's name in the request."""
    upstream_model: str | None
    """The model's name in the provider's answer."""
    target: str
    """The name of the target that stores it."""
    key_id: str
    """The id of the key that it was created with."""
    previous_response_id: str | None
    """The response it continues."""
    conversation: str | None
    """The conversation it belongs to."""
    root: str
    """The root of its tree: a conversation, or the first response of a chain."""
    background: bool
    """Whether it runs in the background."""
    store: bool
    """Whether the provider stores it."""
    metadata: dict[str, Any]
    """Its pairs."""
    usage: dict[str, Any] | None
    """Its tokens, as the provider counts them."""
    service_tier: str | None
    """The service tier that served it, or the requested one."""
    cost_usd: str | None = None
    """The exact cost of its tokens in US dollars, at the prices that this gateway knows now; null
    without tokens, or without a known price."""
    unfinished: str | None
    """Why its end is not known: `cut`, for example, where the stream broke."""
    expires_at: int
    """Until when it is listed."""
    waited_ms: int | None
    """Milliseconds from the request until the answer, or the first event of a stream."""
    attempts: list[dict[str, Any]] | None
    """The calls of targets, where there were more than one: `target`, `status` (or the code of an
    error), `ms`, and `reason` where no connection was made."""


class LinkList(BaseModel):
    """A page of links."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    object: Literal["list"] = "list"
    """The type of object."""
    data: list[ResponseLink | ConversationLink]
    """The links, in the requested order."""
    first_id: str | None
    """The id of the first link in `data`."""
    last_id: str | None
    """The value of `after` for the next page: the id of the last link in `data`, or of the last one
    read where a filtered page ended early."""
    has_more: bool
    """Whether there is a next page."""


class Lineage(LinkList):
    """A page of a tree of responses: all that continue the same root."""

    root: str
    """A conversation, or the first response of a chain."""
