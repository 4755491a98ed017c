"""Answers of /conversations, and items as they are listed."""

from typing import Any, Literal

from infra.reference.answers.open import Open


class Conversation(Open):
    """What responses can share: its items are the input of the next one."""

    id: str
    """Names the conversation from now on."""
    object: Literal["conversation"]
    created_at: float
    """When it was created, in epoch seconds."""
    metadata: dict[str, str] | None
    """The pairs it was given; `GET /conversations` finds it by them."""


class DeletedConversation(Open):
    id: str
    object: Literal["conversation.deleted"]
    deleted: Literal[True]


class StoredItem(Open):
    """An input or output item as the provider keeps it, by its `type`."""

    type: str
    """Such as `message`, `reasoning` or `function_call_output`."""
    id: str
    status: str | None = None
    """`in_progress`, `completed` or `incomplete`."""
    role: str | None = None
    """Whose message it is."""
    content: str | list[dict[str, Any]] | None = None
    """The parts of a message."""


class StoredItemList(Open):
    """One page of items."""

    object: Literal["list"]
    data: list[StoredItem]
    first_id: str | None
    last_id: str | None
    """What to give as `after` for the next page."""
    has_more: bool
    """Whether there is a next page."""
