"""The queue of what is to be done later: links to write, responses to follow to their end.

A message holds ids, and a link as the table would; content and keys are in none.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from botocore.exceptions import BotoCoreError, ClientError

from antiphon.errors import Unavailable
from antiphon.store.links import Link

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

MAX_DELAY_SECONDS = 300  # seconds between two tries; SQS allows 900


@dataclass(frozen=True, kw_only=True)
class QueueMessage:
    """What all have: since when it waits (epoch seconds), and which try this is."""

    since: int = field(default_factory=lambda: int(time.time()))
    attempt: int = 1

    @property
    def delay(self) -> int:
        """Seconds until it is worth a try: 2, 4, 8 and so on."""
        return min(1 << self.attempt, MAX_DELAY_SECONDS)

    @property
    def age(self) -> float:
        return time.time() - self.since

    def again(self) -> Self:
        return replace(self, attempt=self.attempt + 1)


@dataclass(frozen=True)
class PollResponse(QueueMessage):
    """A response that had not ended when its create was answered."""

    tenant: str
    id: str


@dataclass(frozen=True)
class DeferredWrite(QueueMessage):
    """A link that the table did not take, or some changes of it."""

    link: Link
    changes: Mapping[str, Any] = field(default_factory=dict)


MESSAGE_KINDS: dict[str, type[PollResponse | DeferredWrite]] = {
    "follow": PollResponse,
    "row": DeferredWrite,
}


class Queue:
    """Asks for its client at the first message, for most calls need none."""

    def __init__(self, connect: Callable[[], "SQSClient"], url: str) -> None:
        self._connect = connect
        self._url = url
        self._client: SQSClient | None = None

    def send(self, message: PollResponse | DeferredWrite) -> None:
        """Raise Unavailable where the queue does not take it."""
        if self._client is None:
            self._client = self._connect()
        body = encode_message(message)
        try:
            self._client.send_message(
                QueueUrl=self._url, MessageBody=body, DelaySeconds=message.delay
            )
        except (BotoCoreError, ClientError) as exc:
            raise Unavailable("The gateway's queue did not answer. Try again.") from exc


def encode_message(message: PollResponse | DeferredWrite) -> str:
    kind = next(name for name, made in MESSAGE_KINDS.items() if isinstance(message, made))
    return json.dumps({"kind": kind, **asdict(message)}, ensure_ascii=False)


def decode_message(body: str) -> PollResponse | DeferredWrite:
    """The message in a body; raise ValueError, KeyError or TypeError where it is none of ours."""
    told = json.loads(body)
    made = MESSAGE_KINDS[told.pop("kind")]
    if "link" in told:
        told["link"] = Link(**told["link"])
    return made(**told)
