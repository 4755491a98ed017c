"""Keeps the state of the local AWS in a folder: moto has everything in memory."""

import threading
import time
from collections.abc import Sequence
from pathlib import Path

from moto.dynamodb.models import dynamodb_backends
from moto.sqs.models import sqs_backends

from infra.local.aws import transactions
from infra.local.aws.resources import ACCOUNT, DEAD_LETTERS, QUEUE, REGION, TABLE
from infra.local.aws.snapshot import Messages, Row, Snapshot

PAUSE_SECONDS = 1.0
MAX_DELAY_SECONDS = 900  # of a message of SQS


class SnapshotWriter:
    """Writes the state of this process's backends, if it has changed since it was written."""

    def __init__(self, folder: Path, start_keys: Sequence[str]) -> None:
        self._folder = folder
        self._start_keys = start_keys
        self._written: tuple[int, Messages] | None = None

    def run(self, stop: threading.Event) -> None:
        """Write each second, and once at the end."""
        while not stop.wait(PAUSE_SECONDS):
            self.write()
        self.write()

    def write(self) -> None:
        state = transactions.change_count(), _messages()
        if state == self._written:
            return
        Snapshot(_rows(), state[1], self._start_keys).write(self._folder)
        self._written = state


def restore(snapshot: Snapshot, start_keys: Sequence[str]) -> None:
    """Put the rows, and send the messages with what is left of their delays.

    The table's stream has the rows, so what was not counted yet is counted.
    """
    now, table = time.time(), dynamodb_backends[ACCOUNT][REGION]
    queues = sqs_backends[ACCOUNT][REGION]
    for row in snapshot.valid_rows(start_keys, now):
        table.put_item(TABLE, row)
    for name, entries in snapshot.messages.items():
        for entry in entries:
            delay = min(max(int(entry["delayed_until"] - now), 0), MAX_DELAY_SECONDS)
            queues.send_message(name, entry["body"], delay_seconds=delay)


def _rows() -> list[Row]:
    table = dynamodb_backends[ACCOUNT][REGION].tables[TABLE]
    with transactions.LOCK:
        found = [dict(item.attrs) for item in table.all_items()]
    return [{name: value.to_regular_json() for name, value in attrs.items()} for attrs in found]


def _messages() -> Messages:
    queues = sqs_backends[ACCOUNT][REGION].queues
    return {
        name: [
            # moto has milliseconds, and 0 for a message without a delay.
            {"body": message.body, "delayed_until": message.delayed_until / 1000}
            for message in [*queues[name]._messages]  # noqa: SLF001  also those in flight
        ]
        for name in (QUEUE, DEAD_LETTERS)
    }
