"""The rollup function: follows changes of links in the table's stream, and counts usage.

Every response that its request leaves without an outcome is polled, whatever became of the process
that wrote its link: see docs/decisions/0015-the-table-starts-the-polling.md.

The usage of a response is counted once, when its outcome is known. A marker row beside its link
records what was counted. Marker and sum are written in one transaction, so that a change which is
delivered repeatedly, late, or to two invocations at once is counted once. Where more becomes known
later, the same transaction subtracts what was counted before.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from antiphon.errors import Unavailable
from antiphon.observability import logger, metrics
from antiphon.settings.table import TTL
from antiphon.store.dynamodb import ConditionFailed, Conflict, Item, Table, Update
from antiphon.store.links import (
    LINK_SORT,
    Link,
    LinkChange,
    StreamRecord,
    link_of_row,
    link_partition,
)
from antiphon.store.queue import PollResponse, Queue
from antiphon.store.usage import (
    KEY_FIELDS,
    CostFunction,
    UsageKey,
    addition_update,
    report_usage_metrics,
    usage_counts,
    usage_fingerprint,
)

MARKER_SORT = "COUNTED"
# How long a marker outlives its link: the removal of an expired link is delivered days late.
MARKER_EXTRA_SECONDS = 60 * 86_400
MAX_ATTEMPTS = 12  # where others count the same response, or into the same sum

type Event = Mapping[str, Any]  # of a DynamoDB stream, as Lambda passes it
type ChangeListener = Callable[[LinkChange], None]  # may get a change repeatedly


class StreamHandler:
    """The function's handler; passes each change to all listeners, in the order of the stream."""

    def __init__(self, listeners: Iterable[ChangeListener], queue: Queue) -> None:
        self._listeners = tuple(listeners)
        self._queue = queue

    def __call__(self, event: Event, _context: object) -> dict[str, Any]:
        """Return the first failed record, from which Lambda delivers the batch again.

        https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
        """
        failed = self._apply_all(event["Records"])
        metrics.flush()
        return {"batchItemFailures": [{"itemIdentifier": failed}] if failed else []}

    def _apply_all(self, records: Sequence[StreamRecord]) -> str | None:
        """Apply the records until one fails; return the sequence number to continue from."""
        changes: list[LinkChange] = []  # applied
        failed = None
        for record in records:
            try:
                changes += self._apply(record)
            except Exception as exc:  # noqa: BLE001  the records before this one are complete
                failed = _log_failure(record, exc)
                break
        try:
            for poll in polls_to_start(changes):
                self._queue.send(poll)
        except Unavailable as exc:
            return _log_failure(records[0], exc)
        return failed

    def _apply(self, record: StreamRecord) -> list[LinkChange]:
        change = LinkChange.parse(record)
        if change is None:
            return []
        for listener in self._listeners:
            listener(change)
        return [change]


def polls_to_start(changes: Iterable[LinkChange]) -> Collection[PollResponse]:
    """Return a poll for each response that is left without an outcome at the end of the changes."""
    polls: dict[tuple[str, ...], PollResponse] = {}
    for change in changes:
        link = change.new
        if link is None or not link.is_open:
            polls.pop(change.link_key, None)
        elif change.starts_polling:
            # A stream is left to its own request at first.
            not_before = (link.ends_by or 0) if link.unfinished is None else 0
            polls[change.link_key] = PollResponse(link.tenant, link.id, not_before)
    return polls.values()


def _log_failure(record: StreamRecord, exc: Exception) -> str:
    """Log a failure without its message, which may contain metadata; return where it was."""
    number: str = record["dynamodb"]["SequenceNumber"]
    logger.error("change failed", extra={"error": type(exc).__name__, "at": number})
    return number


class UsageRollup:
    """Adds responses to the usage sums.

    Raise Unavailable where the table does not answer, or too many transactions conflict.
    """

    def __init__(self, table: Table, cost: CostFunction) -> None:
        self._table = table
        self._cost = cost

    def apply(self, change: LinkChange) -> None:
        """Count the response of a changed link as it is now, if its outcome has changed."""
        before = usage_fingerprint(change.old)
        if change.new is not None and before == usage_fingerprint(change.new):
            return
        partition = link_partition(*change.link_key)
        marker = None if before is None else self._table.get(partition, MARKER_SORT)
        for _ in range(MAX_ATTEMPTS):
            # Read after the marker, so that the link is never older than what was counted.
            link, fingerprint = self._read_current(partition, change)
            if link is None or fingerprint in {None, marker and marker["basis"]}:
                return
            updates = [*self._updates(partition, link, str(fingerprint), marker)]
            is_written, marker = self._write(updates, marker)
            if is_written:
                return
        raise Unavailable("The usage sums are too busy.")

    def _write(self, updates: list[Update], marker: Item | None) -> tuple[bool, Item | None]:
        """Return whether the transaction succeeded, and the marker as far as it is known then."""
        try:
            self._table.transact(updates)
        except ConditionFailed as exc:
            return False, exc.item
        except Conflict:
            return False, marker
        report_usage_metrics(updates[1:])  # the first one is the marker
        return True, marker

    def _read_current(self, partition: str, change: LinkChange) -> tuple[Link | None, str | None]:
        """Return the link as it is, or was before its removal, and its fingerprint."""
        item = self._table.get(partition, LINK_SORT)
        if item is not None:
            link = link_of_row(item)
            return link, usage_fingerprint(link)
        # If this change is not the removal, that is still to be delivered and will be counted then.
        last = change.old if change.new is None else None
        return last, usage_fingerprint(last, is_removed=True)

    def _updates(
        self, partition: str, link: Link, fingerprint: str, marker: Item | None
    ) -> Iterator[Update]:
        """Yield the update of the marker, then those of the sums."""
        key, counts = UsageKey.of(link), usage_counts(link, self._cost)
        yield Update(
            partition=partition,
            sort=MARKER_SORT,
            sets={
                **{name: getattr(key, name) for name in KEY_FIELDS},
                "basis": fingerprint,
                "counts": counts,
                TTL: link.expires_at + MARKER_EXTRA_SECONDS,
            },
            adds={"version": 1},
            only_if="#version = :known" if marker else "attribute_not_exists(#version)",
            values={"known": marker["version"]} if marker else {},
        )
        for sum_key, deltas in _deltas(key, counts, marker).items():
            changed = {name: number for name, number in deltas.items() if number}
            if changed:
                yield addition_update(sum_key, changed)


def _deltas(
    key: UsageKey, counts: Mapping[str, int], marker: Item | None
) -> dict[UsageKey, Counter[str]]:
    """Return what to add to each sum: the new counts, minus those that the marker records."""
    deltas: dict[UsageKey, Counter[str]] = defaultdict(Counter)
    deltas[key].update(counts)
    if marker is not None:
        counted = UsageKey(**{name: marker[name] for name in KEY_FIELDS})
        deltas[counted].subtract(marker["counts"])
    return deltas
