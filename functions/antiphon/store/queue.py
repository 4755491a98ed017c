"""The queue of deferred work: links to write, and unfinished responses to poll.

A message holds ids or a link as the table stores it, but no content and no API keys.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Self

from antiphon.store.dynamodb import CallTime, Update
from antiphon.store.links import Link

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

    from antiphon.store.aws_api import Sqs

MAX_PAUSE_SECONDS, MAX_DOUBLINGS = 300, 9  # of the pause between two attempts
MAX_DELAY_SECONDS = 900  # that SQS allows
NO_ANSWER = "The gateway's queue did not answer. Try again."


@dataclass(frozen=True, kw_only=True)
class QueueMessage:
    """What all messages have: when the work was deferred (epoch seconds), and the attempt."""

    since: int = field(default_factory=lambda: int(time.time()))
    attempt: int = 1

    @staticmethod
    def pause_before(attempt: int) -> int:
        """Return the seconds before an attempt: 2, 4, 8 and so on."""
        return min(1 << min(attempt, MAX_DOUBLINGS), MAX_PAUSE_SECONDS)

    def delay_at(self, _now: float) -> int:
        """Return the seconds before the message is delivered."""
        return self.pause_before(self.attempt)

    def age_at(self, now: float) -> float:
        """Return the seconds since the work was deferred, or at least those of all its pauses.

        With the pauses, a chain of messages ends even if the queue delays none of them.
        """
        return max(now - self.since, sum(map(self.pause_before, range(1, self.attempt + 1))))

    def next_attempt(self) -> Self:
        return replace(self, attempt=self.attempt + 1)


@dataclass(frozen=True)
class PollResponse(QueueMessage):
    """Poll a response without a known outcome, in case nothing has recorded it by `not_before`."""

    tenant: str
    id: str
    not_before: int = 0  # epoch seconds

    def delay_at(self, now: float) -> int:
        """As of every message, but not before its time as far as SQS allows."""
        return min(max(super().delay_at(now), self.seconds_early_at(now)), MAX_DELAY_SECONDS)

    def seconds_early_at(self, now: float) -> int:
        """Return the seconds until `not_before`; 0 or less from then on."""
        return self.not_before - int(now)


@dataclass(frozen=True)
class PollBatch(QueueMessage):
    """Poll a batch, which may take a day."""

    tenant: str
    id: str

    @staticmethod
    def pause_before(attempt: int) -> int:
        return min(60 * attempt, MAX_DELAY_SECONDS)


@dataclass(frozen=True)
class PollReported(QueueMessage):
    """Poll at once what its provider has reported as ended, beside its other polls."""

    tenant: str
    id: str
    object: Literal["response", "batch"]

    @staticmethod
    def pause_before(attempt: int) -> int:
        return 0 if attempt == 1 else QueueMessage.pause_before(attempt)


@dataclass(frozen=True)
class DeferredWrite(QueueMessage):
    """Write a link that the table did not take, or changes of it."""

    link: Link
    changes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DeferredUpdates(QueueMessage):
    """Make updates that the table did not take; made twice they do no more than once."""

    updates: tuple[Update, ...]


@dataclass(frozen=True)
class SettleReservation(QueueMessage):
    """Count `amounts` in place of the `refund` of a reservation; see LimitRows.

    `is_open`: they stay reserved, because the response may still be settled.
    """

    row: str
    id: str
    refund: Mapping[str, int]
    amounts: Mapping[str, int]
    is_open: bool


@dataclass(frozen=True)
class BusEvent:
    """An event; `time` is in epoch seconds."""

    type: str  # EventBridge's detail-type
    detail: Mapping[str, Any]
    time: int


@dataclass(frozen=True)
class PublishEvent(QueueMessage):
    """Send an event to the bus that did not take it."""

    event: BusEvent


@dataclass(frozen=True)
class WebhookEvent:
    """What a tenant's endpoint is sent; `created_at` is in epoch seconds."""

    id: str
    type: str
    object_id: str  # of the response or the batch
    created_at: int


@dataclass(frozen=True)
class DeliverWebhook(QueueMessage):
    """Send an event to an endpoint of a tenant, not before `not_before` (epoch seconds)."""

    tenant: str
    endpoint: str
    event: WebhookEvent
    not_before: int = 0

    def delay_at(self, now: float) -> int:
        """Not before its time as far as SQS allows; the first attempt is made at once."""
        early = self.seconds_early_at(now)
        if early <= 0:
            return 0 if self.attempt == 1 else self.pause_before(self.attempt)
        return min(early, MAX_DELAY_SECONDS)

    def seconds_early_at(self, now: float) -> int:
        """Return the seconds until `not_before`; 0 or less from then on."""
        return self.not_before - int(now)


type Message = (
    PollResponse
    | PollBatch
    | PollReported
    | DeferredWrite
    | DeferredUpdates
    | SettleReservation
    | PublishEvent
    | DeliverWebhook
)

MESSAGE_KINDS: dict[str, type[Message]] = {
    "follow": PollResponse,
    "batch": PollBatch,
    "reported": PollReported,
    "row": DeferredWrite,
    "updates": DeferredUpdates,
    "reservation": SettleReservation,
    "event": PublishEvent,
    "webhook": DeliverWebhook,
}


class Queue:
    """Creates its client for the first message, because most requests send none."""

    def __init__(
        self,
        connect: Callable[[], "Sqs | SQSClient"],
        url: str,
        call_time: CallTime | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._connect = connect
        self._url = url
        self._time = call_time or CallTime(float("inf"), NO_ANSWER)
        self._clock = clock  # epoch seconds
        self._client: Sqs | SQSClient | None = None

    def send(self, message: Message) -> None:
        """Raise Unavailable where the queue does not take the message."""
        if self._client is None:
            self._client = self._connect()
        body = encode_message(message)
        send = partial(self._client.send_message, QueueUrl=self._url, MessageBody=body)
        self._time.call(partial(send, DelaySeconds=message.delay_at(self._clock())))


def encode_message(message: Message) -> str:
    kind = next(name for name, cls in MESSAGE_KINDS.items() if isinstance(message, cls))
    return json.dumps({"kind": kind, **asdict(message)}, ensure_ascii=False)


def decode_message(body: str) -> Message:
    """Return the message in a body; raise ValueError, KeyError or TypeError for any other body."""
    values = json.loads(body)
    cls = MESSAGE_KINDS[values.pop("kind")]
    if "link" in values:
        values["link"] = Link(**values["link"])
    if "event" in values:
        event = WebhookEvent if cls is DeliverWebhook else BusEvent
        values["event"] = event(**values["event"])
    if "updates" in values:
        values["updates"] = tuple(Update(**update) for update in values["updates"])
    return cls(**values)
