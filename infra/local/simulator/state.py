"""What is remembered, account by account, and never too much of it."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from infra.local.simulator.answers import Answer
from infra.local.simulator.items import Json, text_of
from infra.local.simulator.refusals import not_found

ACCOUNTS = 100
THINGS = 2_000
TURNS = 1_000  # items of a conversation, or before a response
BYTES = 64 * 1024 * 1024


class Shelf[Thing]:
    """Holds the newest things, up to a number and a weight."""

    def __init__(self, most: int, heaviest: int = BYTES) -> None:
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
    latest: Answer | None = None

    def extend(self, answer: Answer) -> None:
        """Go on by what was asked and answered."""
        self.latest = answer
        self.add([*answer.ask.given, *answer.final["output"]])

    def add(self, items: Iterable[Json]) -> None:
        self.items = [*self.items, *items][-TURNS:]

    def item(self, id: str) -> Json:
        found = next((item for item in self.items if item["id"] == id), None)
        if found is None:
            raise not_found("Item", id)
        return found


@dataclass
class Account:
    """One customer's things: none of them is there for another."""

    answers: Shelf[Answer] = field(default_factory=lambda: Shelf(THINGS))
    conversations: Shelf[Conversation] = field(default_factory=lambda: Shelf(THINGS))
    items: Shelf[Json] = field(default_factory=lambda: Shelf(10 * THINGS))

    def answer(self, id: str) -> Answer:
        answer = self.answers.get(id)
        if answer is None:
            raise not_found("Response", id)
        return answer

    def conversation(self, id: str) -> Conversation:
        conversation = self.conversations.get(id)
        if conversation is None:
            raise not_found("Conversation", id)
        return conversation

    def keep(self, answer: Answer, weight: int) -> None:
        """Remember a response as far as the ask lets us."""
        output = answer.final["output"]
        weight += sum(len(text_of(item)) for item in output)
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
            raise not_found("Item", str(item.get("id")))
        return known


@dataclass
class Memory:
    accounts: Shelf[Account] = field(default_factory=lambda: Shelf(ACCOUNTS))

    def account(self, provider: str, credential: str) -> Account:
        """Keys that are alike up to a dot belong to one account, so that a key can be rotated."""
        id = f"{provider}/{credential.partition('.')[0]}"
        account = self.accounts.get(id)
        if account is None:
            account = Account()
            self.accounts.put(id, account)
        return account
