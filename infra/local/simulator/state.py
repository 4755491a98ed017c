"""What the simulator stores per account, within limits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from infra.local.simulator.bounded_store import BoundedStore
from infra.local.simulator.errors import resource_not_found
from infra.local.simulator.items import Json, item_text
from infra.local.simulator.project import MAX_RESOURCES, Project
from infra.local.simulator.responses import SimulatedResponse

MAX_ACCOUNTS = 100
MAX_ITEMS = 1_000  # in a conversation, or before a response


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
class Account(Project):
    """A project with its responses and conversations: what belongs to one credential."""

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
