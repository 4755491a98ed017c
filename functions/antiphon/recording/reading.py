"""The few members of a provider's JSON that are recorded."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

import jiter

from antiphon.errors import UpstreamFailed
from antiphon.store.links import FINAL

MAX_TIER_CHARS = 64  # of a service tier that is recorded

type ResponseObject = Mapping[str, Any]


def read_object(body: bytes) -> ResponseObject:
    """Parse a complete answer; raise UpstreamFailed where it is not a JSON object."""
    try:
        document = jiter.from_json(body)
    except ValueError as exc:
        raise UpstreamFailed("The provider's answer is not JSON.") from exc
    if not isinstance(document, dict):
        raise UpstreamFailed("The provider's answer is not a JSON object.")
    return document


def read_object_with_id(body: bytes) -> ResponseObject:
    """Parse a complete answer that must have an id; raise UpstreamFailed."""
    document = read_object(body)
    if not isinstance(document.get("id"), str):
        raise UpstreamFailed("The provider's answer has no id.")
    return document


def status_of(response: ResponseObject) -> str:
    """Return the status; one that cannot be read is no outcome, so the response is polled."""
    return text_or_none(response.get("status", "completed")) or "in_progress"


def outcome_attributes(response: ResponseObject) -> dict[str, Any]:
    """Return status, usage and what pricing needs, as attributes of a link."""
    status = status_of(response)
    usage, completed_at = response.get("usage"), response.get("completed_at")
    if not isinstance(completed_at, int):  # only newer providers send it
        completed_at = int(time.time()) if status in FINAL else None
    # A router's first event names the router itself, its last one the model.
    model, tier = text_or_none(response.get("model")), tier_or_none(response.get("service_tier"))
    return {
        "status": status,
        "usage": usage if isinstance(usage, dict) else None,
        "completed_at": completed_at,
        **({"service_tier": tier} if tier else {}),
        **({"upstream_model": model} if model else {}),
    }


def tier_or_none(value: object) -> str | None:
    """Return a service tier; None for `auto`, which leaves it open, and for what is no tier."""
    is_tier = isinstance(value, str) and value != "auto" and len(value) <= MAX_TIER_CHARS
    return str(value) if is_tier else None


def conversation_id(response: ResponseObject) -> str | None:
    conversation = response.get("conversation")
    if isinstance(conversation, dict):
        conversation = conversation.get("id")
    return text_or_none(conversation)


def metadata_of(document: ResponseObject) -> dict[str, Any]:
    metadata = document.get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def item_ids(document: ResponseObject) -> Iterator[str]:
    """Yield the ids of a response's output, or of a list's data."""
    for name in ("output", "data"):
        items = document.get(name)
        for item in items if isinstance(items, list) else ():
            if isinstance(item, dict) and isinstance(item.get("id"), str):
                yield item["id"]


def own_item_id(document: ResponseObject) -> str | None:
    """Return the id of a document that is itself an item."""
    is_item = "object" not in document and "type" in document
    return text_or_none(document.get("id")) if is_item else None


def text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) else None
