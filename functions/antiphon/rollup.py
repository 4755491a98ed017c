"""Each response is counted once, when all is known of it, in the sum of its place.

A mark beside its link says what has been counted. Mark and sum are written in one transaction, so
that a change told twice, late or to two at once counts once; where more is heard of a response
after it was counted, what it had added is taken away as the new is added.


Follows the changes of the links, in their order, and lets others derive what they need.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from antiphon.errors import Unavailable
from antiphon.observability import logger, metrics
from antiphon.settings.table import TTL
from antiphon.store.dynamodb import ConditionFailed, Conflict, Item, Table, Update
from antiphon.store.links import LINK_SORT, Link, LinkChange, link_of, link_partition
from antiphon.store.usage import (
    KEY_FIELDS,
    CostFunction,
    UsageKey,
    addition_update,
    report_usage_metrics,
    usage_counts,
    usage_fingerprint,
)

MARK = "COUNTED"
MARK_EXTRA_SECONDS = (
    60 * 86_400
)  # seconds by which a mark outlives its link, whose removal is told days late
MAX_ATTEMPTS = 12  # against others who count the same response, or into the same sum


class UsageRollup:
    """Raise Unavailable where the table does not answer, or others get in between too often."""

    def __init__(self, table: Table, cost: CostFunction) -> None:
        self._table = table
        self._cost = cost

    def follow(self, change: LinkChange) -> None:
        """Count the response of a changed link as it is now, if there is news of its end."""
        before = usage_fingerprint(change.old)
        if change.new is not None and before == usage_fingerprint(change.new):
            return
        row = link_partition(*change.names)
        mark = None if before is None else self._table.get(row, MARK)
        for _ in range(MAX_ATTEMPTS):
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
        report_usage_metrics(updates[1:])  # but for the mark
        return True, mark

    def _now(self, row: str, change: LinkChange) -> tuple[Link | None, str | None]:
        """The link as it is, or was last, and its basis."""
        item = self._table.get(row, LINK_SORT)
        if item is not None:
            link = link_of(item)
            return link, usage_fingerprint(link)
        last = change.old if change.new is None else None  # else its removal is still to be told
        return last, usage_fingerprint(last, gone=True)

    def _updates(self, row: str, link: Link, known: str, mark: Item | None) -> Iterator[Update]:
        place, counted = UsageKey.of(link), usage_counts(link, self._cost)
        yield Update(
            partition=row,
            sort=MARK,
            sets={
                **{name: getattr(place, name) for name in KEY_FIELDS},
                "basis": known,
                "counts": counted,
                TTL: link.expires_at + MARK_EXTRA_SECONDS,
            },
            adds={"version": 1},
            only_if="#version = :known" if mark else "attribute_not_exists(#version)",
            values={"known": mark["version"]} if mark else {},
        )
        deltas: dict[UsageKey, Counter[str]] = defaultdict(Counter)
        deltas[place].update(counted)
        if mark is not None:
            deltas[UsageKey(**{name: mark[name] for name in KEY_FIELDS})].subtract(mark["counts"])
        for each, numbers in deltas.items():
            changed = {name: number for name, number in numbers.items() if number}
            if changed:
                yield addition_update(each, changed)


type Event = Mapping[str, Any]  # what Lambda makes of a DynamoDB stream
type ChangeListener = Callable[
    [LinkChange], None
]  # keeps one thing in step; may see a change repeatedly


class StreamHandler:
    """The function's handler; Lambda comes again with all from the first failed record on."""

    def __init__(self, concerns: Iterable[ChangeListener]) -> None:
        self._concerns = tuple(concerns)

    def __call__(self, event: Event, _context: object) -> dict[str, Any]:
        failed = self._first_failed(event)
        metrics.tell()
        return {"batchItemFailures": [{"itemIdentifier": failed}] if failed else []}

    def _first_failed(self, event: Event) -> str | None:
        for record in event["Records"]:
            try:
                self._follow(LinkChange.read(record))
            except Exception as exc:  # noqa: BLE001  the records before it are done with
                # Not the exception's own words: they may hold metadata.
                number: str = record["dynamodb"]["SequenceNumber"]
                logger.error("change failed", extra={"error": type(exc).__name__, "at": number})
                return number
        return None

    def _follow(self, change: LinkChange | None) -> None:
        if change is not None:
            for concern in self._concerns:
                concern(change)
