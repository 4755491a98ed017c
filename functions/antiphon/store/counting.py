"""Each response is counted once, when all is known of it, in the sum of its place.

A mark beside its link says what has been counted. Mark and sum are written in one transaction, so
that a change told twice, late or to two at once counts once; where more is heard of a response
after it was counted, what it had added is taken away as the new is added.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator

from antiphon.errors import Unavailable
from antiphon.settings.table import TTL
from antiphon.store.changes import Change
from antiphon.store.links import SORT, Link, link_of, partition
from antiphon.store.shown import show
from antiphon.store.spent import Cost, Place, basis, counts
from antiphon.store.table import ConditionFailed, Conflict, Table
from antiphon.store.update import Update
from antiphon.store.usage import PARTS, addition
from antiphon.store.values import Item

MARK = "COUNTED"
LONGER = 60 * 86_400  # seconds by which a mark outlives its link, whose removal is told days late
ROUNDS = 12  # against others who count the same response, or into the same sum


class UsageRollup:
    """Raise Unavailable where the table does not answer, or others get in between too often."""

    def __init__(self, table: Table, cost: Cost) -> None:
        self._table = table
        self._cost = cost

    def follow(self, change: Change) -> None:
        """Count the response of a changed link as it is now, if there is news of its end."""
        before = basis(change.old)
        if change.new is not None and before == basis(change.new):
            return
        row = partition(*change.names)
        mark = None if before is None else self._table.get(row, MARK)
        for _ in range(ROUNDS):
            # Read after the mark, so that what is counted is never older than what has been.
            link, known = self._now(row, change)
            if link is None or known in {None, mark and mark["basis"]}:
                return
            updates = [*self._updates(row, link, str(known), mark)]
            done, mark = self._written(updates, mark)
            if done:
                return
        raise Unavailable("Others count all the time.")

    def _written(self, updates: list[Update], mark: Item | None) -> tuple[bool, Item | None]:
        """Whether it could be, and the mark as it is known by then."""
        try:
            self._table.transact(updates)
        except ConditionFailed as exc:
            return False, exc.item
        except Conflict:
            return False, mark
        show(updates[1:])  # but for the mark
        return True, mark

    def _now(self, row: str, change: Change) -> tuple[Link | None, str | None]:
        """The link as it is, or was last, and its basis."""
        item = self._table.get(row, SORT)
        if item is not None:
            link = link_of(item)
            return link, basis(link)
        last = change.old if change.new is None else None  # else its removal is still to be told
        return last, basis(last, gone=True)

    def _updates(self, row: str, link: Link, known: str, mark: Item | None) -> Iterator[Update]:
        place, counted = Place.of(link), counts(link, self._cost)
        yield Update(
            partition=row,
            sort=MARK,
            sets={
                **{name: getattr(place, name) for name in PARTS},
                "basis": known,
                "counts": counted,
                TTL: link.expires_at + LONGER,
            },
            adds={"version": 1},
            only_if="#version = :known" if mark else "attribute_not_exists(#version)",
            values={"known": mark["version"]} if mark else {},
        )
        deltas: dict[Place, Counter[str]] = defaultdict(Counter)
        deltas[place].update(counted)
        if mark is not None:
            deltas[Place(**{name: mark[name] for name in PARTS})].subtract(mark["counts"])
        for each, numbers in deltas.items():
            changed = {name: number for name, number in numbers.items() if number}
            if changed:
                yield addition(each, changed)
