"""Rows that say whose a response or a conversation is, and at which target it lives.

What the table's stream tells of a link: as it was, and as it became.
"""

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, Self

from antiphon.observability import logger
from antiphon.settings.table import PARTITION_KEY, SORT_KEY
from antiphon.store.dynamodb import ConditionFailed, Item, Table, Update, unmarshal

# A compaction cannot be named by a later call: its link says what was spent, and nothing else.
type Kind = Literal["response", "conversation", "compaction"]

LINK_SORT = "LINK"
FINAL = {"completed", "failed", "incomplete", "cancelled"}
KIND_LETTERS: dict[Kind, str] = {"response": "R", "conversation": "C", "compaction": "Z"}
NEW_OR_OURS = (
    "attribute_not_exists(pk) OR (request_id = :request_id AND attribute_not_exists(deleted_at))"
)
NEW_SECONDS = 60.0
GONE, GIVEN_UP = "gone", "given up: "  # how `unfinished` begins where no end will be known


@dataclass(frozen=True, kw_only=True)
class Link:
    """What a later call needs to know of an id; times are epoch seconds."""

    id: str
    tenant: str
    key_id: str
    request_id: str
    target: str
    root: str  # of the tree it belongs to: a conversation, or the first response of a chain
    status: str
    created_ms: int  # epoch milliseconds: the order of lists
    expires_at: int
    kind: Kind = "response"
    model: str | None = None
    upstream_model: str | None = None
    previous_response_id: str | None = None
    conversation: str | None = None
    store: bool = True
    background: bool = False
    metadata: dict[str, str] = field(default_factory=dict)
    usage: dict[str, Any] | None = None
    service_tier: str | None = None  # that served it; until its end, the one it was asked for
    completed_at: int | None = None
    unfinished: str | None = None  # why its end is not known: cut, error, gone, given up: …
    deleted_at: int | None = None
    lease: dict[str, Any] | None = None  # what its request was counted with, until it is settled

    @property
    def created_at(self) -> int:
        return self.created_ms // 1000

    @property
    def final(self) -> bool:
        return self.status in FINAL

    @property
    def settled(self) -> bool:
        """Whether all is known of its end that will be."""
        return self.final or (self.unfinished or "").startswith((GONE, GIVEN_UP))

    @property
    def pending(self) -> bool:
        """Whether its provider has still to be asked how it ended."""
        kept = self.kind == "response" and self.store and self.deleted_at is None
        return kept and not self.settled

    def is_new(self, now: float) -> bool:
        """Whether it ended so lately, if it did, that its provider may not know it yet."""
        return self.completed_at is None or now - self.completed_at < NEW_SECONDS

    @property
    def alive(self) -> bool:
        return self.deleted_at is None and time.time() < self.expires_at


class Links:
    """Raise Unavailable where the table does not answer."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, kind: Kind, tenant: str, id: str) -> Link | None:
        """The tenant's own link; None for an unknown, foreign, deleted or expired id alike."""
        link = self.find(kind, tenant, id)
        return link if link is not None and link.alive else None

    def find(self, kind: Kind, tenant: str, id: str) -> Link | None:
        """The same, also of what was deleted or has expired: None is what was never written."""
        item = self._table.get(link_partition(kind, tenant, id), LINK_SORT)
        return None if item is None else link_of(item)

    def put(self, link: Link) -> None:
        """Own an id; writing it twice for one request is harmless."""
        try:
            self._table.put(_link_row(link), unless=NEW_OR_OURS, request_id=link.request_id)
        except ConditionFailed:  # the tenant owns this id already, by an earlier request
            logger.warning("link exists", extra={"link": link.id, "request_id": link.request_id})

    def restore(self, link: Link) -> None:
        """Write a late link; one that is there may have changed since, and stays as it is."""
        with suppress(ConditionFailed):
            self._table.put(_link_row(link), unless="attribute_not_exists(pk)")

    def mark_deleted(self, link: Link) -> None:
        """From now on the id is refused; the row stays until it expires."""
        self.change(link, deleted_at=int(time.time()))

    def change(self, link: Link, **changes: Any) -> None:
        """Set attributes of a link, if it is still the one that was read or put."""
        update = Update(
            partition=link_partition(link.kind, link.tenant, link.id),
            sort=LINK_SORT,
            sets=changes,
            only_if="#request_id = :request_id",
            values={"request_id": link.request_id},
        )
        try:
            self._table.update(update, whole=False)
        except ConditionFailed:
            logger.warning("link changed hands", extra={"link": link.id})


def link_partition(kind: Kind, tenant: str, id: str) -> str:
    return f"T#{tenant}#{KIND_LETTERS[kind]}#{id}"


def _link_row(link: Link) -> Item:
    when = f"{link.created_ms:013d}#{link.id}"
    return {
        PARTITION_KEY: link_partition(link.kind, link.tenant, link.id),
        SORT_KEY: LINK_SORT,
        "by_time_pk": f"T#{link.tenant}#{KIND_LETTERS[link.kind]}",
        "by_time_sk": when,
        "by_root_pk": f"T#{link.tenant}#{link.root}",
        "by_root_sk": when,
        **asdict(link),
    }


def link_of(item: Item) -> Link:
    known = {f.name for f in fields(Link)}
    return Link(**{name: value for name, value in item.items() if name in known})


type StreamRecord = Mapping[str, Any]  # of a DynamoDB stream, with new and old images


@dataclass(frozen=True)
class LinkChange:
    """One of the two is None where the link was made, or is gone."""

    old: Link | None
    new: Link | None

    @classmethod
    def read(cls, record: StreamRecord) -> Self | None:
        """None for a row that is no link's."""
        told = record["dynamodb"]
        if told["Keys"][SORT_KEY] != {"S": LINK_SORT}:
            return None
        return cls(_link_from_image(told.get("OldImage")), _link_from_image(told.get("NewImage")))

    @property
    def names(self) -> tuple[Kind, str, str]:
        """Kind, tenant and id of the link."""
        link = self.new or self.old
        if link is None:
            raise ValueError("a change without images: the stream must carry new and old ones")
        return link.kind, link.tenant, link.id


def _link_from_image(image: Mapping[str, Any] | None) -> Link | None:
    return link_of(unmarshal(image)) if image else None
