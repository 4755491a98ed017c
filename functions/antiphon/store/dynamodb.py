"""One DynamoDB table: rows as Python values, conditional writes, transactions, queries, batches.

Rows are converted here and not by boto3's serializer, because boto3 would load a transfer manager
and its threads at every cold start. Attribute values:
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
"""

import itertools
import random
import re
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from antiphon.errors import Unavailable
from antiphon.settings.table import PARTITION_KEY, SORT_KEY

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

    from antiphon.store.aws_api import DynamoDB
    from antiphon.store.queries import Query

RETURN_FAILED_ROW = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}  # which saves a read
MAX_BATCH_WRITES, MAX_BATCH_READS = 25, 100  # rows in one call
BATCH_ATTEMPTS = 3  # under load DynamoDB leaves rows unprocessed, which are sent again
ATTEMPTS, MAX_PAUSE = 2, 0.1  # of one call; seconds between them
FIRST_SERVER_ERROR = 500
CONFLICT_ERROR = "TransactionConflictException"
CONDITION_ERRORS = {"ConditionalCheckFailedException", "TransactionCanceledException"}
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
type Recognize = Callable[[Item], bool]  # whether a row has a write of this request


class ConditionFailed(Exception):
    """The condition of a write does not hold; `item` is the row as it is, None if there is none."""

    def __init__(self, operation: str, item: Item | None) -> None:
        super().__init__(operation)
        self.item = item


class WriteUnknown(Unavailable):
    """The service did not answer, and may have made the write."""


class Conflict(Unavailable):
    """Another transaction was changing one of the rows, so nothing was written."""


class CallTime:
    """The time that one request has for all its calls of one service, in seconds.

    An environment serves one request at a time, so it has one such time. Before the first `renew`
    each call has it for itself: no caller waits for the functions that never renew it.
    """

    def __init__(self, seconds: float, no_answer: str = NO_ANSWER) -> None:
        self.seconds = seconds
        self._left = float("inf")
        self._no_answer = no_answer

    def renew(self) -> None:
        self._left = self.seconds

    def read_seconds(self) -> float:
        """Return how long one attempt may wait for its answer."""
        return min(self.seconds * 2 / 3, self._left)

    @contextmanager
    def at_most(self, seconds: float) -> Iterator[None]:
        """Limit the calls of a block to a part of the time that is left."""
        saved = self._left - seconds if seconds < self._left < float("inf") else 0
        self._left -= saved
        try:
            yield
        finally:
            self._left += saved

    def call(self, operation: Callable[[], Any], *, is_page: bool = False) -> Any:
        """Make up to two attempts; raise Unavailable, or WriteUnknown if one may have succeeded.

        Raise ClientError where the condition of a write does not hold. `is_page`: it is one of
        many reads, and what it reads is worth its time: only a failure takes from the time left.
        """
        faults: list[Exception] = []
        while len(faults) < ATTEMPTS and self._left > 0:
            if faults:
                time.sleep(random.uniform(0, min(MAX_PAUSE, self._left)))  # noqa: S311
            started = time.monotonic()
            try:
                result = operation()
            except (BotoCoreError, ClientError) as exc:
                self._left -= time.monotonic() - started
                if _error_code(exc) in CONDITION_ERRORS:
                    raise
                faults.append(exc)
            else:
                self._left -= 0 if is_page else time.monotonic() - started
                return result
        raise _unavailable(faults)(self._no_answer) from (faults[-1] if faults else None)


NO_LIMIT = CallTime(float("inf"))


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
        names = {*self.sets, *self.adds, *self.removes, *attribute_names(self.only_if)}
        values = {**self.values, **self.sets, **self.adds}
        return {
            "Key": marshal({PARTITION_KEY: self.partition, SORT_KEY: self.sort}),
            "UpdateExpression": self._expression(),
            "ExpressionAttributeNames": {f"#{name}": name for name in names},
            **_condition_arguments(self.only_if, values),
        }

    def _expression(self) -> str:
        clauses = {
            "SET": [f"#{name} = :{name}" for name in self.sets],
            "ADD": [f"#{name} :{name}" for name in self.adds],
            "REMOVE": [f"#{name}" for name in self.removes],
        }
        return " ".join(f"{verb} {', '.join(parts)}" for verb, parts in clauses.items() if parts)


class QueryPage(NamedTuple):
    """The rows of one read; `next` is the key to continue from, None at the end."""

    items: list[Item]
    next: Item | None


class Table:
    """Reads and writes rows; every method raises Unavailable where DynamoDB fails.

    A write that `is_ours` recognises in the row is a success, although its answer was lost.
    """

    def __init__(
        self, client: "DynamoDB | DynamoDBClient", name: str, time: CallTime = NO_LIMIT
    ) -> None:
        self._client = client
        self.name = name
        self._time = time

    def get(self, partition: str, sort: str, *, is_consistent: bool = True) -> Item | None:
        """Read one row, by default with strong consistency; None if there is none."""
        key = marshal({PARTITION_KEY: partition, SORT_KEY: sort})
        response = self._call("get_item", {"Key": key, "ConsistentRead": is_consistent})
        return unmarshal(response["Item"]) if "Item" in response else None

    def put(
        self,
        item: Item,
        only_if: str | None = None,
        *,
        is_ours: Recognize | None = None,
        **values: object,
    ) -> None:
        """Write a row; raise ConditionFailed where the condition does not hold.

        In the condition, attributes are named as they are and `:name` stands for a value.
        """
        condition = _condition_arguments(only_if, values)
        key = item[PARTITION_KEY], item[SORT_KEY]
        self._write(key, is_ours, "put_item", Item=marshal(item), **condition)

    def update(
        self, update: Update, *, return_all: bool = True, is_ours: Recognize | None = None
    ) -> Item:
        """Return the row after an update, or only the attributes that were written.

        Raise ConditionFailed where the condition does not hold.
        """
        return self._write(
            (update.partition, update.sort),
            is_ours,
            "update_item",
            ReturnValues="ALL_NEW" if return_all else "UPDATED_NEW",
            **update.to_arguments(),
        )

    def delete(self, partition: str, sort: str) -> None:
        """Delete a row; a row that does not exist is no error."""
        self._call("delete_item", {"Key": marshal({PARTITION_KEY: partition, SORT_KEY: sort})})

    def transact(self, writes: Sequence[Update]) -> None:
        """Make up to 100 writes of different rows, all of them or none.

        Raise ConditionFailed, or Conflict where another transaction is changing one of the rows.
        """
        shared = {"TableName": self.name, **RETURN_FAILED_ROW}
        items = [{type(each).__name__: {**shared, **each.to_arguments()}} for each in writes]
        token = str(uuid.uuid4())  # with it the second attempt is the same transaction
        self._transact("transact_write_items", TransactItems=items, ClientRequestToken=token)

    def get_together(self, keys: Iterable[tuple[str, str]]) -> list[Item]:
        """Return those of up to 100 rows that exist; raise Conflict where one is being changed."""
        rows = [marshal({PARTITION_KEY: p, SORT_KEY: s}) for p, s in keys]
        items = [{"Get": {"TableName": self.name, "Key": row}} for row in rows]
        found = self._transact("transact_get_items", TransactItems=items)["Responses"]
        return [unmarshal(each["Item"]) for each in found if "Item" in each]

    def _transact(self, operation: str, **arguments: Any) -> Any:
        try:
            return self._time.call(partial(getattr(self._client, operation), **arguments))
        except ClientError as exc:
            raise _transaction_error(exc) from exc

    def query(self, query: "Query", limit: int, start: Item | None = None) -> QueryPage:
        """Read up to `limit` rows in one call, then filter them, so a page may have fewer."""
        position = {} if start is None else {"ExclusiveStartKey": marshal(start)}
        arguments: Item = {"Limit": limit, **query.to_arguments(), **position}
        response = self._call("query", arguments, is_page=True)
        last = response.get("LastEvaluatedKey")
        items = [unmarshal(item) for item in response["Items"]]
        return QueryPage(items, last and unmarshal(last))

    def _write(
        self, key: tuple[str, str], is_ours: Recognize | None, operation: str, **arguments: object
    ) -> Item:
        """Return the attributes that the write returns, or the row that has this write."""
        fault: ConditionFailed | WriteUnknown
        try:
            response = self._call(operation, {**arguments, **RETURN_FAILED_ROW})
            return unmarshal(response.get("Attributes", {}))
        except ClientError as exc:
            row: Any = exc.response.get("Item")
            found = row and unmarshal(row)
            fault = ConditionFailed(operation, found)
        except WriteUnknown as exc:
            found = self._read_back(key) if is_ours else None
            fault = exc
        if is_ours is None or found is None or not is_ours(found):
            raise fault
        return found

    def _read_back(self, key: tuple[str, str]) -> Item | None:
        with suppress(Unavailable):
            return self.get(*key)
        return None

    def _call(self, operation: str, arguments: Item, *, is_page: bool = False) -> Any:
        call = getattr(self._client, operation)
        return self._time.call(partial(call, TableName=self.name, **arguments), is_page=is_page)


class BatchTable:
    """Every method raises Unavailable where DynamoDB fails or leaves rows unprocessed too often."""

    def __init__(
        self, client: "DynamoDB | DynamoDBClient", name: str, time: CallTime = NO_LIMIT
    ) -> None:
        self._client = client
        self._name = name
        self.time = time

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
        """Yield the rows of distinct (partition, sort), with strong consistency, unordered."""
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
        call = getattr(self._client, operation)
        return self.time.call(partial(call, RequestItems={self._name: requests}))


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


def _error_code(exc: Exception) -> str:
    return exc.response["Error"]["Code"] if isinstance(exc, ClientError) else ""


def _unavailable(faults: Collection[Exception]) -> type[Unavailable]:
    if any(map(_may_be_done, faults)):
        return WriteUnknown
    return Conflict if CONFLICT_ERROR in map(_error_code, faults) else Unavailable


def _may_be_done(exc: Exception) -> bool:
    """Whether the service may have done what a failed call requests."""
    if isinstance(exc, ClientError):
        return exc.response["ResponseMetadata"]["HTTPStatusCode"] >= FIRST_SERVER_ERROR
    return isinstance(exc, HTTPClientError)


def attribute_names(expression: str | None) -> list[str]:
    return re.findall(r"#(\w+)", expression or "")


def placeholder_values(values: Mapping[str, object]) -> dict[str, Any]:
    return {f":{name}": to_attribute(value) for name, value in values.items()}


def _condition_arguments(condition: str | None, values: Mapping[str, object]) -> dict[str, object]:
    optional = {
        "ConditionExpression": condition,
        "ExpressionAttributeValues": placeholder_values(values),
    }
    return {name: value for name, value in optional.items() if value}  # empty ones are refused


def _transaction_error(exc: ClientError) -> ConditionFailed | Conflict:
    """Return why a transaction was cancelled: a condition, or else a conflict or throttling."""
    reasons: Any = exc.response.get("CancellationReasons", ())
    for reason in reasons:
        if reason.get("Code") == "ConditionalCheckFailed":
            row = reason.get("Item")
            return ConditionFailed("transact_write_items", row and unmarshal(row))
    return Conflict(TOO_BUSY)
