"""A page of a list, in OpenAI's shape."""

import re
from collections.abc import Mapping, Sequence

from infra.local.simulator import checks
from infra.local.simulator.items import Json
from infra.local.simulator.refusals import Refusal, invalid, not_found

INTEGER = re.compile(r"-?[0-9]{1,9}")
ORDERS = ("asc", "desc")
MOST = 100
NO_ENDS: Json = {"first_id": None, "last_id": None}


def page(items: Sequence[Json], query: Mapping[str, str]) -> Json:
    """Items as `limit`, `order` and `after` want them; oldest first in, newest first out."""
    order = query.get("order", "desc")
    if order not in ORDERS:
        fault = f"'{order}'. Supported values are: 'asc' and 'desc'."
        raise invalid("order", fault, "invalid_value")
    ordered = list(items) if order == "asc" else list(reversed(items))
    rest = ordered[_start(ordered, query.get("after")) :]
    limit = _limit(query.get("limit", "20"))
    return listed(rest[:limit], more=len(rest) > limit)


def listed(items: Sequence[Json], *, more: bool = False) -> Json:
    ends = {"first_id": items[0]["id"], "last_id": items[-1]["id"]} if items else NO_ENDS
    return {"object": "list", "data": list(items), **ends, "has_more": more}


def _start(items: Sequence[Json], after: str | None) -> int:
    if not after:
        return 0
    places = [index for index, item in enumerate(items) if item["id"] == after]
    if not places:
        raise not_found("Item", after)
    return places[0] + 1


def _limit(told: str) -> int:
    if not INTEGER.fullmatch(told):
        message = "Invalid type for 'limit': expected an integer, but got a string instead."
        raise Refusal(400, message, "invalid_type", "limit")
    checks.within("limit", int(told), ("integer", 1, MOST))
    return int(told)
