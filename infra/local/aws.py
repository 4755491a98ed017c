"""The AWS of this machine: `python -m infra.local.aws`, an embedded moto server with our things.

Reads what to make as one line of JSON, and lives as long as its standard input stays open.
"""

import json
import logging
import sys
from typing import Any

import boto3
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

from antiphon.settings.table import INDEXES, PARTITION_KEY, SORT_KEY, TTL
from antiphon.store import keys
from infra.local import transactions
from infra.local.things import (
    ACCOUNT,
    DEAD_LETTERS,
    QUEUE,
    REGION,
    SECRET_PREFIX,
    TABLE,
    Things,
)

SECONDS_UNTIL_SHOWN_AGAIN = 30  # a message that failed; minutes on AWS, which outlast a call
TRIES = 10  # to work on a message, until it is a dead letter


def make(things: Things, endpoint: str) -> None:
    place: Any = {"endpoint_url": endpoint, "region_name": REGION}
    table = boto3.resource("dynamodb", **place).create_table(**_shape())
    table.meta.client.update_time_to_live(
        TableName=TABLE,
        TimeToLiveSpecification={"Enabled": True, "AttributeName": TTL},
    )
    for key, tenant in things.keys:
        table.put_item(Item=keys.key_row(key, tenant))
    secrets = boto3.client("secretsmanager", **place)
    for target, secret in things.secrets.items():
        secrets.create_secret(Name=f"{SECRET_PREFIX}/{target}", SecretString=secret)
    _make_queues(boto3.client("sqs", **place))


def _make_queues(sqs: Any) -> None:
    sqs.create_queue(QueueName=DEAD_LETTERS)
    dead = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{DEAD_LETTERS}"
    redrive = {"deadLetterTargetArn": dead, "maxReceiveCount": TRIES}
    attributes = {
        "VisibilityTimeout": str(SECONDS_UNTIL_SHOWN_AGAIN),
        "RedrivePolicy": json.dumps(redrive),
    }
    sqs.create_queue(QueueName=QUEUE, Attributes=attributes)


def _shape() -> Any:
    primary = (PARTITION_KEY, SORT_KEY)
    attributes = [*primary, *(part for index in INDEXES.values() for part in index)]
    return {
        "TableName": TABLE,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": _key(primary),
        "AttributeDefinitions": [
            {"AttributeName": attribute, "AttributeType": "S"} for attribute in attributes
        ],
        "GlobalSecondaryIndexes": [
            {"IndexName": index, "KeySchema": _key(key), "Projection": {"ProjectionType": "ALL"}}
            for index, key in INDEXES.items()
        ],
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    }


def _key(names: tuple[str, str]) -> list[dict[str, str]]:
    return [
        {"AttributeName": name, "KeyType": kind}
        for name, kind in zip(names, ("HASH", "RANGE"), strict=True)
    ]


def main() -> None:
    things = Things(**json.loads(sys.stdin.readline()))
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    transactions.install()
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    endpoint = "http://{}:{}".format(*server.get_host_and_port())
    make(things, endpoint)
    print(f"aws listening on {endpoint}", flush=True)  # noqa: T201  the parent waits for it
    sys.stdin.read()


if __name__ == "__main__":
    main()
