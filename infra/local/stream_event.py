"""Changes of the table as an event source mapping for DynamoDB Streams tells a function of them."""

import asyncio
import logging
from collections.abc import Collection
from typing import Any

from infra.local.aws_json import Aws
from infra.local.things import TABLE

SERVICE = "DynamoDBStreams_20120810"
MOST = 100
TRIES = 3  # of one change, until it is passed over; 10 on AWS, where it becomes a dead letter
SHORTEST, LONGEST, GROWTH = 0.25, 2.0, 1.5  # seconds between two looks, more while all is quiet

type Record = dict[str, Any]

log = logging.getLogger(__name__)


class Changes:
    """Every change since the table was made, in order: one that fails holds up those behind it."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._stream = ""
        self._place = ""  # in the stream
        self._waiting: list[Record] = []
        self._most = MOST
        self._tries = 0
        self._pause = SHORTEST

    async def take(self) -> list[Record]:
        """Wait a while; there may be none."""
        await asyncio.sleep(self._pause)
        if not self._waiting:
            self._waiting = await self._look()
        self._pause = SHORTEST if self._waiting else min(self._pause * GROWTH, LONGEST)
        return self._waiting[: self._most]

    def id(self, record: Record) -> str:
        return str(record["dynamodb"]["SequenceNumber"])

    async def done(self, records: list[Record], failed: Collection[str]) -> None:
        """Go on behind the last one before the first that failed."""
        ids = [self.id(record) for record in records]
        good = next((n for n, id in enumerate(ids) if id in failed), len(ids))
        if good == 0 and len(ids) == 1 and self._tries == TRIES - 1:
            log.error("antiphon local: a change of the table is passed over: %s", records[0])
            good = 1
        self._waiting = self._waiting[good:]
        # What failed is tried alone from now on, so that it takes no others with it.
        self._most = MOST if good == len(ids) else 1
        self._tries = self._tries + 1 if good == 0 and len(ids) == 1 else 0

    async def _look(self) -> list[Record]:
        self._place = self._place or await self._beginning()
        told = await self._aws(SERVICE, "GetRecords", ShardIterator=self._place, Limit=MOST)
        self._place = told["NextShardIterator"]
        return [{**record, "eventSourceARN": self._stream} for record in told["Records"]]

    async def _beginning(self) -> str:
        """As TRIM_HORIZON: none is missed."""
        streams = await self._aws(SERVICE, "ListStreams", TableName=TABLE)
        self._stream = streams["Streams"][0]["StreamArn"]
        told = await self._aws(SERVICE, "DescribeStream", StreamArn=self._stream)
        shard = told["StreamDescription"]["Shards"][0]["ShardId"]
        found = await self._aws(
            SERVICE,
            "GetShardIterator",
            StreamArn=self._stream,
            ShardId=shard,
            ShardIteratorType="TRIM_HORIZON",
        )
        return str(found["ShardIterator"])
