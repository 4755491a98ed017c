"""What an answer says: the few things of a provider's JSON that are written down."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

import jiter

from antiphon.errors import UpstreamFailed
from antiphon.store.links import FINAL

type Response = Mapping[str, Any]


def read(body: bytes) -> Response:
    """The JSON object of a whole answer; raise UpstreamFailed where it is none."""
    try:
        answer = jiter.from_json(body)
    except ValueError as exc:
        raise UpstreamFailed("The provider's answer is not JSON.") from exc
    if not isinstance(answer, dict):
        raise UpstreamFailed("The provider's answer is not a JSON object.")
    return answer


def read_named(body: bytes) -> Response:
    """The same, for an answer that must have an id."""
    answer = read(body)
    if not isinstance(answer.get("id"), str):
        raise UpstreamFailed("The provider's answer has no id.")
    return answer


def outcome(response: Response) -> dict[str, Any]:
    """Status, usage and what it is billed by, as a link keeps them."""
    status = text(response.get("status")) or "completed"
    usage, completed_at = response.get("usage"), response.get("completed_at")
    if not isinstance(completed_at, int):  # only newer ones tell it
        completed_at = int(time.time()) if status in FINAL else None
    model = text(response.get("model"))  # a router's first event names itself, its last the model
    return {
        "status": status,
        "usage": usage if isinstance(usage, dict) else None,
        "service_tier": text(response.get("service_tier")),
        "completed_at": completed_at,
        **({"upstream_model": model} if model else {}),
    }


def conversation_id(response: Response) -> str | None:
    given = response.get("conversation")
    return text(given.get("id") if isinstance(given, dict) else given)


def item_ids(answer: Response) -> Iterator[str]:
    """The ids of a response's output, of a list's data, or of the one item that this is."""
    for name in ("output", "data"):
        items = answer.get(name)
        for item in items if isinstance(items, list) else ():
            if isinstance(item, dict) and isinstance(item.get("id"), str):
                yield item["id"]


def text(value: object) -> str | None:
    return value if isinstance(value, str) else None
