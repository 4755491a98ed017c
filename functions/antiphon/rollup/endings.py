"""What the gateway says about a response or a batch that has ended: names, numbers and ids.

No content is in it, nor metadata, which callers choose.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from antiphon.recording.resources import BATCH_ENDS, STORE_ENDS
from antiphon.store.links import Link, LinkChange
from antiphon.store.queue import BusEvent, WebhookEvent
from antiphon.store.usage import (
    COST_PICODOLLARS,
    TOKENS,
    CostFunction,
    picodollars_as_text,
    usage_counts,
    usage_fingerprint,
)

DETAIL_TYPES = {
    "response": "Response Ended",
    "batch": "Batch Ended",
    "vector_store": "Vector Store Ended",
}
# The statuses of each kind whose providers have others than a response.
ENDS = {"batch": BATCH_ENDS, "vector_store": STORE_ENDS}
UNKNOWN = "unknown"  # as in the usage report


def is_end(change: LinkChange) -> bool:
    """Whether a change is an end, or says that the end will not be known.

    A vector store that is made without files is complete at once: that is no end.
    """
    link = change.new
    is_made = link is not None and link.kind == "vector_store" and change.old is None
    return _has_ended(link) and not _has_ended(change.old) and not is_made


def event_id(link: Link) -> str:
    """Return the id of the event for an end: each repetition has the same."""
    named = f"{link.kind} {link.tenant} {link.id} {link.request_id}"
    return f"evt_{sha256(named.encode()).hexdigest()[:32]}"


def event_type(link: Link) -> str:
    """Return what has happened, as OpenAI names it: `response.completed` and the like."""
    return f"{link.kind}.{_end_status(link)}"


def ended_at(link: Link) -> int:
    """Return when a response ended by its provider's clock; epoch seconds."""
    return link.completed_at or link.created_at


def webhook_event(link: Link) -> WebhookEvent:
    """Return the event for a tenant's own endpoints; it names the object and says no more."""
    return WebhookEvent(event_id(link), event_type(link), link.id, ended_at(link))


def describe_end(link: Link, metered: Link | None, cost: CostFunction) -> BusEvent:
    """Return the event for a link that has ended; `metered` has its usage."""
    detail = {
        "id": event_id(link),
        "type": event_type(link),
        "object": {"id": link.id, "object": link.kind, "status": _end_status(link)},
        "reason": _reason(link),
        "tenant": link.tenant,
        "key_id": link.key_id,
        "target": link.target,
        "model": link.model or (metered and metered.model),
        "upstream_model": link.upstream_model,
        "service_tier": link.service_tier,
        "background": link.background,
        "conversation": link.conversation,
        "previous_response_id": link.previous_response_id,
        "request_id": link.request_id,
        "created_at": _time_text(link.created_at),
        "completed_at": None if link.completed_at is None else _time_text(link.completed_at),
        **_usage(metered, cost),
    }
    return BusEvent(DETAIL_TYPES[link.kind], detail, ended_at(link))


def _has_ended(link: Link | None) -> bool:
    if link is None:
        return False
    if link.kind in ENDS:
        return link.status in ENDS[link.kind]
    return link.kind == "response" and usage_fingerprint(link) is not None


def _end_status(link: Link) -> str:
    return link.status if link.kind in ENDS or link.is_final else UNKNOWN


def _reason(link: Link) -> str | None:
    """Return why the outcome is unknown."""
    if _end_status(link) != UNKNOWN:
        return None
    return link.unfinished or "deleted"


def _usage(metered: Link | None, cost: CostFunction) -> Mapping[str, Any]:
    """Return the tokens, and the cost in US dollars; None where it is unknown."""
    counts = usage_counts(metered, cost) if metered else {}
    tokens = {name: counts.get(name, 0) for name in TOKENS} if "total_tokens" in counts else None
    spent = counts.get(COST_PICODOLLARS)
    return {"usage": tokens, "cost_usd": None if spent is None else picodollars_as_text(spent)}


def _time_text(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
