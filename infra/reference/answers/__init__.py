"""What comes back: the documented fields of each answer; an answer may hold more."""

from infra.reference.answers.conversations import (
    Conversation,
    DeletedConversation,
    StoredItem,
    StoredItemList,
)
from infra.reference.answers.errors import Error
from infra.reference.answers.models import Health, ModelList, ModelObject
from infra.reference.answers.responses import (
    Compaction,
    DeletedResponse,
    InputTokenCount,
    OutputItem,
    Response,
)

__all__ = [
    "Compaction",
    "Conversation",
    "DeletedConversation",
    "DeletedResponse",
    "Error",
    "Health",
    "InputTokenCount",
    "ModelList",
    "ModelObject",
    "OutputItem",
    "Response",
    "StoredItem",
    "StoredItemList",
]
