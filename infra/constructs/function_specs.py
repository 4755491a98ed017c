"""The functions as data: one row for each file at the top of functions/."""

from dataclasses import dataclass
from typing import Literal

# Patterns of partition keys; antiphon.settings.table describes their format.
KEY_ROWS = "K#*"
TENANT_ROWS = "T#*"
HELD_ROWS = "T#*#L*#HELD"  # reservations that have left the row of their counters
ID_ROWS = "W#*"  # whose an id is that a provider reports
CIRCUIT_ROWS = "G#*"  # state of the circuit breakers; one for all tenants
# What DynamoDB, SQS and Secrets Manager do with the key on behalf of a function.
KEY_ACTIONS = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
RESERVED_SECONDS = 10  # of the timeout, for an orderly end


@dataclass(frozen=True)
class RowPermission:
    """Allows DynamoDB actions on rows whose partition key matches one of the patterns."""

    actions: tuple[str, ...]  # without the prefix dynamodb:
    rows: tuple[str, ...]
    indexes: bool = False  # the table's indexes as well


@dataclass(frozen=True)
class FunctionSpec:
    """One Lambda function; it gets the permissions in its row and no others."""

    name: str  # functions/<name>.py
    description: str
    source: Literal["http", "queue", "stream"]  # what invokes it
    minutes: int  # timeout; at most 15
    permissions: tuple[RowPermission, ...]
    streams: bool = False  # runs in our streaming runtime, started by functions/start-streaming
    secrets: bool = False  # calls the targets, with their credentials
    sends_to_queue: bool = False
    announces: bool = False  # sends events to the bus, if there is one
    message_seconds: int | None = None  # the longest time of one message from the queue
    memory: int | None = None  # MB; None means the option `memory`

    @property
    def is_recursive(self) -> bool:
        """Whether it sends to the queue that invokes it."""
        return self.source == "queue" and self.sends_to_queue

    @property
    def batch_size(self) -> int | None:
        """Messages in one invocation, which ends in time though each takes its longest time."""
        if self.message_seconds is None:
            return None
        return (self.minutes * 60 - RESERVED_SECONDS) // self.message_seconds


FUNCTION_SPECS = (
    FunctionSpec(
        "api",
        description="the HTTP API, with streamed responses",
        source="http",
        minutes=15,
        permissions=(
            # Operators create keys: this function reads single keys, but cannot list or write them.
            RowPermission(("GetItem",), (CIRCUIT_ROWS, ID_ROWS, KEY_ROWS, TENANT_ROWS)),
            RowPermission(("PutItem",), (ID_ROWS,)),
            # IAM cannot distinguish a batch of puts from one of deletes; the code sends puts only.
            RowPermission(("BatchGetItem", "BatchWriteItem", "PutItem"), (TENANT_ROWS,)),
            RowPermission(("UpdateItem",), (CIRCUIT_ROWS, TENANT_ROWS)),
            RowPermission(("DeleteItem",), (HELD_ROWS,)),
            RowPermission(("Query",), (TENANT_ROWS,), indexes=True),
        ),
        streams=True,
        secrets=True,
        sends_to_queue=True,
    ),
    FunctionSpec(
        "settle",
        description="writes deferred links and polls unfinished responses until they end",
        source="queue",
        minutes=2,
        permissions=(
            RowPermission(("BatchWriteItem", "GetItem", "PutItem"), (TENANT_ROWS,)),
            RowPermission(("UpdateItem",), (CIRCUIT_ROWS, TENANT_ROWS)),
            RowPermission(("DeleteItem", "Query"), (HELD_ROWS,)),
        ),
        secrets=True,
        sends_to_queue=True,
        announces=True,
        message_seconds=55,
        memory=512,
    ),
    FunctionSpec(
        "rollup",
        description="updates usage and the metadata index when links change, and has responses "
        "polled that are left unfinished",
        source="stream",
        minutes=1,
        # IAM checks a transaction by the actions in it; those of this function update only.
        permissions=(
            RowPermission(
                ("BatchWriteItem", "DeleteItem", "GetItem", "UpdateItem"), (TENANT_ROWS,)
            ),
        ),
        sends_to_queue=True,
        announces=True,
        memory=256,
    ),
)
STREAM_FUNCTION = "rollup"
