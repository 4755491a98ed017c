"""Follows the changes of the links, in their order, and lets others derive what they need."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from antiphon.observe import figures, logger
from antiphon.store.changes import Change

type Event = Mapping[str, Any]  # what Lambda makes of a DynamoDB stream
type Concern = Callable[[Change], None]  # keeps one thing in step; may see a change repeatedly


class Rollup:
    """The function's handler; Lambda comes again with all from the first failed record on."""

    def __init__(self, concerns: Iterable[Concern]) -> None:
        self._concerns = tuple(concerns)

    def __call__(self, event: Event, _context: object) -> dict[str, Any]:
        failed = self._first_failed(event)
        figures.tell()
        return {"batchItemFailures": [{"itemIdentifier": failed}] if failed else []}

    def _first_failed(self, event: Event) -> str | None:
        for record in event["Records"]:
            try:
                self._follow(Change.read(record))
            except Exception as exc:  # noqa: BLE001  the records before it are done with
                # Not the exception's own words: they may hold metadata.
                number: str = record["dynamodb"]["SequenceNumber"]
                logger.error("change failed", extra={"error": type(exc).__name__, "at": number})
                return number
        return None

    def _follow(self, change: Change | None) -> None:
        if change is not None:
            for concern in self._concerns:
                concern(change)
