"""The gateway's table in this process, and one that several processes share."""

import itertools
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing import get_context
from typing import Any

import botocore.session
from botocore.config import Config

from antiphon.rollup.handler import StreamHandler
from antiphon.store.dynamodb import BatchTable, Table
from antiphon.store.items import Items
from antiphon.store.links import Link, Links, link_row
from antiphon.store.listings import LinkListing, LinkQuery, MetadataIndex, Page
from antiphon.store.references import References
from infra.local.aws import moto_lookups, transactions
from infra.local.aws.http_server import serve_moto
from infra.local.aws.resources import TABLE, table_definition
from tests.support.aws_clients import LOCAL_AWS, aws_client, local_aws
from tests.support.concurrency import IS_SOAK

START_MS = 1_700_000_000_000  # when the first link is created: 2023-11-14 22:13:20 UTC
SHARED_TABLE = "races"
PROCESSES = 4 if IS_SOAK else 2  # of a race, with so many threads in each
THREADS = int(os.environ.get("ANTIPHON_RACE_THREADS", "16"))
# Forked from a server process that has imported once what races need: most of the time of a race.
RACERS = get_context("forkserver")
RACERS.set_forkserver_preload([__name__, "tests.support.limits"])

type RaceFunction = Callable[[Table, int], Any]  # gets the number of its caller


def make_link(number: int = 0, **more: Any) -> Link:
    """A link that is as many seconds younger than the first one."""
    id = more.get("id", f"resp_{number:08d}")
    fields = {
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
    return Link(**{**fields, **more})


class SentMessages(list[Any]):
    """A queue that nobody reads."""

    send = list[Any].append


@dataclass
class EmbeddedStore:
    """The parts of the store over one table; records the operations that DynamoDB executes."""

    keys: list[str] = field(default_factory=lambda: ["*"])
    calls: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        client = aws_client("dynamodb")
        client.meta.events.register("before-call.dynamodb", self._record)
        self.client = client
        self.table, self.batch = Table(client, TABLE), BatchTable(client, TABLE)
        self.links = Links(self.table)
        self.listing = LinkListing(self.table, self.batch, self.keys)
        self.queue: Any = SentMessages()
        index = MetadataIndex(self.table, self.batch, self.keys)
        self.rollup = StreamHandler([index.apply], self.queue)
        self._numbers = itertools.count()
        self._streams = aws_client("dynamodbstreams")
        self._iterator: str | None = None

    def make_link(self, **more: Any) -> Link:
        """A link one second younger than the one made before it; it is not written."""
        return make_link(next(self._numbers), **more)

    def delete_link(self, link: Link) -> None:
        """Mark a link as deleted, as a DELETE request does."""
        self.links.change(link, deleted_at=int(time.time()))

    def put_links(self, *links: Link) -> None:
        self.batch.put_all(map(link_row, links))

    def stream_records(self) -> list[dict[str, Any]]:
        """The records of the table's stream since the last call."""
        page = self._streams.get_records(ShardIterator=self._iterator or self._first_iterator())
        self._iterator = page["NextShardIterator"]
        return page["Records"]

    def run_rollup(self, records: Iterable[dict[str, Any]] | None = None) -> list[dict[str, str]]:
        """Invokes the rollup with new records, or with these; returns the failures."""
        event = {"Records": self.stream_records() if records is None else list(records)}
        return self.rollup(event, None)["batchItemFailures"]

    def metadata_index_keys(self) -> list[tuple[str, str]]:
        """The keys of all rows of the metadata index."""
        rows = self.client.scan(TableName=TABLE)["Items"]
        return sorted((r["pk"]["S"], r["sk"]["S"]) for r in rows if "#M#" in r["pk"]["S"])

    @contextmanager
    def count_calls(self) -> Iterator[list[str]]:
        """The operations that the block makes DynamoDB execute."""
        self.calls = []
        yield self.calls
        self.calls = []

    def _record(self, model: Any, **_: Any) -> None:
        self.calls.append(model.name)

    def _first_iterator(self) -> str:
        arn = self.client.describe_table(TableName=TABLE)["Table"]["LatestStreamArn"]
        shard = self._streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]
        options = {"StreamArn": arn, "ShardIteratorType": "TRIM_HORIZON"}
        return self._streams.get_shard_iterator(ShardId=shard["ShardId"], **options)[
            "ShardIterator"
        ]


@contextmanager
def embedded_store(*, stream: bool = True, keys: Iterable[str] = ("*",)) -> Iterator[EmbeddedStore]:
    """An empty table; without a stream it takes many rows twice as fast."""
    moto_lookups.install()
    transactions.install()  # moto's own are not thread-safe
    with local_aws():
        shape = table_definition() if stream else _shape_without_stream()
        aws_client("dynamodb").create_table(**shape)
        yield EmbeddedStore(list(keys))


def _shape_without_stream() -> dict[str, Any]:
    return {
        name: value for name, value in table_definition().items() if not name.startswith("Stream")
    }


def page_ids(page: Page) -> list[str]:
    return [found.id for found in page.links]


def read_pages(store: EmbeddedStore, query: LinkQuery) -> list[Page]:
    """All pages, each of them after the last id of the one before."""
    pages = [store.listing.page("response", "acme", query)]
    while pages[-1].has_more:
        after = store.links.get("response", "acme", pages[-1].last_id)
        assert after is not None
        pages.append(store.listing.page("response", "acme", replace(query, after=after)))
    return pages


@contextmanager
def shared_table_endpoint() -> Iterator[str]:
    """The address of an AWS with an empty table, for several processes."""
    moto_lookups.install()
    transactions.install()
    with serve_moto() as url:
        _connect(url).create_table(**{**_shape_without_stream(), "TableName": SHARED_TABLE})
        try:
            yield url
        finally:
            _connect(url).delete_table(TableName=SHARED_TABLE)  # moto's tables outlive the server


def run_in_processes(url: str, race: RaceFunction) -> list[Any]:
    """The results of all callers; `race` must be importable, with only values bound to it."""
    with ProcessPoolExecutor(PROCESSES, RACERS) as pool:
        results = pool.map(partial(_run_process, url, race), range(PROCESSES))
        return [result for some in results for result in some]


def open_shared_table(url: str) -> Table:
    return Table(_connect(url), SHARED_TABLE)


def _run_process(url: str, race: RaceFunction, process: int) -> list[Any]:
    shared, start = open_shared_table(url), threading.Barrier(THREADS)

    def run(thread: int) -> Any:
        start.wait()
        return race(shared, process * THREADS + thread)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


def _connect(url: str) -> Any:
    session = botocore.session.get_session()
    config = Config(max_pool_connections=THREADS)
    return session.create_client("dynamodb", endpoint_url=url, config=config, **LOCAL_AWS)


def owned_items(items: Items, tenant: str, ids: Iterable[str]) -> dict[str, str]:
    """The target of each item that the tenant may refer to."""
    found = References(items.batch).targets(tenant, [("item", id) for id in ids])
    return {id: target for (_, id), target in found.items()}


def row_bytes(row: dict[str, Any]) -> int:
    """The size of a row as DynamoDB bills it.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    return sum(len(name.encode()) + _value_bytes(value) for name, value in row.items())


def _value_bytes(value: Any) -> int:
    if isinstance(value, dict):
        return 3 + len(value) + row_bytes(value)
    if isinstance(value, int | float):
        digits = str(value).lstrip("-").rstrip("0")
        return 1 + (len(digits) + 1) // 2 + (value < 0)
    return len(str(value).encode())
