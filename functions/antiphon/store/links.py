"""Links: rows that record which tenant owns an id of a provider, and which target stores it.

Responses and conversations have links, and so do resources: files, uploads, vector stores,
containers, skills and batches. A prompt or a tunnel has one only where an operator wrote it.

A change of a link reaches the rollup function through the table's stream, with the link as it was
before and after the change.
"""

import re
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from typing import Any, Literal, Self
from urllib.parse import quote

from antiphon.observability import logger
from antiphon.settings.table import PARTITION_KEY, SORT_KEY
from antiphon.store.containers import details_after_use
from antiphon.store.dynamodb import ConditionFailed, Item, Table, Update, unmarshal

LINK_SORT = "LINK"
FINAL = {"completed", "failed", "incomplete", "cancelled"}  # statuses
FINAL_VALUES = {status: status for status in sorted(FINAL)}
# A repeated write of the same request is allowed, except after a deletion.
NEW_OR_OURS = (
    "attribute_not_exists(pk) OR (request_id = :request_id AND attribute_not_exists(deleted_at))"
)
OURS = "#request_id = :request_id"
OURS_AND_NOT_FINAL = f"{OURS} AND NOT #status IN (:{', :'.join(FINAL_VALUES)})"
NEW_SECONDS = 60.0
MIN_EXTENSION = 86_400  # seconds; a shorter one is not worth a write
# Ids are the provider's. DynamoDB's sort keys have at most 1,024 bytes; "." is a path of its own.
ID_PATTERN = re.compile(r"(?!\.{1,2}\Z)[!-~]{1,900}")
# An id below an own object is looked up by its provider alone: none may lead to another path, also
# where a proxy on the way decodes it.
BELOW_PATTERN = re.compile(r"(?!\.{1,2}\Z)(?:(?![/\\%?#;])[!-~]){1,900}")
# How `unfinished` begins where the outcome will never be known.
GONE, GIVEN_UP = "gone", "given up: "

type ResourceKind = Literal["file", "upload", "vector_store", "container", "skill", "batch"]
type OperatorKind = Literal["prompt", "tunnel"]  # that only operators make, outside the gateway
# No later request can refer to a compaction: its link only records usage.
type Kind = Literal["response", "conversation", "compaction"] | ResourceKind | OperatorKind
type StreamRecord = Mapping[str, Any]  # of a DynamoDB stream with new and old images

NEVER = 253_402_300_799  # the last second of the year 9999, for what lives until it is deleted
# Older kinds have a short name in partition keys; every other kind stands there as it is.
SHORT_NAMES: Mapping[str, str] = {"response": "R", "conversation": "C", "compaction": "Z"}
TREE_KINDS: tuple[Kind, ...] = ("response", "conversation")  # listed by their root, too
UNLISTED_KINDS: tuple[Kind, ...] = ("upload", "prompt", "tunnel")


@dataclass(frozen=True, kw_only=True)
class Link:
    """What the gateway stores about an id; times are epoch seconds. Fields are row attributes."""

    id: str
    tenant: str
    key_id: str
    request_id: str
    target: str
    root: str  # id of the root of its tree: a conversation, or the first response of a chain
    status: str
    created_ms: int  # epoch milliseconds: lists are in this order
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
    service_tier: str | None = None  # the requested one, until an answer says which one served
    completed_at: int | None = None
    unfinished: str | None = None  # why the outcome is unknown: cut, error, unreadable, gone, …
    deleted_at: int | None = None
    ends_by: int | None = None  # until then the request that streams it may record its end
    alias_of: str | None = None  # the first id of a response whose provider changed the id
    lease: dict[str, Any] | None = None  # its reservation against limits, for a later settlement
    details: dict[str, Any] | None = None  # what the gateway's own lists show of a resource
    # Of a span, if spans are exported: when the request arrived, and when its response ended, and
    # the caller's own span, as in the header `traceparent`.
    started_ms: int | None = None
    ended_ms: int | None = None
    trace_parent: str | None = None
    waited_ms: int | None = None  # from the request until its answer, or its first event
    attempts: list[dict[str, Any]] | None = None  # if many: target, status or code, ms, reason

    @property
    def path_segment(self) -> str:
        """The id as a part of a provider's path."""
        return quote(self.id, safe="")

    @property
    def path(self) -> str:
        """The path of the object at its provider, below the target's prefix."""
        return f"{collection_path(self.kind)}/{self.path_segment}"

    @property
    def created_at(self) -> int:
        return self.created_ms // 1000

    @property
    def is_final(self) -> bool:
        return self.status in FINAL

    @property
    def is_settled(self) -> bool:
        """Whether the outcome is known, or will never be known."""
        return self.is_final or (self.unfinished or "").startswith((GONE, GIVEN_UP))

    @property
    def is_open(self) -> bool:
        """Whether its outcome has still to be recorded."""
        is_ended = self.is_settled or (not self.store and self.unfinished is not None)
        return self.kind == "response" and self.alias_of is None and not is_ended

    @property
    def is_pending(self) -> bool:
        """Whether the provider has to be polled for the outcome."""
        return self.is_open and self.store and self.deleted_at is None

    @property
    def is_live(self) -> bool:
        """Whether the link is neither deleted nor expired."""
        return self.deleted_at is None and time.time() < self.expires_at

    def is_new(self, now: float) -> bool:
        """Whether it has no end, or ended so recently that its provider may not find it yet."""
        return self.completed_at is None or now - self.completed_at < NEW_SECONDS


@dataclass(frozen=True)
class LinkChange:
    """A change of a link; `old` is None for a new link, `new` for a removed one."""

    old: Link | None
    new: Link | None

    @classmethod
    def parse(cls, record: StreamRecord) -> Self | None:
        """Return the change that a stream record describes; None where the row is no link."""
        change = record["dynamodb"]
        if change["Keys"][SORT_KEY] != {"S": LINK_SORT}:
            return None
        return cls(_link_of_image(change.get("OldImage")), _link_of_image(change.get("NewImage")))

    @property
    def starts_polling(self) -> bool:
        """Whether nobody polls the response yet: its link is new, or its stream was cut."""
        new, old = self.new, self.old
        if new is None or old is None:
            return new is not None and new.is_open
        return new.is_pending and new.unfinished not in {None, old.unfinished}

    @property
    def link_key(self) -> tuple[Kind, str, str]:
        """Kind, tenant and id of the link."""
        link = self.new or self.old
        if link is None:
            raise ValueError("A change without images: the stream must carry new and old ones.")
        return link.kind, link.tenant, link.id


class Links:
    """Raise Unavailable where the table does not answer."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, kind: Kind, tenant: str, id: str) -> Link | None:
        """Return the tenant's link; None alike for an unknown, foreign, deleted or expired id."""
        link = self.find(kind, tenant, id)
        return link if link is not None and link.is_live else None

    def find(self, kind: Kind, tenant: str, id: str) -> Link | None:
        """Return the tenant's link, also a deleted or expired one; None where there is no row."""
        item = self._table.get(link_partition(kind, tenant, id), LINK_SORT)
        return None if item is None else link_of_row(item)

    def put(self, link: Link) -> None:
        """Record a new link; a repeated write of the same request does no harm."""
        try:
            self._table.put(link_row(link), NEW_OR_OURS, request_id=link.request_id)
        except ConditionFailed:  # an earlier request of the tenant has recorded this id
            logger.warning("link exists", extra={"link": link.id, "request_id": link.request_id})

    def own(self, link: Link) -> None:
        """Record the link of a container that is used, and which the tenant may own already.

        Then it ends as late as this one, and the use is recorded. What the tenant has deleted stays
        deleted.
        """
        try:
            self._table.put(link_row(link), "attribute_not_exists(pk)")
        except ConditionFailed as exc:
            earlier = link_of_row(exc.item) if exc.item else link
            changes = _changes_after_use(earlier, link)
            if changes and earlier.deleted_at is None:
                self.change(earlier, **changes)

    def restore(self, link: Link) -> None:
        """Write a deferred link, unless it is there: it may have changed since."""
        with suppress(ConditionFailed):
            self._table.put(link_row(link), "attribute_not_exists(pk)")

    def change(self, link: Link, **changes: Any) -> None:
        """Set attributes of a link, unless it belongs to another request by now.

        An outcome that is not final replaces none that is.
        """
        try:
            self._table.update(_change_update(link, changes), return_all=False)
        except ConditionFailed:
            logger.info("link not changed", extra={"link": link.id, "changes": [*changes]})

    def change_with(self, link: Link, changes: dict[str, Any], updates: Sequence[Update]) -> None:
        """Set attributes of a link and make up to 99 other updates, all of them or none."""
        if not updates:
            self.change(link, **changes)
            return
        try:
            self._table.transact([_change_update(link, changes), *updates])
        except ConditionFailed:
            logger.warning("link has another owner", extra={"link": link.id})


def collection_path(kind: Kind) -> str:
    """Return the path at which a provider makes objects of a kind."""
    return "/batches" if kind == "batch" else f"/{kind}s"


def link_partition(kind: Kind, tenant: str, id: str) -> str:
    return f"T#{tenant}#{SHORT_NAMES.get(kind, kind)}#{id}"


def link_sort_key(link: Link) -> str:
    """Return the sort key that the indexes list links by: the creation time, then the id."""
    return f"{link.created_ms:013d}#{link.id}"


def link_row(link: Link) -> Item:
    sort = link_sort_key(link)
    by_time = {"by_time_pk": time_partition(link.kind, link.tenant), "by_time_sk": sort}
    by_root = {"by_root_pk": root_partition(link), "by_root_sk": sort}
    is_listed = link.alias_of is None and link.kind not in UNLISTED_KINDS
    return {
        PARTITION_KEY: link_partition(link.kind, link.tenant, link.id),
        SORT_KEY: LINK_SORT,
        **(by_time if is_listed else {}),  # lists have each response once
        **(by_root if is_listed and link.kind in TREE_KINDS else {}),
        **vars(link),  # not `asdict`, which copies each value
    }


def link_of_row(item: Item) -> Link:
    known = {f.name for f in fields(Link)}
    return Link(**{name: value for name, value in item.items() if name in known})


def time_partition(kind: Kind, tenant: str) -> str:
    """Return the partition of the index `by_time` that lists a tenant's links of one kind."""
    return f"T#{tenant}#{SHORT_NAMES.get(kind, kind)}"


def root_partition(link: Link) -> str:
    """Return the partition of the index `by_root` that holds the tree of a link."""
    return f"T#{link.tenant}#{link.root}"


def _changes_after_use(earlier: Link, link: Link) -> dict[str, Any]:
    """Return what a container's use changes of its link; `link` is the one of that use."""
    details = details_after_use(earlier, link.created_at)
    extends = link.expires_at - earlier.expires_at >= MIN_EXTENSION
    changes = {"expires_at": link.expires_at if extends else None, "details": details}
    return {name: value for name, value in changes.items() if value is not None}


def _change_update(link: Link, changes: dict[str, Any]) -> Update:
    is_outcome = "status" in changes or "unfinished" in changes
    finals = {} if not is_outcome or changes.get("status") in FINAL else FINAL_VALUES
    return Update(
        partition=link_partition(link.kind, link.tenant, link.id),
        sort=LINK_SORT,
        sets=changes,
        only_if=OURS_AND_NOT_FINAL if finals else OURS,
        values={"request_id": link.request_id, **finals},
    )


def _link_of_image(image: Mapping[str, Any] | None) -> Link | None:
    return link_of_row(unmarshal(image)) if image else None
