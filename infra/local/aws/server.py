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
from typing import Any

import boto3

from antiphon.settings.table import PARTITION_KEY, SORT_KEY, TTL
from antiphon.store import keys
from infra.local.aws import moto_lookups, persistence, transactions
from infra.local.aws.http_server import serve_moto
from infra.local.aws.persistence import SnapshotWriter
from infra.local.aws.resources import (
    DEAD_LETTERS,
    QUEUE,
    REGION,
    TABLE,
    Resources,
    queue_attributes,
    secret_name,
    table_definition,
)
from infra.local.aws.snapshot import read_snapshot


def create_resources(resources: Resources, endpoint: str) -> None:
    """Create the table, the secrets and the queues, with their first content."""
    location: Any = {"endpoint_url": endpoint, "region_name": REGION}
    table = boto3.resource("dynamodb", **location).create_table(**table_definition())
    table.meta.client.update_time_to_live(
        TableName=TABLE,
        TimeToLiveSpecification={"Enabled": True, "AttributeName": TTL},
    )
    secrets = boto3.client("secretsmanager", **location)
    for target, secret in resources.secrets.items():
        secrets.create_secret(Name=secret_name(target), SecretString=secret)
    sqs = boto3.client("sqs", **location)
    sqs.create_queue(QueueName=DEAD_LETTERS)
    attributes: Any = queue_attributes()  # a plain dict to mypy, not the stub's literal names
    sqs.create_queue(QueueName=QUEUE, Attributes=attributes)
    if resources.keep:
        persistence.restore(read_snapshot(Path(resources.keep)), start_keys(resources), sqs)
    for key, tenant in resources.keys:
        row = keys.key_row(key, tenant)
        if "Item" not in table.get_item(
            Key={name: row[name] for name in (PARTITION_KEY, SORT_KEY)}
        ):
            table.put_item(Item=row)  # an operator may have changed an earlier one


def start_keys(resources: Resources) -> list[str]:
    """Return the partition keys of the API keys."""
    return [keys.key_partition(key) for key, _ in resources.keys]


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
    with serve_moto() as endpoint:
        create_resources(resources, endpoint)
        gc.freeze()  # to look through all of moto again and again would hold up calls
        with keeping(resources):
            print(f"aws listening on {endpoint}", flush=True)  # noqa: T201  the parent reads it
            sys.stdin.read()


if __name__ == "__main__":
    main()
