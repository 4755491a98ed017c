"""The functions as data: one row for each file at the top of functions/."""

from dataclasses import dataclass
from typing import Literal

KEYS = "K#*"  # shapes of partition keys, as antiphon.settings.table tells of them
TENANTS = "T#*"
CIRCUITS = "G#*"  # which targets are spared, for all tenants alike


@dataclass(frozen=True)
class Right:
    """Actions on the rows whose partition key has one of these shapes, in table and indexes."""

    actions: tuple[str, ...]
    rows: tuple[str, ...]
    indexes: bool = False


@dataclass(frozen=True)
class Door:
    """One function; its least privilege is what this row grants and nothing else."""

    name: str  # functions/<name>.py
    about: str
    source: Literal["http", "queue", "stream"]  # what calls it
    minutes: int  # at most 15
    rights: tuple[Right, ...]
    streams: bool = False  # through our runtime, by functions/start-streaming
    secrets: bool = False  # calls the targets, with their credentials
    defers: bool = False  # sends to the queue
    memory: int | None = None  # MB; None is the option `memory`


DOORS = (
    Door(
        "api",
        about="the HTTP API, streamed",
        source="http",
        minutes=15,
        rights=(
            # Keys are made by an operator: this function looks one up, but lists and writes none.
            Right(("BatchGetItem",), (CIRCUITS, KEYS, TENANTS)),
            # IAM cannot tell a batch that writes from one that deletes; code never asks for that.
            Right(("BatchWriteItem", "GetItem", "PutItem"), (TENANTS,)),
            Right(("UpdateItem",), (CIRCUITS, TENANTS)),
            Right(("Query",), (TENANTS,), indexes=True),
        ),
        streams=True,
        secrets=True,
        defers=True,
    ),
    Door(
        "settle",
        about="writes late links, follows unfinished responses to their end",
        source="queue",
        minutes=2,
        rights=(
            Right(("BatchWriteItem", "GetItem", "PutItem"), (TENANTS,)),
            Right(("UpdateItem",), (CIRCUITS, TENANTS)),
        ),
        secrets=True,
        defers=True,
        memory=512,
    ),
    Door(
        "rollup",
        about="keeps what is derived from links in step with them",
        source="stream",
        minutes=1,
        # A transaction is granted by what it is made of, which here is updates.
        rights=(Right(("BatchWriteItem", "DeleteItem", "GetItem", "UpdateItem"), (TENANTS,)),),
        memory=256,
    ),
)
