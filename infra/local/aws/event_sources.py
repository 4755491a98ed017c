"""The event sources of the functions that no HTTP request invokes: the queue and the stream."""

import asyncio
import json
import logging
from collections.abc import Collection
from typing import Any, Protocol

import aiohttp

from infra.link_changes import invokes_rollup
from infra.local.aws.resources import QUEUE, REGION, TABLE, queue_arn, queue_url

SQS, STREAMS = "AmazonSQS", "DynamoDBStreams_20120810"
SIGNING_NAMES = {SQS: "sqs", STREAMS: "dynamodb"}
RESPONSE_TIMEOUT_SECONDS = 60.0  # more than the longest long poll
QUEUE_BATCH_SIZE, LONG_POLL_SECONDS = 10, 20
STREAM_BATCH_SIZE = 100
MAX_TRIES = 10  # of one stream record; then it is skipped, as on AWS after 23 hours
MIN_POLL_SECONDS, MAX_POLL_SECONDS, POLL_BACKOFF = 0.25, 2.0, 1.5

type Record = dict[str, Any]

log = logging.getLogger(__name__)


class OperationFailed(Exception):
    """AWS answered an operation with an error status."""


class AwsClient:
    """Calls AWS's JSON protocol without boto3: a blocked thread would delay the shutdown.

    moto reads no more of the signature than the service's name, so requests are not signed.
    """

    def __init__(self, session: aiohttp.ClientSession, endpoint: str) -> None:
        self._session = session
        self.endpoint = endpoint

    async def call(self, service: str, operation: str, **arguments: Any) -> Any:
        """Raise OperationFailed, aiohttp.ClientError or TimeoutError."""
        scope = f"local/20260101/{REGION}/{SIGNING_NAMES[service]}/aws4_request"
        headers = {
            "X-Amz-Target": f"{service}.{operation}",
            "Content-Type": "application/x-amz-json-1.0",
            "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=, Signature=",
        }
        body, timeout = json.dumps(arguments), aiohttp.ClientTimeout(RESPONSE_TIMEOUT_SECONDS)
        async with self._session.post(
            self.endpoint, data=body, headers=headers, timeout=timeout
        ) as response:
            if not response.ok:
                raise OperationFailed(f"{operation}: {await response.text()}")
            return await response.json(content_type=None)


class EventSource(Protocol):
    """A source of records for a function."""

    async def receive(self) -> list[Record]:
        """Wait for records; return an empty list after a while without any."""

    def record_id(self, record: Record) -> str:
        """The identifier that a function uses in `batchItemFailures`."""

    async def complete(self, records: list[Record], failed: Collection[str]) -> None:
        """Remove the processed records; `failed` has the identifiers of the others."""


class QueueSource:
    """SQS messages: the queue delivers a failed one again, and moves it to its dead letters."""

    def __init__(self, aws: AwsClient) -> None:
        self._aws = aws
        self._url = queue_url(aws.endpoint)

    async def receive(self) -> list[Record]:
        response = await self._aws.call(
            SQS,
            "ReceiveMessage",
            QueueUrl=self._url,
            MaxNumberOfMessages=QUEUE_BATCH_SIZE,
            WaitTimeSeconds=LONG_POLL_SECONDS,
            MessageSystemAttributeNames=["All"],
        )
        return [_queue_record(message) for message in response.get("Messages", ())]

    def record_id(self, record: Record) -> str:
        return str(record["messageId"])

    async def complete(self, records: list[Record], failed: Collection[str]) -> None:
        processed = [record for record in records if record["messageId"] not in failed]
        entries = [
            {"Id": str(n), "ReceiptHandle": record["receiptHandle"]}
            for n, record in enumerate(processed)
        ]
        if entries:
            await self._aws.call(SQS, "DeleteMessageBatch", QueueUrl=self._url, Entries=entries)


def _queue_record(message: Record) -> Record:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": {},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn(QUEUE),
        "awsRegion": REGION,
    }


class StreamSource:
    """DynamoDB stream records from the table's creation on, in order, as far as the filters fit.

    A record that fails delays all records behind it.
    """

    def __init__(self, aws: AwsClient) -> None:
        self._aws = aws
        self._stream = ""  # ARN
        self._iterator = ""
        self._waiting: list[Record] = []
        self._batch_size = STREAM_BATCH_SIZE
        self._tries = 0
        self._pause = MIN_POLL_SECONDS

    async def receive(self) -> list[Record]:
        await asyncio.sleep(self._pause)
        records = [] if self._waiting else await self._get_records()
        is_busy = bool(records or self._waiting)
        self._pause = (
            MIN_POLL_SECONDS if is_busy else min(self._pause * POLL_BACKOFF, MAX_POLL_SECONDS)
        )
        self._waiting += filter(invokes_rollup, records)
        return self._waiting[: self._batch_size]

    def record_id(self, record: Record) -> str:
        return str(record["dynamodb"]["SequenceNumber"])

    async def complete(self, records: list[Record], failed: Collection[str]) -> None:
        """Continue with the first record that failed."""
        ids = [self.record_id(record) for record in records]
        processed = next((n for n, id in enumerate(ids) if id in failed), len(ids))
        if processed == 0 and len(ids) == 1 and self._tries == MAX_TRIES - 1:
            log.error("antiphon local: skipped a stream record that failed: %s", records[0])
            processed = 1
        self._waiting = self._waiting[processed:]
        # After a failure records are tried one by one, so that others do not fail with it.
        self._batch_size = STREAM_BATCH_SIZE if processed == len(ids) else 1
        self._tries = self._tries + 1 if processed == 0 and len(ids) == 1 else 0

    async def _get_records(self) -> list[Record]:
        self._iterator = self._iterator or await self._first_iterator()
        response = await self._aws.call(
            STREAMS, "GetRecords", ShardIterator=self._iterator, Limit=STREAM_BATCH_SIZE
        )
        self._iterator = response["NextShardIterator"]
        return [{**record, "eventSourceARN": self._stream} for record in response["Records"]]

    async def _first_iterator(self) -> str:
        """From TRIM_HORIZON, so that no record is missed."""
        streams = await self._aws.call(STREAMS, "ListStreams", TableName=TABLE)
        self._stream = streams["Streams"][0]["StreamArn"]
        described = await self._aws.call(STREAMS, "DescribeStream", StreamArn=self._stream)
        iterator = await self._aws.call(
            STREAMS,
            "GetShardIterator",
            StreamArn=self._stream,
            ShardId=described["StreamDescription"]["Shards"][0]["ShardId"],
            ShardIteratorType="TRIM_HORIZON",
        )
        return str(iterator["ShardIterator"])
