"""What is remembered, account by account, and never too much of it. A page of a list, in OpenAI's shape."""

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
MAX_ITEMS = 1_000  # items of a conversation, or before a response
MAX_BYTES = 64 * 1024 * 1024


class BoundedStore[Thing]:
    """Holds the newest things, up to a number and a weight."""

    def __init__(self, most: int, heaviest: int = MAX_BYTES) -> None:
        self._things: OrderedDict[str, tuple[Thing, int]] = OrderedDict()
        self._most, self._heaviest, self._weight = most, heaviest, 0

    def put(self, id: str, thing: Thing, weight: int = 0) -> None:
        self.take(id)
        self._things[id] = (thing, weight)
        self._weight += weight
        while len(self._things) > self._most or self._weight > self._heaviest:
            self.take(next(iter(self._things)))

    def get(self, id: str) -> Thing | None:
        return self._things[id][0] if id in self._things else None

    def take(self, id: str) -> Thing | None:
        """Take a thing off the shelf, if it is there."""
        thing, weight = self._things.pop(id, (None, 0))
        self._weight -= weight
        return thing

    def __len__(self) -> int:
        return len(self._things)


@dataclass
class Conversation:
    told: Json
    items: list[Json] = field(default_factory=list)
    latest: SimulatedResponse | None = None

    def extend(self, answer: SimulatedResponse) -> None:
        """Go on by what was asked and answered."""
        self.latest = answer
        self.add([*answer.ask.given, *answer.final["output"]])

    def add(self, items: Iterable[Json]) -> None:
        self.items = [*self.items, *items][-MAX_ITEMS:]

    def item(self, id: str) -> Json:
        found = next((item for item in self.items if item["id"] == id), None)
        if found is None:
            raise resource_not_found("Item", id)
        return found


@dataclass
class Account:
    """One customer's things: none of them is there for another."""

    answers: BoundedStore[SimulatedResponse] = field(
        default_factory=lambda: BoundedStore(MAX_RESOURCES)
    )
    conversations: BoundedStore[Conversation] = field(
        default_factory=lambda: BoundedStore(MAX_RESOURCES)
    )
    items: BoundedStore[Json] = field(default_factory=lambda: BoundedStore(10 * MAX_RESOURCES))

    def answer(self, id: str) -> SimulatedResponse:
        answer = self.answers.get(id)
        if answer is None:
            raise resource_not_found("Response", id)
        return answer

    def conversation(self, id: str) -> Conversation:
        conversation = self.conversations.get(id)
        if conversation is None:
            raise resource_not_found("Conversation", id)
        return conversation

    def keep(self, answer: SimulatedResponse, weight: int) -> None:
        """Remember a response as far as the ask lets us."""
        output = answer.final["output"]
        weight += sum(len(item_text(item)) for item in output)
        if answer.ask.stored:
            self.answers.put(answer.id, answer, weight)
        if answer.ask.stored or answer.final["conversation"]:
            self.know([*answer.ask.given, *output], weight)

    def know(self, items: Sequence[Json], weight: int) -> None:
        """Have items at hand for references; together they are this heavy."""
        for item in items:
            self.items.put(item["id"], item, weight // len(items))

    def resolved(self, given: str | Sequence[Json]) -> str | list[Json]:
        """An input with every reference to an item replaced by the item."""
        return given if isinstance(given, str) else [self._resolved(item) for item in given]

    def _resolved(self, item: Json) -> Json:
        if item.get("type") != "item_reference":
            return item
        known = self.items.get(str(item.get("id")))
        if known is None:
            raise resource_not_found("Item", str(item.get("id")))
        return known


@dataclass
class State:
    accounts: BoundedStore[Account] = field(default_factory=lambda: BoundedStore(MAX_ACCOUNTS))

    def account(self, provider: str, credential: str) -> Account:
        """Keys that are alike up to a dot belong to one account, so that a key can be rotated."""
        id = f"{provider}/{credential.partition('.')[0]}"
        account = self.accounts.get(id)
        if account is None:
            account = Account()
            self.accounts.put(id, account)
        return account


INTEGER = re.compile(r"-?[0-9]{1,9}")
ORDERS = ("asc", "desc")
MAX_LIMIT = 100
EMPTY_BOUNDS: Json = {"first_id": None, "last_id": None}


def list_page(items: Sequence[Json], query: Mapping[str, str]) -> Json:
    """Items as `limit`, `order` and `after` want them; oldest first in, newest first out."""
    order = query.get("order", "desc")
    if order not in ORDERS:
        fault = f"'{order}'. Supported values are: 'asc' and 'desc'."
        raise invalid_parameter("order", fault, "invalid_value")
    ordered = list(items) if order == "asc" else list(reversed(items))
    rest = ordered[_start_index(ordered, query.get("after")) :]
    limit = _parse_limit(query.get("limit", "20"))
    return build_list(rest[:limit], more=len(rest) > limit)


def build_list(items: Sequence[Json], *, more: bool = False) -> Json:
    ends = {"first_id": items[0]["id"], "last_id": items[-1]["id"]} if items else EMPTY_BOUNDS
    return {"object": "list", "data": list(items), **ends, "has_more": more}


def _start_index(items: Sequence[Json], after: str | None) -> int:
    if not after:
        return 0
    places = [index for index, item in enumerate(items) if item["id"] == after]
    if not places:
        raise resource_not_found("Item", after)
    return places[0] + 1


def _parse_limit(told: str) -> int:
    if not INTEGER.fullmatch(told):
        message = "Invalid type for 'limit': expected an integer, but got a string instead."
        raise ApiError(400, message, "invalid_type", "limit")
    check_range("limit", int(told), ("integer", 1, MAX_LIMIT))
    return int(told)
