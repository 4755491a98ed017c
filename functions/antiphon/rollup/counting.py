"""Counts each link once, as it is now, however often and whenever its changes are delivered.

A marker row beside the link records what was counted. The marker and the sums are written in one
transaction, so that a change which is delivered repeatedly, late, or to two invocations at once is
counted once. Where more becomes known later, the same transaction subtracts what was counted
before: see docs/decisions/0009-usage-is-counted-once.md.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from antiphon.errors import Unavailable
from antiphon.settings.table import TTL
from antiphon.store.dynamodb import ConditionFailed, Conflict, Item, Table, Update
from antiphon.store.links import LINK_SORT, Link, LinkChange, link_of_row, link_partition

# How long a marker outlives its link: the removal of an expired link is delivered days late.
MARKER_EXTRA_SECONDS = 60 * 86_400
MAX_ATTEMPTS = 12  # where others count the same link, or into the same sum


class Sums(Protocol):
    """What links are counted into."""

    @property
    def marker_sort(self) -> str:
        """The sort key of the markers."""

    def fingerprint(self, link: Link | None) -> str | None:
        """Return everything that determines what a link counts; None where that is open."""

    def mark(self, link: Link) -> Item:
        """Return what the marker records of a link: enough to subtract it later."""

    def additions(self, link: Link, mark: Item, counted: Item | None) -> Iterable[Update]:
        """Return the updates that count a link; `counted` is the marker that they replace."""

    def report(self, additions: Sequence[Update]) -> None:
        """Get what was written."""


@dataclass(frozen=True)
class LinkCounter:
    """Counts links into sums.

    Raise Unavailable where the table does not answer, or too many transactions conflict.
    """

    table: Table
    sums: Sums
    on_first: Callable[[Link], None] = lambda _: None  # gets a link once, when it is counted first

    def apply(self, change: LinkChange) -> None:
        """Count the changed link as it is now, if what it counts has changed."""
        before = self.sums.fingerprint(change.old)
        if change.new is not None and before == self.sums.fingerprint(change.new):
            return
        partition = link_partition(*change.link_key)
        marker = None if before is None else self._read_marker(partition)
        for _ in range(MAX_ATTEMPTS):
            # Read after the marker, so that the link is never older than what was counted.
            link = self._read_link(partition, change)
            fingerprint = self.sums.fingerprint(link)
            if link is None or fingerprint in {None, marker and marker["basis"]}:
                return
            if self._count(link, str(fingerprint), marker):
                return
            marker = self._read_marker(partition)
        raise Unavailable("The sums are too busy.")

    def counts(self, link: Link) -> bool:
        """Whether a link is counted as it is now."""
        return self.sums.fingerprint(link) is not None

    def marker_key(self, link: Link) -> tuple[str, str]:
        """Return partition key and sort key of a link's marker."""
        return link_partition(link.kind, link.tenant, link.id), self.sums.marker_sort

    def is_counted(self, link: Link, marker: Item | None) -> bool:
        """Whether its marker records what a link counts now."""
        return marker is not None and marker["basis"] == self.sums.fingerprint(link)

    def _read_marker(self, partition: str) -> Item | None:
        return self.table.get(partition, self.sums.marker_sort)

    def _read_link(self, partition: str, change: LinkChange) -> Link | None:
        """Return the link as it is; one that was removed as it was, and deleted."""
        item = self.table.get(partition, LINK_SORT)
        if item is not None:
            return link_of_row(item)
        if change.new is not None:
            # Its removal is still to be delivered and will be counted then, except that of a
            # response with an end: the function is not invoked for it (infra.link_changes).
            has_end = change.new.kind == "response" and change.new.is_final
            return change.new if has_end else None
        last = change.old
        if last is None or last.deleted_at is not None:
            return last
        return replace(last, deleted_at=int(time.time()))

    def _count(self, link: Link, fingerprint: str, marker: Item | None) -> bool:
        """Return whether the link is counted now; if not, another has changed one of the rows."""
        mark = self.sums.mark(link)
        additions = [*self.sums.additions(link, mark, marker)]
        try:
            self.table.transact([self._marker_update(link, fingerprint, mark, marker), *additions])
        except (ConditionFailed, Conflict):
            return False
        self.sums.report(additions)
        if marker is None:
            self.on_first(link)
        return True

    def _marker_update(
        self, link: Link, fingerprint: str, mark: Item, marker: Item | None
    ) -> Update:
        return Update(
            partition=link_partition(link.kind, link.tenant, link.id),
            sort=self.sums.marker_sort,
            sets={**mark, "basis": fingerprint, TTL: link.expires_at + MARKER_EXTRA_SECONDS},
            adds={"version": 1},
            only_if="#version = :known" if marker else "attribute_not_exists(#version)",
            values={"known": marker["version"]} if marker else {},
        )
