"""The local AWS: `python -m infra.local.aws.server`, a moto server with the gateway's resources.

Reads the resources' content as one line of JSON from standard input, prints its address, and runs
until its standard input is closed.
"""

import gc
import json
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from antiphon.settings.table import PARTITION_KEY, SORT_KEY, TTL
from antiphon.store.dynamodb import marshal
from antiphon.store.keys import key_partition, key_row
from infra.local.aws import moto_lookups, persistence, transactions
from infra.local.aws.direct_calls import create
from infra.local.aws.http_server import serve_moto
from infra.local.aws.persistence import SnapshotWriter
from infra.local.aws.resources import (
    DEAD_LETTERS,
    QUEUE,
    TABLE,
    Resources,
    queue_attributes,
    secret_name,
    table_definition,
)
from infra.local.aws.snapshot import read_snapshot

TABLES = "DynamoDB_20120810"


def create_resources(resources: Resources) -> None:
    """Create the table, the secrets and the queues, with their first content."""
    create(f"{TABLES}.CreateTable", **table_definition())
    expiry = {"Enabled": True, "AttributeName": TTL}
    create(f"{TABLES}.UpdateTimeToLive", TableName=TABLE, TimeToLiveSpecification=expiry)
    for target, secret in resources.secrets.items():
        create("secretsmanager.CreateSecret", Name=secret_name(target), SecretString=secret)
    create("AmazonSQS.CreateQueue", QueueName=DEAD_LETTERS)
    create("AmazonSQS.CreateQueue", QueueName=QUEUE, Attributes=queue_attributes())
    if resources.keep:
        persistence.restore(read_snapshot(Path(resources.keep)), start_keys(resources))
    for row in (marshal(key_row(*pair)) for pair in resources.keys):
        key = {name: row[name] for name in (PARTITION_KEY, SORT_KEY)}
        if "Item" not in create(f"{TABLES}.GetItem", TableName=TABLE, Key=key):
            # An operator may have changed an earlier one.
            create(f"{TABLES}.PutItem", TableName=TABLE, Item=row)


def start_keys(resources: Resources) -> list[str]:
    """Return the partition keys of the API keys."""
    return [key_partition(key) for key, _ in resources.keys]


@contextmanager
def keeping(resources: Resources) -> Iterator[None]:
    """Write the state to the folder until the block ends, if there is one."""
    if resources.keep is None:
        yield
        return
    stop, writer = threading.Event(), SnapshotWriter(Path(resources.keep), start_keys(resources))
    thread = threading.Thread(target=writer.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _exit(*_: object) -> None:
    sys.exit(0)


def main() -> None:
    signal.signal(signal.SIGTERM, _exit)  # so that blocks end in order
    resources = Resources(**json.loads(sys.stdin.readline()))
    moto_lookups.install()
    transactions.install()
    create_resources(resources)
    with serve_moto() as endpoint:
        gc.freeze()  # to look through all of moto again and again would hold up calls
        with keeping(resources):
            print(f"aws listening on {endpoint}", flush=True)  # noqa: T201  the parent reads it
            sys.stdin.read()


if __name__ == "__main__":
    main()
