"""One DynamoDB table: rows as Python values, conditional writes, transactions, queries, batches.

Rows are converted here and not by boto3's serializer, because boto3 would load a transfer manager
and its threads at every cold start. Attribute values:
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
"""

import itertools
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from antiphon.errors import Unavailable
from antiphon.settings.table import INDEXES, PARTITION_KEY, SORT_KEY

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

# A write returns the row if its condition fails, which saves a read.
RETURN_FAILED_ROW = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
MAX_BATCH_WRITES, MAX_BATCH_READS = 25, 100  # rows in one call
BATCH_ATTEMPTS = 3  # under load DynamoDB leaves rows unprocessed, which are sent again
NO_ANSWER = "The gateway's store did not answer. Try again."
TOO_BUSY = "The gateway's store is too busy. Try again."
SCALAR_TYPES: Mapping[type, Callable[[Any], dict[str, Any]]] = {
    type(None): lambda _: {"NULL": True},
    bool: lambda value: {"BOOL": value},
    str: lambda value: {"S": value},
    int: lambda value: {"N": str(value)},
    float: lambda value: {"N": repr(value)},
}

type Item = dict[str, Any]


class ConditionFailed(Exception):
    """The condition of a write does not hold; `item` is the row as it is, None if there is none."""

    def __init__(self, operation: str, item: Item | None) -> None:
        super().__init__(operation)
        self.item = item


class Conflict(Unavailable):
    """Another transaction was changing one of the rows, so nothing was written."""


@dataclass(frozen=True, kw_only=True)
class Update:
    """An update of one row, which creates the row if there is none.

    Attribute names consist of letters, digits and `_`. In the condition `only_if`, `#name` stands
    for an attribute and `:name` for an entry of `values`.
    """

    partition: str  # value of the partition key
    sort: str  # value of the sort key
    sets: Item = field(default_factory=dict)
    adds: Mapping[str, int] = field(default_factory=dict)  # a missing attribute counts as 0
    removes: Collection[str] = ()
    only_if: str | None = None
    values: Mapping[str, object] = field(default_factory=dict)

    def to_arguments(self) -> dict[str, object]:
        """Return the arguments for UpdateItem or TransactWriteItems, without the table's name."""
        names = {*self.sets, *self.adds, *self.removes, *_attribute_names(self.only_if)}
        values = {**self.values, **self.sets, **self.adds}
        optional = {
            "ConditionExpression": self.only_if,
            "ExpressionAttributeValues": _placeholder_values(values),
        }
        return {
            "Key": marshal({PARTITION_KEY: self.partition, SORT_KEY: self.sort}),
            "UpdateExpression": self._expression(),
            "ExpressionAttributeNames": {f"#{name}": name for name in names},
            **{name: value for name, value in optional.items() if value},
        }

    def _expression(self) -> str:
        clauses = {
            "SET": [f"#{name} = :{name}" for name in self.sets],
            "ADD": [f"#{name} :{name}" for name in self.adds],
            "REMOVE": [f"#{name}" for name in self.removes],
        }
        return " ".join(f"{verb} {', '.join(parts)}" for verb, parts in clauses.items() if parts)


@dataclass(frozen=True, kw_only=True)
class Query:
    """A range of sort keys in one partition of the table or of an index; both ends included."""

    partition: str
    low: str
    high: str
    index: str | None = None
    is_descending: bool = False
    filter_expression: str | None = None  # `#name` is an attribute, `:name` an entry of `values`
    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def key_names(self) -> tuple[str, str]:
        """The names of the partition key and the sort key."""
        return (PARTITION_KEY, SORT_KEY) if self.index is None else INDEXES[self.index]

    def to_arguments(self) -> dict[str, object]:
        """Return the arguments for the Query operation, without the table's name and the limit."""
        values = {"pk": self.partition, "low": self.low, "high": self.high, **self.values}
        names = dict(zip(("#pk", "#sk"), self.key_names, strict=True))
        names |= {f"#{name}": name for name in _attribute_names(self.filter_expression)}
        optional = {"IndexName": self.index, "FilterExpression": self.filter_expression}
        return {
            "KeyConditionExpression": "#pk = :pk AND #sk BETWEEN :low AND :high",
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": _placeholder_values(values),
            "ScanIndexForward": not self.is_descending,
            **{name: value for name, value in optional.items() if value is not None},
        }


@dataclass(frozen=True)
class QueryPage:
    """The rows of one read; `next` is the key to continue from, None at the end."""

    items: list[Item]
    next: Item | None


class Table:
    """Reads and writes single rows; every method raises Unavailable where DynamoDB fails."""

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self._client = client
        self._name = name

    def get(self, partition: str, sort: str) -> Item | None:
        """Read one row with strong consistency; None if there is none."""
        key = marshal({PARTITION_KEY: partition, SORT_KEY: sort})
        response = self._call("get_item", Key=key, ConsistentRead=True)
        return unmarshal(response["Item"]) if "Item" in response else None

    def put(self, item: Item, only_if: str | None = None, **values: object) -> None:
        """Write a row; raise ConditionFailed where the condition does not hold.

        In the condition, attributes are named as they are and `:name` stands for a value.
        """
        condition = _condition_arguments(only_if, values)
        self._call("put_item", Item=marshal(item), **RETURN_FAILED_ROW, **condition)

    def update(self, update: Update, *, return_all: bool = True) -> Item:
        """Update a row; raise ConditionFailed where the condition does not hold.

        Return the row as it is then, or only the attributes that were written.
        """
        response = self._call(
            "update_item",
            ReturnValues="ALL_NEW" if return_all else "UPDATED_NEW",
            **RETURN_FAILED_ROW,
            **update.to_arguments(),
        )
        return unmarshal(response.get("Attributes", {}))

    def delete(self, partition: str, sort: str) -> None:
        """Delete a row; a row that does not exist is no error."""
        self._call("delete_item", Key=marshal({PARTITION_KEY: partition, SORT_KEY: sort}))

    def transact(self, updates: Sequence[Update]) -> None:
        """Make up to 100 updates, all of them or none.

        Raise ConditionFailed where the condition of one does not hold, Conflict where another
        transaction is changing one of the rows.
        """
        shared = {"TableName": self._name, **RETURN_FAILED_ROW}
        items: Any = [{"Update": {**shared, **update.to_arguments()}} for update in updates]
        try:
            self._client.transact_write_items(TransactItems=items)
        except self._client.exceptions.TransactionCanceledException as exc:
            raise _transaction_error(exc) from exc
        except (BotoCoreError, ClientError) as exc:
            raise Unavailable(NO_ANSWER) from exc

    def query(self, query: Query, limit: int, start: Item | None = None) -> QueryPage:
        """Read up to `limit` rows in one call, then filter them, so a page may have fewer."""
        position = {} if start is None else {"ExclusiveStartKey": marshal(start)}
        response = self._call("query", Limit=limit, **query.to_arguments(), **position)
        last = response.get("LastEvaluatedKey")
        items = [unmarshal(item) for item in response["Items"]]
        return QueryPage(items, last and unmarshal(last))

    def _call(self, operation: str, **arguments: object) -> Any:
        try:
            return getattr(self._client, operation)(TableName=self._name, **arguments)
        except self._client.exceptions.ConditionalCheckFailedException as exc:
            row: Any = exc.response.get("Item")
            raise ConditionFailed(operation, row and unmarshal(row)) from exc
        except (BotoCoreError, ClientError) as exc:
            raise Unavailable(NO_ANSWER) from exc


class BatchTable:
    """Reads and writes many rows in few calls.

    Every method raises Unavailable where DynamoDB fails, or leaves rows unprocessed too often.
    """

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self._client = client
        self._name = name

    def put_all(self, items: Iterable[Item]) -> None:
        """Write rows without conditions."""
        for batch in itertools.batched(items, MAX_BATCH_WRITES, strict=False):
            requests: Any = [{"PutRequest": {"Item": marshal(item)}} for item in batch]
            for _ in range(BATCH_ATTEMPTS):
                response = self._call("batch_write_item", requests)
                requests = response.get("UnprocessedItems", {}).get(self._name)
                if not requests:
                    break
            else:
                raise Unavailable(TOO_BUSY)

    def get_all(self, keys: Iterable[tuple[str, str]]) -> Iterator[Item]:
        """Yield the rows that exist of these (partition, sort), with strong consistency, unordered.

        No key may occur twice.
        """
        for batch in itertools.batched(keys, MAX_BATCH_READS, strict=False):
            request: Any = {"Keys": [marshal({PARTITION_KEY: p, SORT_KEY: s}) for p, s in batch]}
            for _ in range(BATCH_ATTEMPTS):
                response = self._call("batch_get_item", {**request, "ConsistentRead": True})
                yield from map(unmarshal, response["Responses"].get(self._name, ()))
                request = response.get("UnprocessedKeys", {}).get(self._name)
                if not request:
                    break
            else:
                raise Unavailable(TOO_BUSY)

    def _call(self, operation: str, requests: object) -> Any:
        try:
            return getattr(self._client, operation)(RequestItems={self._name: requests})
        except (BotoCoreError, ClientError) as exc:
            raise Unavailable(NO_ANSWER) from exc


def marshal(item: Item) -> dict[str, Any]:
    """Return a row as DynamoDB takes it, without the attributes that are None."""
    return {name: to_attribute(value) for name, value in item.items() if value is not None}


def unmarshal(item: Mapping[str, Any]) -> Item:
    """Return a row of DynamoDB as Python values; numbers are ints and floats."""
    return {name: from_attribute(value) for name, value in item.items()}


def to_attribute(value: Any) -> dict[str, Any]:
    """Return one value as DynamoDB takes it; raise TypeError for a type that no row has."""
    scalar = SCALAR_TYPES.get(type(value))
    if scalar is not None:
        return scalar(value)
    if isinstance(value, Mapping):
        return {"M": {name: to_attribute(inner) for name, inner in value.items()}}
    if isinstance(value, list | tuple):
        return {"L": [to_attribute(inner) for inner in value]}
    raise TypeError(f"A row cannot hold a value of type {type(value).__name__}.")


def from_attribute(attribute: Mapping[str, Any]) -> Any:
    """Return one attribute value of DynamoDB as a Python value."""
    ((kind, value),) = attribute.items()
    match kind:
        case "NULL":
            return None
        case "N":
            return int(value) if value.lstrip("-").isdigit() else float(value)
        case "M":
            return unmarshal(value)
        case "L":
            return [from_attribute(inner) for inner in value]
    return value


def _attribute_names(expression: str | None) -> list[str]:
    return re.findall(r"#(\w+)", expression or "")


def _placeholder_values(values: Mapping[str, object]) -> dict[str, Any]:
    return {f":{name}": to_attribute(value) for name, value in values.items()}


def _condition_arguments(condition: str | None, values: Mapping[str, object]) -> dict[str, object]:
    if condition is None:
        return {}
    # DynamoDB refuses an empty mapping of values.
    named = {"ExpressionAttributeValues": _placeholder_values(values)} if values else {}
    return {"ConditionExpression": condition, **named}


def _transaction_error(exc: ClientError) -> ConditionFailed | Conflict:
    """Return why a transaction was cancelled: a condition, or else a conflict or throttling."""
    reasons: Any = exc.response.get("CancellationReasons", ())
    for reason in reasons:
        if reason.get("Code") == "ConditionalCheckFailed":
            row = reason.get("Item")
            return ConditionFailed("transact_write_items", row and unmarshal(row))
    return Conflict(TOO_BUSY)
