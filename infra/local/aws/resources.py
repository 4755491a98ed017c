"""The AWS resources of a local gateway: their names, and what their creation needs."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from antiphon.settings.table import INDEXES, PARTITION_KEY, SORT_KEY

REGION = "us-east-1"
ACCOUNT = "123456789012"  # moto's default account
TABLE = "antiphon-local"
SECRET_PREFIX = "antiphon-local"  # noqa: S105  the prefix of names, not a secret
SIGNING_SECRET = "webhooks/signing"  # noqa: S105  a name that no target can have
QUEUE = "antiphon-local"
DEAD_LETTERS = "antiphon-local-dead-letters"
DUMMY_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}

VISIBILITY_SECONDS = 30  # minutes in the deployed stack, which is longer than a request takes
MAX_RECEIVE_COUNT = 10  # after that a message goes to the dead-letter queue


@dataclass(frozen=True)
class Resources:
    """The content that the created resources start with."""

    keys: list[tuple[str, str]]  # API key, tenant
    secrets: Mapping[str, str]  # credential by target
    keep: str | None = None  # the folder of what the next start finds again

    def to_line(self) -> bytes:
        """Encode as one line of JSON, for the standard input of the server process."""
        return json.dumps(asdict(self)).encode() + b"\n"


def secret_name(target: str) -> str:
    """Return the name of the secret with a target's credential."""
    return f"{SECRET_PREFIX}/{target}"


def queue_url(endpoint: str, name: str = QUEUE) -> str:
    return f"{endpoint}/{ACCOUNT}/{name}"


def queue_arn(name: str = QUEUE) -> str:
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"


def queue_attributes() -> dict[str, str]:
    """The attributes of CreateQueue for the main queue."""
    redrive = {
        "deadLetterTargetArn": queue_arn(DEAD_LETTERS),
        "maxReceiveCount": MAX_RECEIVE_COUNT,
    }
    return {"VisibilityTimeout": str(VISIBILITY_SECONDS), "RedrivePolicy": json.dumps(redrive)}


def table_definition() -> dict[str, Any]:
    """The arguments of CreateTable, with the indexes and the stream of the deployed table."""
    primary = (PARTITION_KEY, SORT_KEY)
    attributes = [*primary, *(part for index in INDEXES.values() for part in index)]
    return {
        "TableName": TABLE,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": _key_schema(primary),
        "AttributeDefinitions": [
            {"AttributeName": attribute, "AttributeType": "S"} for attribute in attributes
        ],
        "GlobalSecondaryIndexes": [
            {
                "IndexName": index,
                "KeySchema": _key_schema(key),
                "Projection": {"ProjectionType": "ALL"},
            }
            for index, key in INDEXES.items()
        ],
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    }


def _key_schema(names: tuple[str, str]) -> list[dict[str, str]]:
    return [
        {"AttributeName": name, "KeyType": kind}
        for name, kind in zip(names, ("HASH", "RANGE"), strict=True)
    ]
