"""Messages as an event source mapping for SQS tells a function of them."""

from collections.abc import Collection
from typing import Any

from infra.local.aws_json import Aws
from infra.local.things import ACCOUNT, QUEUE, REGION, queue_url

SERVICE = "AmazonSQS"
MOST, SECONDS_TO_WAIT = 10, 20

type Record = dict[str, Any]


class Messages:
    """What failed is shown again by the queue itself, and is a dead letter in the end."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._url = queue_url(aws.endpoint)

    async def take(self) -> list[Record]:
        """Wait for messages; there may be none after a while."""
        told = await self._aws(
            SERVICE,
            "ReceiveMessage",
            QueueUrl=self._url,
            MaxNumberOfMessages=MOST,
            WaitTimeSeconds=SECONDS_TO_WAIT,
            MessageSystemAttributeNames=["All"],
        )
        return [_record(message) for message in told.get("Messages", ())]

    def id(self, record: Record) -> str:
        return str(record["messageId"])

    async def done(self, records: list[Record], failed: Collection[str]) -> None:
        """Delete what did not fail."""
        handled = [record for record in records if record["messageId"] not in failed]
        entries = [
            {"Id": str(n), "ReceiptHandle": record["receiptHandle"]}
            for n, record in enumerate(handled)
        ]
        if entries:
            await self._aws(SERVICE, "DeleteMessageBatch", QueueUrl=self._url, Entries=entries)


def _record(message: Record) -> Record:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": {},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{QUEUE}",
        "awsRegion": REGION,
    }
