"""A table in this process, in the shape of the real one, that tells which calls it got."""

import itertools
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import boto3
from moto import mock_aws

from antiphon.rollup import StreamHandler
from antiphon.store.dynamodb import BatchTable, Table
from antiphon.store.links import Link, Links, _link_row
from antiphon.store.listings import LinkListing, LinkQuery, MetadataIndex, Page
from infra.local import transactions
from infra.local.aws import _shape
from infra.local.things import TABLE
from tests.support.gateway import LOCAL_AWS

START_MS = 1_700_000_000_000  # of the clock that links are made by
_numbers = itertools.count()


def link(**more: Any) -> Link:
    """A link one second younger than the one made before it."""
    number = next(_numbers)
    id = more.get("id", f"resp_{number:08d}")
    known = {
        "id": id,
        "tenant": "acme",
        "key_id": "key_1",
        "request_id": f"req_{number}",
        "target": "openai",
        "root": id,
        "status": "completed",
        "created_ms": START_MS + number * 1000,
        "expires_at": int(time.time()) + 3600,
    }
    return Link(**{**known, **more})


@dataclass
class Dynamo:
    """The parts of the store, over one table."""

    keys: list[str] = field(default_factory=lambda: ["*"])
    calls: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        client = boto3.client("dynamodb", **LOCAL_AWS)
        client.meta.events.register("before-call.dynamodb", self._note)
        self.client = client
        self.table, self.batch = Table(client, TABLE), BatchTable(client, TABLE)
        self.links = Links(self.table)
        self.listing = LinkListing(self.table, self.batch, self.keys)
        self.rollup = StreamHandler([MetadataIndex(self.table, self.batch, self.keys).follow])
        self._streams = boto3.client("dynamodbstreams", **LOCAL_AWS)
        self._place: str | None = None

    def hold(self, *links: Link) -> None:
        self.batch.put_all(map(_link_row, links))

    def records(self) -> list[dict[str, Any]]:
        """What the table's stream tells since it was last asked."""
        place = self._place or self._beginning()
        told = self._streams.get_records(ShardIterator=place)
        self._place = told["NextShardIterator"]
        return told["Records"]

    def roll(self, records: Iterable[dict[str, Any]] | None = None) -> list[dict[str, str]]:
        """Let the rollup see what is new; gives the failures."""
        event = {"Records": self.records() if records is None else list(records)}
        return self.rollup(event, None)["batchItemFailures"]

    def index(self) -> list[tuple[str, str]]:
        """Keys of all rows of the metadata index."""
        rows = self.client.scan(TableName=TABLE)["Items"]
        return sorted((r["pk"]["S"], r["sk"]["S"]) for r in rows if "#M#" in r["pk"]["S"])

    @contextmanager
    def counted(self) -> Iterator[list[str]]:
        """The operations that the block makes DynamoDB do."""
        self.calls = []
        yield self.calls
        self.calls = []

    def _note(self, model: Any, **_: Any) -> None:
        self.calls.append(model.name)

    def _beginning(self) -> str:
        arn = self.client.describe_table(TableName=TABLE)["Table"]["LatestStreamArn"]
        shard = self._streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]
        asked = {"StreamArn": arn, "ShardIteratorType": "TRIM_HORIZON"}
        found = self._streams.get_shard_iterator(ShardId=shard["ShardId"], **asked)
        return found["ShardIterator"]


@contextmanager
def held(*, stream: bool = True, keys: Iterable[str] = ("*",)) -> Iterator[Dynamo]:
    """An empty table; without a stream it takes many rows twice as fast."""
    shape = _shape() if stream else {k: v for k, v in _shape().items() if k[:6] != "Stream"}
    transactions.install()
    with mock_aws(config={"core": {"reset_boto3_session": False}}):  # reading it anew takes time
        boto3.client("dynamodb", **LOCAL_AWS).create_table(**shape)
        yield Dynamo(list(keys))


def ids(page: Page) -> list[str]:
    return [found.id for found in page.links]


def walked(dynamo: Dynamo, asked: LinkQuery) -> list[Page]:
    """All pages, each begun after the last id of the one before."""
    pages = [dynamo.listing.page("response", "acme", asked)]
    while pages[-1].has_more:
        after = dynamo.links.get("response", "acme", pages[-1].last_id)
        assert after is not None
        pages.append(dynamo.listing.page("response", "acme", replace(asked, after=after)))
    return pages
