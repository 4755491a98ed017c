"""AWS in this process: a table and a queue, with faults at its border."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError
from moto import mock_aws

from antiphon.store.dynamodb import Item, Table
from antiphon.store.queue import DeferredWrite, PollResponse, Queue, decode_message
from infra.local import transactions
from infra.local.aws import _shape
from infra.local.things import TABLE
from tests.support.gateway import LOCAL_AWS

ONCE = Config(retries={"mode": "standard", "total_max_attempts": 1})

type Fault = Callable[[Any], AWSResponse | None]


class Cloud:
    """One client for each service, so that what breaks it meets whoever uses it."""

    def __init__(self) -> None:
        self.dynamodb = boto3.client("dynamodb", config=ONCE, **LOCAL_AWS)
        self.sqs = boto3.client("sqs", config=ONCE, **LOCAL_AWS)
        self.secrets = boto3.client("secretsmanager", config=ONCE, **LOCAL_AWS)
        self.dynamodb.create_table(**_shape())
        self.table = Table(self.dynamodb, TABLE)
        url = self.sqs.create_queue(QueueName="queue")["QueueUrl"]
        self.queue = Queue(lambda: self.sqs, url)
        self.sent: list[tuple[PollResponse | DeferredWrite, int]] = []  # with the delay, in seconds
        self.sqs.meta.events.register("provide-client-params.sqs.SendMessage", self._note)

    def row(self, id: str) -> Item | None:
        return self.table.get(f"T#acme#R#{id}", "LINK")

    def breaks(self, client: Any, operation: str, fault: Fault | None = None) -> None:
        """From now on a call fails; for the reason that it cannot be made, if none is given."""
        # First, for moto answers at the same hook.
        client.meta.events.register_first(
            _hook(client, operation), lambda request, **_: (fault or refused)(request), operation
        )

    def mends(self, client: Any, operation: str) -> None:
        client.meta.events.unregister(_hook(client, operation), unique_id=operation)

    def _note(self, params: Any, **_: object) -> None:
        self.sent.append((decode_message(params["MessageBody"]), params["DelaySeconds"]))


def refused(request: Any) -> None:
    """The call does not get there."""
    raise EndpointConnectionError(endpoint_url=request.url)


def answer_lost(request: Any) -> AWSResponse:
    """The call is done all the same: moto sees it too."""
    return AWSResponse(request.url, 500, {}, _Nothing())


class _Nothing:
    """What botocore reads of a body."""

    def stream(self, **_: object) -> Iterator[bytes]:
        return iter([b"{}"])


def _hook(client: Any, operation: str) -> str:
    return f"before-send.{client.meta.service_model.service_name}.{operation}"


@contextmanager
def cloud() -> Iterator[Cloud]:
    transactions.install()
    with mock_aws():
        yield Cloud()
