"""The handler of the rollup function, and which responses are to be polled.

Every response that its request leaves without an outcome is polled, whatever became of the process
that wrote its link: see docs/decisions/0015-the-table-starts-the-polling.md.
"""

from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from typing import Any

from antiphon.errors import Unavailable
from antiphon.observability import logger, metrics
from antiphon.store.links import LinkChange, StreamRecord
from antiphon.store.queue import PollBatch, PollResponse, Queue

# Of a chain of polls that begins late: with a pause of two minutes, or of 15 for a batch.
RARE_ATTEMPT, RARE_BATCH_ATTEMPT = 7, 15

type Event = Mapping[str, Any]  # of a DynamoDB stream, as Lambda passes it
type ChangeListener = Callable[[LinkChange], None]  # may get a change repeatedly


class StreamHandler:
    """The function's handler; passes each change to all listeners, in the order of the stream."""

    def __init__(
        self,
        listeners: Iterable[ChangeListener],
        queue: Queue,
        at_end: Callable[[], None] = lambda: None,  # of each invocation
        # After the listeners; if it raises Unavailable, Lambda delivers the batch again.
        announce: Callable[[], None] = lambda: None,
        reporting: Container[str] = (),  # targets whose providers report ends by webhooks
    ) -> None:
        self._listeners = tuple(listeners)
        self._queue = queue
        self._at_end = at_end
        self._announce = announce
        self._reporting = reporting

    def __call__(self, event: Event, _context: object) -> dict[str, Any]:
        """Return the first failed record, from which Lambda delivers the batch again.

        https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
        """
        failed = self._apply_all(event["Records"])
        self._at_end()
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
            self._announce()
            for poll in polls_to_start(changes, self._reporting):
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


def polls_to_start(
    changes: Iterable[LinkChange], reporting: Container[str] = ()
) -> Collection[PollResponse | PollBatch]:
    """Return a poll for each response that is left without an outcome at the end of the changes.

    And one for each new batch. What a webhook is to report is polled late and rarely, in case none
    comes.
    """
    polls: dict[tuple[str, ...], PollResponse | PollBatch] = {}
    for change in changes:
        link = change.new
        if link is not None and link.kind == "batch" and change.old is None:
            attempt = RARE_BATCH_ATTEMPT if link.target in reporting else 1
            polls[change.link_key] = PollBatch(link.tenant, link.id, attempt=attempt)
        elif link is None or not link.is_open:
            polls.pop(change.link_key, None)
        elif change.starts_polling:
            # A stream is left to its own request at first.
            not_before = (link.ends_by or 0) if link.unfinished is None else 0
            attempt = RARE_ATTEMPT if link.background and link.target in reporting else 1
            polls[change.link_key] = PollResponse(link.tenant, link.id, not_before, attempt=attempt)
    return polls.values()


def _log_failure(record: StreamRecord, exc: Exception) -> str:
    """Log a failure without its message, which may contain metadata; return where it was."""
    number: str = record["dynamodb"]["SequenceNumber"]
    logger.error("change failed", extra={"error": type(exc).__name__, "at": number})
    return number
