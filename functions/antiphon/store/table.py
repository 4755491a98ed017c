"""One DynamoDB table behind four verbs, with its faults told as ours."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import BotoCoreError, ClientError

from antiphon.errors import Unavailable
from antiphon.settings.table import PARTITION_KEY, SORT_KEY

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

type Item = dict[str, Any]

_write = TypeSerializer().serialize
_read = TypeDeserializer().deserialize


class ConditionFailed(Exception):
    """The row is not in the state that the write asked for."""


class Table:
    """Raise Unavailable where DynamoDB is out of reach: ownership is never guessed."""

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self._client = client
        self._name = name

    def get(self, partition: str, sort: str) -> Item | None:
        key = marshal({PARTITION_KEY: partition, SORT_KEY: sort})
        found = self._call("get_item", Key=key, ConsistentRead=True)
        return unmarshal(found["Item"]) if "Item" in found else None

    def put(self, item: Item, unless: str | None = None, **values: object) -> None:
        """Write a row; with a condition, raise ConditionFailed where it does not hold."""
        self._call("put_item", Item=marshal(item), **_conditioned(unless, values))

    def update(
        self, partition: str, sort: str, changes: Item, only_if: str, **values: object
    ) -> None:
        """Set attributes of a row that fulfils a condition; raise ConditionFailed else."""
        sets = ", ".join(f"#{n} = :{n}" for n in changes)
        named = _conditioned(only_if, {**values, **changes})
        self._call(
            "update_item",
            Key=marshal({PARTITION_KEY: partition, SORT_KEY: sort}),
            UpdateExpression=f"SET {sets}",
            ExpressionAttributeNames={f"#{n}": n for n in changes},
            **named,
        )

    def _call(self, operation: str, **arguments: object) -> Any:
        try:
            return getattr(self._client, operation)(TableName=self._name, **arguments)
        except self._client.exceptions.ConditionalCheckFailedException as exc:
            raise ConditionFailed(operation) from exc
        except (BotoCoreError, ClientError) as exc:
            raise Unavailable("The gateway's store did not answer. Try again.") from exc


def _conditioned(condition: str | None, values: Mapping[str, object]) -> dict[str, object]:
    if condition is None:
        return {}
    named = {f":{name}": _write(value) for name, value in values.items()}
    return {"ConditionExpression": condition, "ExpressionAttributeValues": named}


def marshal(item: Item) -> dict[str, Any]:
    return {name: _write(value) for name, value in item.items() if value is not None}


def unmarshal(item: Mapping[str, Any]) -> Item:
    return {name: _read(value) for name, value in item.items()}
