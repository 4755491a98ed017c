"""Sends events to a bus of EventBridge."""

import json
from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol

from antiphon.errors import Unavailable
from antiphon.observability import logger
from antiphon.store.dynamodb import CallTime
from antiphon.store.queue import BusEvent

MAX_EVENTS = 10  # that one call takes
SOURCE = "antiphon"
BUS_SECONDS = 6.0
NO_ANSWER = "The bus of events did not answer."


class BusClient(Protocol):
    """What sends events: ours, or botocore's client."""

    def put_events(self, **arguments: Any) -> Any: ...


class EventBus:
    """One bus: the name `default`, or an ARN."""

    def __init__(self, client: BusClient, bus: str, time: CallTime | None = None) -> None:
        self._client = client
        self._bus = bus
        self._time = time or CallTime(BUS_SECONDS, NO_ANSWER)

    def put(self, events: Sequence[BusEvent]) -> Sequence[BusEvent]:
        """Send up to 10 events; return those that the bus did not take, or may not have taken."""
        entries = [self._entry(each) for each in events]
        try:
            answer = self._time.call(partial(self._client.put_events, Entries=entries))
        except Unavailable as exc:
            logger.warning("events not sent", extra={"why": type(exc.__cause__).__name__})
            return events
        pairs = zip(events, answer["Entries"], strict=True)
        refused = [(event, result["ErrorCode"]) for event, result in pairs if "ErrorCode" in result]
        if refused:
            codes = sorted({code for _, code in refused})
            logger.warning("events not sent", extra={"why": ", ".join(codes)})
        return [event for event, _ in refused]

    def put_one(self, event: BusEvent) -> None:
        """Raise Unavailable where the bus does not take it."""
        if self.put([event]):
            raise Unavailable(NO_ANSWER)

    def _entry(self, event: BusEvent) -> dict[str, Any]:
        return {
            "Source": SOURCE,
            "DetailType": event.type,
            "Detail": json.dumps(event.detail, separators=(",", ":")),
            "EventBusName": self._bus,
            "Time": event.time,
        }
