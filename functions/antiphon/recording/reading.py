"""What an answer says: the few things of a provider's JSON that are written down."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

import jiter

from antiphon.errors import UpstreamFailed
from antiphon.store.links import FINAL

type ResponseObject = Mapping[str, Any]


def read_object(body: bytes) -> ResponseObject:
    """The JSON object of a whole answer; raise UpstreamFailed where it is none."""
    try:
        answer = jiter.from_json(body)
    except ValueError as exc:
        raise UpstreamFailed("The provider's answer is not JSON.") from exc
    if not isinstance(answer, dict):
        raise UpstreamFailed("The provider's answer is not a JSON object.")
    return answer


def read_object_with_id(body: bytes) -> ResponseObject:
    """The same, for an answer that must have an id."""
    answer = read_object(body)
    if not isinstance(answer.get("id"), str):
        raise UpstreamFailed("The provider's answer has no id.")
    return answer


def outcome_attributes(response: ResponseObject) -> dict[str, Any]:
    """Status, usage and what it is billed by, as a link keeps them."""
    status = text_or_none(response.get("status")) or "completed"
    usage, completed_at = response.get("usage"), response.get("completed_at")
    if not isinstance(completed_at, int):  # only newer ones tell it
        completed_at = int(time.time()) if status in FINAL else None
    model = text_or_none(
        response.get("model")
    )  # a router's first event names itself, its last the model
    return {
        "status": status,
        "usage": usage if isinstance(usage, dict) else None,
        "service_tier": text_or_none(response.get("service_tier")),
        "completed_at": completed_at,
        **({"upstream_model": model} if model else {}),
    }


def conversation_id(response: ResponseObject) -> str | None:
    given = response.get("conversation")
    return text_or_none(given.get("id") if isinstance(given, dict) else given)


def item_ids(answer: ResponseObject) -> Iterator[str]:
    """The ids of a response's output, of a list's data, or of the one item that this is."""
    for name in ("output", "data"):
        items = answer.get(name)
        for item in items if isinstance(items, list) else ():
            if isinstance(item, dict) and isinstance(item.get("id"), str):
                yield item["id"]


def text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) else None
