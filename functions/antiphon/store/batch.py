"""Many rows in few calls: DynamoDB takes 25 writes or 100 reads at a time."""

import itertools
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from antiphon.errors import Unavailable
from antiphon.settings.table import PARTITION_KEY, SORT_KEY
from antiphon.store.values import Item, marshal, unmarshal

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

WRITES, READS = 25, 100
ROUNDS = 3  # what DynamoDB leaves over under load is asked for again this often


class Batch:
    """Raise Unavailable where the table does not take or give all of it."""

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self._client = client
        self._name = name

    def put_all(self, items: Iterable[Item]) -> None:
        for some in itertools.batched(items, WRITES, strict=False):
            left: Any = [{"PutRequest": {"Item": marshal(item)}} for item in some]
            for _ in range(ROUNDS):
                answer = self._call("batch_write_item", left)
                left = answer.get("UnprocessedItems", {}).get(self._name)
                if not left:
                    break
            else:
                raise Unavailable("The gateway's store is too busy. Try again.")

    def get_all(self, keys: Iterable[tuple[str, str]]) -> Iterator[Item]:
        """The rows there are of these (partition, sort), in no order."""
        for some in itertools.batched(keys, READS, strict=False):
            left: Any = {"Keys": [marshal({PARTITION_KEY: p, SORT_KEY: s}) for p, s in some]}
            for _ in range(ROUNDS):
                answer = self._call("batch_get_item", {**left, "ConsistentRead": True})
                yield from map(unmarshal, answer["Responses"].get(self._name, ()))
                left = answer.get("UnprocessedKeys", {}).get(self._name)
                if not left:
                    break
            else:
                raise Unavailable("The gateway's store is too busy. Try again.")

    def _call(self, operation: str, asked: object) -> Any:
        try:
            return getattr(self._client, operation)(RequestItems={self._name: asked})
        except (BotoCoreError, ClientError) as exc:
            raise Unavailable("The gateway's store did not answer. Try again.") from exc
