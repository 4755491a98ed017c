"""What the simulator stores per account, within limits, and the pages of lists."""

import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from infra.local.simulator.errors import ApiError, invalid_parameter, resource_not_found
from infra.local.simulator.items import Json, item_text
from infra.local.simulator.request_body import check_range
from infra.local.simulator.responses import SimulatedResponse

MAX_ACCOUNTS = 100
MAX_RESOURCES = 2_000
MAX_ITEMS = 1_000  # in a conversation, or before a response
MAX_BYTES = 64 * 1024 * 1024
INTEGER = re.compile(r"-?[0-9]{1,9}")
ORDERS = ("asc", "desc")
MAX_LIMIT = 100
EMPTY_BOUNDS: Json = {"first_id": None, "last_id": None}


class BoundedStore[Value]:
    """Stores the newest values, up to a number of values and a total weight."""

    def __init__(self, max_count: int, max_weight: int = MAX_BYTES) -> None:
        self._values: OrderedDict[str, tuple[Value, int]] = OrderedDict()
        self._max_count, self._max_weight, self._weight = max_count, max_weight, 0

    def put(self, id: str, value: Value, weight: int = 0) -> None:
        self.remove(id)
        self._values[id] = (value, weight)
        self._weight += weight
        while len(self._values) > self._max_count or self._weight > self._max_weight:
            self.remove(next(iter(self._values)))

    def get(self, id: str) -> Value | None:
        return self._values[id][0] if id in self._values else None

    def remove(self, id: str) -> Value | None:
        """Removes and returns a value, if it is stored."""
        value, weight = self._values.pop(id, (None, 0))
        self._weight -= weight
        return value

    def __len__(self) -> int:
        return len(self._values)


@dataclass
class Conversation:
    """A conversation: the resource of the API, and its items, oldest first."""

    resource: Json
    items: list[Json] = field(default_factory=list)
    latest_response: SimulatedResponse | None = None

    @property
    def is_locked(self) -> bool:
        """Whether the latest response is unfinished: OpenAI then rejects the next one."""
        return self.latest_response is not None and not self.latest_response.is_finished

    def add_response(self, response: SimulatedResponse) -> None:
        """Adds the items of a response and of its request."""
        self.latest_response = response
        self.add([*response.request.input_items, *response.final["output"]])

    def add(self, items: Iterable[Json]) -> None:
        self.items = [*self.items, *items][-MAX_ITEMS:]

    def find_item(self, id: str) -> Json:
        found = next((item for item in self.items if item["id"] == id), None)
        if found is None:
            raise resource_not_found("Item", id)
        return found


@dataclass
class Account:
    """The resources of one customer, invisible to every other."""

    responses: BoundedStore[SimulatedResponse] = field(
        default_factory=lambda: BoundedStore(MAX_RESOURCES)
    )
    conversations: BoundedStore[Conversation] = field(
        default_factory=lambda: BoundedStore(MAX_RESOURCES)
    )
    items: BoundedStore[Json] = field(default_factory=lambda: BoundedStore(10 * MAX_RESOURCES))

    def find_response(self, id: str) -> SimulatedResponse:
        response = self.responses.get(id)
        if response is None:
            raise resource_not_found("Response", id)
        return response

    def find_conversation(self, id: str) -> Conversation:
        conversation = self.conversations.get(id)
        if conversation is None:
            raise resource_not_found("Conversation", id)
        return conversation

    def store_response(self, response: SimulatedResponse, weight: int) -> None:
        """Stores a response, unless the request has `store: false`."""
        output = response.final["output"]
        weight += sum(len(item_text(item)) for item in output)
        if response.request.is_stored:
            self.responses.put(response.id, response, weight)
        if response.request.is_stored or response.final["conversation"]:
            self.store_items([*response.request.input_items, *output], weight)

    def store_items(self, items: Sequence[Json], weight: int) -> None:
        """Stores items for references; `weight` is their total weight in bytes."""
        for item in items:
            self.items.put(item["id"], item, weight // len(items))

    def resolve_references(self, input_items: str | Sequence[Json]) -> str | list[Json]:
        """Replaces every reference to an item by the item."""
        return (
            input_items
            if isinstance(input_items, str)
            else [self._resolve_reference(item) for item in input_items]
        )

    def _resolve_reference(self, item: Json) -> Json:
        if item.get("type") != "item_reference":
            return item
        stored = self.items.get(str(item.get("id")))
        if stored is None:
            raise resource_not_found("Item", str(item.get("id")))
        return stored


@dataclass
class State:
    """All accounts, created at their first request."""

    accounts: BoundedStore[Account] = field(default_factory=lambda: BoundedStore(MAX_ACCOUNTS))

    def find_account(self, provider: str, credential: str) -> Account:
        """Keys with the same text before the first dot share an account: a key can be rotated."""
        id = f"{provider}/{credential.partition('.')[0]}"
        account = self.accounts.get(id)
        if account is None:
            account = Account()
            self.accounts.put(id, account)
        return account


def list_page(items: Sequence[Json], query: Mapping[str, str]) -> Json:
    """Returns a page by `limit`, `order` and `after`; `items` are in order of creation."""
    order = query.get("order", "desc")
    if order not in ORDERS:
        fault = f"'{order}'. Supported values are: 'asc' and 'desc'."
        raise invalid_parameter("order", fault, "invalid_value")
    ordered = list(items) if order == "asc" else list(reversed(items))
    rest = ordered[_start_index(ordered, query.get("after")) :]
    limit = _parse_limit(query.get("limit", "20"))
    return build_list(rest[:limit], has_more=len(rest) > limit)


def build_list(items: Sequence[Json], *, has_more: bool = False) -> Json:
    """Returns items in the format of OpenAI's lists."""
    ends = {"first_id": items[0]["id"], "last_id": items[-1]["id"]} if items else EMPTY_BOUNDS
    return {"object": "list", "data": list(items), **ends, "has_more": has_more}


def _start_index(items: Sequence[Json], after: str | None) -> int:
    if not after:
        return 0
    indexes = [index for index, item in enumerate(items) if item["id"] == after]
    if not indexes:
        raise resource_not_found("Item", after)
    return indexes[0] + 1


def _parse_limit(text: str) -> int:
    if not INTEGER.fullmatch(text):
        message = "Invalid type for 'limit': expected an integer, but got a string instead."
        raise ApiError(400, message, "invalid_type", "limit")
    check_range("limit", int(text), ("integer", 1, MAX_LIMIT))
    return int(text)
