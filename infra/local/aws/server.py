"""The local AWS: `python -m infra.local.aws.server`, a moto server with the gateway's resources.

Reads the resources' content as one line of JSON from standard input, prints its address, and runs
until its standard input is closed.
"""

import json
import logging
import sys
from typing import Any

import boto3
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

from antiphon.settings.table import TTL
from antiphon.store import keys
from infra.local.aws import moto_lookups, transactions
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


def create_resources(resources: Resources, endpoint: str) -> None:
    """Create the table, the secrets and the queues, with their first content."""
    location: Any = {"endpoint_url": endpoint, "region_name": REGION}
    table = boto3.resource("dynamodb", **location).create_table(**table_definition())
    table.meta.client.update_time_to_live(
        TableName=TABLE,
        TimeToLiveSpecification={"Enabled": True, "AttributeName": TTL},
    )
    for key, tenant in resources.keys:
        table.put_item(Item=keys.key_row(key, tenant))
    secrets = boto3.client("secretsmanager", **location)
    for target, secret in resources.secrets.items():
        secrets.create_secret(Name=secret_name(target), SecretString=secret)
    sqs = boto3.client("sqs", **location)
    sqs.create_queue(QueueName=DEAD_LETTERS)
    attributes: Any = queue_attributes()  # a plain dict to mypy, not the stub's literal names
    sqs.create_queue(QueueName=QUEUE, Attributes=attributes)


def main() -> None:
    resources = Resources(**json.loads(sys.stdin.readline()))
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    moto_lookups.install()
    transactions.install()
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    endpoint = "http://{}:{}".format(*server.get_host_and_port())
    create_resources(resources, endpoint)
    print(f"aws listening on {endpoint}", flush=True)  # noqa: T201  the parent process reads it
    sys.stdin.read()


if __name__ == "__main__":
    main()
