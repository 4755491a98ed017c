"""Bytes in, the few things we act on out; everything else in a request stays as it came."""

from antiphon.schema.continuing import Continuing, Reference
from antiphon.schema.create import CreateResponse
from antiphon.schema.others import (
    Compact,
    CreateConversation,
    CreateItems,
    InputTokens,
    UpdateConversation,
)

__all__ = [
    "Compact",
    "Continuing",
    "CreateConversation",
    "CreateItems",
    "CreateResponse",
    "InputTokens",
    "Reference",
    "UpdateConversation",
]
