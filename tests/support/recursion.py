"""SQS and Lambda with its detection of recursive loops, at a clock that jumps to the next message.

SQS hands the trace header of a message to the function that it invokes, the AWS SDK adds the
header to what that function sends, and Lambda counts in it how often the chain has invoked the
function: https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
"""

import hashlib
import heapq
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from botocore.awsrequest import AWSResponse

from tests.support.aws import FakeAws, respond_with

MAX_INVOCATIONS = 16  # of a function by one chain, where a loop is not allowed
MAX_RECEIVES, VISIBILITY_SECONDS = 10, 720  # of the deployed queue
LINEAGE = re.compile(r"Lineage=\d+:settle:(\d+)")

type Handler = Callable[[Mapping[str, Any], Any], Mapping[str, Any]]


@dataclass(order=True)
class QueuedMessage:
    due: float
    number: int
    body: str = field(compare=False)
    invocations: int = field(compare=False)  # of the function, by the chain that it belongs to
    receives: int = field(default=0, compare=False)


class FakeContext:
    aws_request_id = "call-1"

    def get_remaining_time_in_millis(self) -> int:
        return 120_000


@dataclass
class LoopingQueue:
    """The queue, and the function that it invokes with one message at a time."""

    cloud: FakeAws
    now: float
    is_loop_allowed: bool = True
    has_delays: bool = True
    invocations: int = 0
    dropped: list[str] = field(default_factory=list)
    dead_letters: list[str] = field(default_factory=list)
    _waiting: list[QueuedMessage] = field(default_factory=list)
    _number: int = 0

    def __post_init__(self) -> None:
        self.cloud.fail(self.cloud.sqs, "SendMessage", self._take)

    def clock(self) -> float:
        return self.now

    @property
    def is_empty(self) -> bool:
        return not self._waiting

    def run(self, handler: Handler, until: float) -> None:
        """Deliver messages until the queue is empty, or the next one is due later."""
        while self._waiting and self._waiting[0].due <= until:
            message = heapq.heappop(self._waiting)
            self.now = message.due
            self._deliver(message, handler)

    def _deliver(self, message: QueuedMessage, handler: Handler) -> None:
        count = message.invocations + 1
        if count > MAX_INVOCATIONS and not self.is_loop_allowed:
            self.dropped.append(message.body)
            return
        self.invocations += 1
        os.environ["_X_AMZN_TRACE_ID"] = f"Root=1-0-0;Sampled=0;Lineage=1:settle:{count}"
        try:
            event = {"Records": [{"messageId": "m", "body": message.body}]}
            failures = handler(event, FakeContext())["batchItemFailures"]
        finally:
            del os.environ["_X_AMZN_TRACE_ID"]
        if failures:
            self._return(message)

    def _return(self, message: QueuedMessage) -> None:
        message.receives += 1
        if message.receives == MAX_RECEIVES:
            self.dead_letters.append(message.body)
        else:
            message.due = self.now + VISIBILITY_SECONDS
            heapq.heappush(self._waiting, message)

    def _take(self, request: Any) -> AWSResponse:
        values = json.loads(request.body)
        body, delay = values["MessageBody"], values["DelaySeconds"] if self.has_delays else 0
        header = request.headers.get("X-Amzn-Trace-Id", b"")
        found = LINEAGE.search(unquote(header.decode() if isinstance(header, bytes) else header))
        self._number += 1
        invocations = int(found[1]) if found else 0
        message = QueuedMessage(self.now + delay, self._number, body, invocations)
        heapq.heappush(self._waiting, message)
        digest = hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()
        return respond_with({"MessageId": "m", "MD5OfMessageBody": digest})(request)
