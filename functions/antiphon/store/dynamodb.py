"""Python's values as DynamoDB writes them, and back; numbers are ints and floats.

Ours and not boto3's own serializer, whose package brings a transfer manager and its threads into
every cold start. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue


What a write changes of one row, and what the row must be like for it.

One DynamoDB table behind a few verbs, with its faults told as ours.

Many rows in few calls: DynamoDB takes 25 writes or 100 reads at a time.
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


type Item = dict[str, Any]


SCALARS: Mapping[type, Callable[[Any], dict[str, Any]]] = {
    type(None): lambda _: {"NULL": True},
    bool: lambda value: {"BOOL": value},
    str: lambda value: {"S": value},
    int: lambda value: {"N": str(value)},
    float: lambda value: {"N": repr(value)},
}


def to_attribute(value: Any) -> dict[str, Any]:
    """One value as DynamoDB takes it; raise TypeError for what no row of ours holds."""
    scalar = SCALARS.get(type(value))
    if scalar is not None:
        return scalar(value)
    if isinstance(value, Mapping):
        return {"M": {name: to_attribute(inner) for name, inner in value.items()}}
    if isinstance(value, list | tuple):
        return {"L": [to_attribute(inner) for inner in value]}
    raise TypeError(f"{type(value).__name__} is no value of a row.")


def from_attribute(attribute: Mapping[str, Any]) -> Any:
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


def marshal(item: Item) -> dict[str, Any]:
    """A row; what is None is left out."""
    return {name: to_attribute(value) for name, value in item.items() if value is not None}


def unmarshal(item: Mapping[str, Any]) -> Item:
    return {name: from_attribute(value) for name, value in item.items()}


@dataclass(frozen=True, kw_only=True)
class Update:
    """Names are of letters, digits and `_`; in `only_if`, `#name` is one and `:name` a value."""

    partition: str
    sort: str
    sets: Item = field(default_factory=dict)
    adds: Mapping[str, int] = field(default_factory=dict)  # from 0 where it is not there yet
    removes: Collection[str] = ()
    only_if: str | None = None
    values: Mapping[str, object] = field(default_factory=dict)

    def arguments(self) -> dict[str, object]:
        """Those of DynamoDB's UpdateItem, and of an Update in a transaction, but for the table."""
        named = {*self.sets, *self.adds, *self.removes, *_attribute_names(self.only_if)}
        values = {**self.values, **self.sets, **self.adds}
        optional = {
            "ConditionExpression": self.only_if,
            "ExpressionAttributeValues": {
                f":{name}": to_attribute(v) for name, v in values.items()
            },
        }
        return {
            "Key": marshal({PARTITION_KEY: self.partition, SORT_KEY: self.sort}),
            "UpdateExpression": self._expression(),
            "ExpressionAttributeNames": {f"#{name}": name for name in named},
            **{name: value for name, value in optional.items() if value},
        }

    def _expression(self) -> str:
        clauses = {
            "SET": [f"#{name} = :{name}" for name in self.sets],
            "ADD": [f"#{name} :{name}" for name in self.adds],
            "REMOVE": [f"#{name}" for name in self.removes],
        }
        return " ".join(f"{verb} {', '.join(parts)}" for verb, parts in clauses.items() if parts)


def _attribute_names(condition: str | None) -> Collection[str]:
    return re.findall(r"#(\w+)", condition or "")


# A write that is refused tells why, which spares a read.
RETURN_FAILED_ROW = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
PRIMARY_KEYS = (PARTITION_KEY, SORT_KEY)


class ConditionFailed(Exception):
    """The row is not in the state that the write asked for; `item` is how it is, None if gone."""

    def __init__(self, operation: str, item: Item | None) -> None:
        super().__init__(operation)
        self.item = item


class Conflict(Unavailable):
    """Another transaction was at work on one of the rows: nothing was written, as yet."""


@dataclass(frozen=True, kw_only=True)
class Query:
    """Rows of one partition, of the table or an index; both ends of the span belong to it."""

    partition: str
    low: str
    high: str
    index: str | None = None
    backwards: bool = False
    where: str | None = None  # what rows must fulfil; `#name` is an attribute, `:name` a value
    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def keys(self) -> tuple[str, str]:
        """Names of the partition key and the sort key."""
        return PRIMARY_KEYS if self.index is None else INDEXES[self.index]


@dataclass(frozen=True)
class QueryPage:
    """What one read gave; `next` is the key to read on from, None at the end."""

    items: list[Item]
    next: Item | None


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
        conditioned = _condition_arguments(unless, values)
        self._call("put_item", Item=marshal(item), **RETURN_FAILED_ROW, **conditioned)

    def update(self, update: Update, *, whole: bool = True) -> Item:
        """Change a row and give it as it is then; raise ConditionFailed where it may not be.

        Of a row that is not wanted whole, only what has been written comes back.
        """
        returned = "ALL_NEW" if whole else "UPDATED_NEW"
        changed = self._call(
            "update_item", ReturnValues=returned, **RETURN_FAILED_ROW, **update.arguments()
        )
        return unmarshal(changed.get("Attributes", {}))

    def delete(self, partition: str, sort: str) -> None:
        """Delete a row; one that is not there is gone as well."""
        self._call("delete_item", Key=marshal({PARTITION_KEY: partition, SORT_KEY: sort}))

    def transact(self, updates: Sequence[Update]) -> None:
        """Change up to 100 rows together or not at all.

        Raise ConditionFailed where one may not be changed, Conflict where others got in between.
        """
        named = {"TableName": self._name, **RETURN_FAILED_ROW}
        items: Any = [{"Update": {**named, **update.arguments()}} for update in updates]
        try:
            self._client.transact_write_items(TransactItems=items)
        except self._client.exceptions.TransactionCanceledException as exc:
            raise _transaction_error(exc) from exc
        except (BotoCoreError, ClientError) as exc:
            raise Unavailable("The gateway's store did not answer. Try again.") from exc

    def query(self, query: Query, limit: int, start: Item | None = None) -> QueryPage:
        """Read up to `limit` rows once; those that do not fulfil `where` count, but stay away."""
        more = {} if start is None else {"ExclusiveStartKey": marshal(start)}
        found = self._call("query", Limit=limit, **_query_arguments(query), **more)
        last = found.get("LastEvaluatedKey")
        return QueryPage([unmarshal(item) for item in found["Items"]], last and unmarshal(last))

    def _call(self, operation: str, **arguments: object) -> Any:
        try:
            return getattr(self._client, operation)(TableName=self._name, **arguments)
        except self._client.exceptions.ConditionalCheckFailedException as exc:
            found: Any = exc.response.get("Item")
            raise ConditionFailed(operation, found and unmarshal(found)) from exc
        except (BotoCoreError, ClientError) as exc:
            raise Unavailable("The gateway's store did not answer. Try again.") from exc


def _transaction_error(exc: ClientError) -> ConditionFailed | Conflict:
    """Why a transaction was not made: a condition, or else those who were there first."""
    reasons: Any = exc.response.get("CancellationReasons", ())
    for reason in reasons:
        if reason.get("Code") == "ConditionalCheckFailed":
            found = reason.get("Item")
            return ConditionFailed("transact_write_items", found and unmarshal(found))
    return Conflict("The gateway's store is too busy. Try again.")


def _condition_arguments(condition: str | None, values: Mapping[str, object]) -> dict[str, object]:
    if condition is None:
        return {}
    named = {f":{name}": to_attribute(value) for name, value in values.items()}
    attributes = {"ExpressionAttributeValues": named} if named else {}  # DynamoDB takes no empty
    return {"ConditionExpression": condition, **attributes}


def _query_arguments(query: Query) -> dict[str, object]:
    values = {"pk": query.partition, "low": query.low, "high": query.high, **query.values}
    names = dict(zip(("#pk", "#sk"), query.keys, strict=True))
    names |= {name: name[1:] for name in re.findall(r"#\w+", query.where or "")}
    optional = {"IndexName": query.index, "FilterExpression": query.where}
    return {
        "KeyConditionExpression": "#pk = :pk AND #sk BETWEEN :low AND :high",
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": {
            f":{name}": to_attribute(value) for name, value in values.items()
        },
        "ScanIndexForward": not query.backwards,
        **{name: value for name, value in optional.items() if value is not None},
    }


MAX_BATCH_WRITES, MAX_BATCH_READS = 25, 100
BATCH_ATTEMPTS = 3  # what DynamoDB leaves over under load is asked for again this often


class BatchTable:
    """Raise Unavailable where the table does not take or give all of it."""

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self._client = client
        self._name = name

    def put_all(self, items: Iterable[Item]) -> None:
        for some in itertools.batched(items, MAX_BATCH_WRITES, strict=False):
            left: Any = [{"PutRequest": {"Item": marshal(item)}} for item in some]
            for _ in range(BATCH_ATTEMPTS):
                answer = self._call("batch_write_item", left)
                left = answer.get("UnprocessedItems", {}).get(self._name)
                if not left:
                    break
            else:
                raise Unavailable("The gateway's store is too busy. Try again.")

    def get_all(self, keys: Iterable[tuple[str, str]]) -> Iterator[Item]:
        """The rows there are of these (partition, sort), in no order."""
        for some in itertools.batched(keys, MAX_BATCH_READS, strict=False):
            left: Any = {"Keys": [marshal({PARTITION_KEY: p, SORT_KEY: s}) for p, s in some]}
            for _ in range(BATCH_ATTEMPTS):
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
