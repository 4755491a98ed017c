"""Every endpoint there is, in the order of the reference."""

from infra.reference.endpoints.conversations import CONVERSATIONS
from infra.reference.endpoints.endpoint import Endpoint
from infra.reference.endpoints.items import ITEMS
from infra.reference.endpoints.links import LINKS
from infra.reference.endpoints.open import OPEN
from infra.reference.endpoints.responses import MODELS, RESPONSES
from infra.reference.endpoints.usage import USAGE

__all__ = ["ENDPOINTS", "TAGS", "Endpoint"]

ENDPOINTS: tuple[Endpoint, ...] = (
    *RESPONSES,
    *CONVERSATIONS,
    *ITEMS,
    *MODELS,
    *LINKS,
    *USAGE,
    *OPEN,
)
TAGS = {
    "Responses": "Ask a model; continue, follow, cancel and delete what was asked.",
    "Conversations": "What several responses share.",
    "Conversation items": "What a conversation consists of.",
    "Models": "What this key may call.",
    "Links": "Antiphon's own: find what was started, by time, metadata, model or origin.",
    "Usage": "Antiphon's own: what it came to, in tokens and dollars.",
    "Gateway": "Antiphon's own, open to all: is it up, and what can it do.",
}
