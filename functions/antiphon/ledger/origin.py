"""Where a response comes from: what its link says before the provider has said anything."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from antiphon.auth import Caller
from antiphon.ledger.reading import Response, conversation_id, outcome, text
from antiphon.limits import Lease
from antiphon.routing import Plan
from antiphon.schema import CreateResponse
from antiphon.store.links import Link

DAY = 86_400
COUNTED_WITHIN = 7  # days, even where it has to wait in the queue


def nobody(_link: Link) -> None:
    """Whom nothing has to be told."""


@dataclass(frozen=True)
class Origin:
    request_id: str
    caller: Caller
    ask: CreateResponse
    plan: Plan
    lease: Lease
    tell: Callable[[Link], None] = nobody  # of the response, before its link is written

    def link(self, target: str, response: Response, days: int) -> Link:
        ask, parent = self.ask, self.plan.parent
        conversation = conversation_id(response) or ask.conversation_id
        return Link(
            id=str(response["id"]),
            tenant=self.caller.tenant,
            key_id=self.caller.key_id,
            request_id=self.request_id,
            target=target,
            root=parent.root if parent else conversation or str(response["id"]),
            created_ms=now_ms(),
            expires_at=expiry(days),
            model=ask.model,
            previous_response_id=ask.previous_response_id,
            conversation=conversation,
            store=ask.store is not False,
            background=bool(ask.background),
            metadata=dict(ask.metadata or {}),
            lease=self.lease.form,
            **outcome(response),
        )


@dataclass(frozen=True)
class Place:
    """By which request something came to be, whose it is, and at which target."""

    request_id: str
    caller: Caller
    target: str

    def conversation(self, id: str, metadata: dict[str, str], days: int) -> Link:
        """The link of a conversation, which has no status but that it is there."""
        return Link(
            id=id,
            kind="conversation",
            tenant=self.caller.tenant,
            key_id=self.caller.key_id,
            request_id=self.request_id,
            target=self.target,
            root=id,
            status="active",
            created_ms=now_ms(),
            expires_at=expiry(days),
            metadata=metadata,
        )

    def compaction(self, made: Response, model: str | None) -> Link:
        """What a compaction has taken: it is counted, and nobody can ask for it."""
        id = text(made.get("id")) or self.request_id
        return Link(
            id=id,
            kind="compaction",
            tenant=self.caller.tenant,
            key_id=self.caller.key_id,
            request_id=self.request_id,
            target=self.target,
            root=id,  # in no tree
            created_ms=now_ms(),
            expires_at=expiry(COUNTED_WITHIN),
            model=model,
            store=False,
            **outcome(made),
        )


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def expiry(days: int) -> int:
    return int(time.time()) + days * DAY
