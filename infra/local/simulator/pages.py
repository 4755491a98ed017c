"""Pages of lists, by the parameters `limit`, `order`, `after` and `before`."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from infra.local.simulator.errors import ApiError, invalid_parameter, resource_not_found
from infra.local.simulator.items import Json
from infra.local.simulator.request_body import check_range

INTEGER = re.compile(r"-?[0-9]{1,9}")
ORDERS = ("asc", "desc")
EMPTY_BOUNDS: Json = {"first_id": None, "last_id": None}


@dataclass(frozen=True)
class LimitRange:
    """The number of items on a page: without the parameter `limit`, and at most."""

    default: int = 20
    maximum: int = 100

    def parse(self, query: Mapping[str, str]) -> int:
        text = query.get("limit", str(self.default))
        if not INTEGER.fullmatch(text):
            message = "Invalid type for 'limit': expected an integer, but got a string instead."
            raise ApiError(400, message, "invalid_type", "limit")
        check_range("limit", int(text), ("integer", 1, self.maximum))
        return int(text)


USUAL_LIMIT = LimitRange()


def list_page(
    items: Sequence[Json], query: Mapping[str, str], limit_range: LimitRange = USUAL_LIMIT
) -> Json:
    """Returns the page that a query describes; `items` are in order of creation."""
    order = query.get("order", "desc")
    if order not in ORDERS:
        fault = f"'{order}'. Supported values are: 'asc' and 'desc'."
        raise invalid_parameter("order", fault, "invalid_value")
    limit = limit_range.parse(query)
    ordered = list(items) if order == "asc" else list(reversed(items))
    if query.get("before"):
        before = ordered[: _find_index(ordered, query["before"])]
        return build_list(before[-limit:], has_more=len(before) > limit)
    after = ordered[_find_index(ordered, query["after"]) + 1 :] if query.get("after") else ordered
    return build_list(after[:limit], has_more=len(after) > limit)


def build_list(items: Sequence[Json], *, has_more: bool = False) -> Json:
    """Returns items in the format of OpenAI's lists."""
    ends = {"first_id": items[0]["id"], "last_id": items[-1]["id"]} if items else EMPTY_BOUNDS
    return {"object": "list", "data": list(items), **ends, "has_more": has_more}


def _find_index(items: Sequence[Json], id: str) -> int:
    index = next((index for index, item in enumerate(items) if item["id"] == id), None)
    if index is None:
        raise resource_not_found("Item", id)
    return index
