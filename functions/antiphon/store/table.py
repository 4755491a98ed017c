"""One DynamoDB table behind a few verbs, with its faults told as ours."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from antiphon.errors import Unavailable
from antiphon.settings.table import INDEXES, PARTITION_KEY, SORT_KEY
from antiphon.store.update import Update
from antiphon.store.values import Item, marshal, unmarshal, write

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

# A write that is refused tells why, which spares a read.
FAILED_ROW = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
PRIMARY = (PARTITION_KEY, SORT_KEY)


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
        return PRIMARY if self.index is None else INDEXES[self.index]


@dataclass(frozen=True)
class Rows:
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
        conditioned = _conditioned(unless, values)
        self._call("put_item", Item=marshal(item), **FAILED_ROW, **conditioned)

    def update(self, update: Update, *, whole: bool = True) -> Item:
        """Change a row and give it as it is then; raise ConditionFailed where it may not be.

        Of a row that is not wanted whole, only what has been written comes back.
        """
        returned = "ALL_NEW" if whole else "UPDATED_NEW"
        changed = self._call(
            "update_item", ReturnValues=returned, **FAILED_ROW, **update.arguments()
        )
        return unmarshal(changed.get("Attributes", {}))

    def delete(self, partition: str, sort: str) -> None:
        """Delete a row; one that is not there is gone as well."""
        self._call("delete_item", Key=marshal({PARTITION_KEY: partition, SORT_KEY: sort}))

    def transact(self, updates: Sequence[Update]) -> None:
        """Change up to 100 rows together or not at all.

        Raise ConditionFailed where one may not be changed, Conflict where others got in between.
        """
        named = {"TableName": self._name, **FAILED_ROW}
        items: Any = [{"Update": {**named, **update.arguments()}} for update in updates]
        try:
            self._client.transact_write_items(TransactItems=items)
        except self._client.exceptions.TransactionCanceledException as exc:
            raise _cancelled(exc) from exc
        except (BotoCoreError, ClientError) as exc:
            raise Unavailable("The gateway's store did not answer. Try again.") from exc

    def query(self, query: Query, limit: int, start: Item | None = None) -> Rows:
        """Read up to `limit` rows once; those that do not fulfil `where` count, but stay away."""
        more = {} if start is None else {"ExclusiveStartKey": marshal(start)}
        found = self._call("query", Limit=limit, **_asked(query), **more)
        last = found.get("LastEvaluatedKey")
        return Rows([unmarshal(item) for item in found["Items"]], last and unmarshal(last))

    def _call(self, operation: str, **arguments: object) -> Any:
        try:
            return getattr(self._client, operation)(TableName=self._name, **arguments)
        except self._client.exceptions.ConditionalCheckFailedException as exc:
            found: Any = exc.response.get("Item")
            raise ConditionFailed(operation, found and unmarshal(found)) from exc
        except (BotoCoreError, ClientError) as exc:
            raise Unavailable("The gateway's store did not answer. Try again.") from exc


def _cancelled(exc: ClientError) -> ConditionFailed | Conflict:
    """Why a transaction was not made: a condition, or else those who were there first."""
    reasons: Any = exc.response.get("CancellationReasons", ())
    for reason in reasons:
        if reason.get("Code") == "ConditionalCheckFailed":
            found = reason.get("Item")
            return ConditionFailed("transact_write_items", found and unmarshal(found))
    return Conflict("The gateway's store is too busy. Try again.")


def _conditioned(condition: str | None, values: Mapping[str, object]) -> dict[str, object]:
    if condition is None:
        return {}
    named = {f":{name}": write(value) for name, value in values.items()}
    attributes = {"ExpressionAttributeValues": named} if named else {}  # DynamoDB takes no empty
    return {"ConditionExpression": condition, **attributes}


def _asked(query: Query) -> dict[str, object]:
    values = {"pk": query.partition, "low": query.low, "high": query.high, **query.values}
    names = dict(zip(("#pk", "#sk"), query.keys, strict=True))
    names |= {name: name[1:] for name in re.findall(r"#\w+", query.where or "")}
    optional = {"IndexName": query.index, "FilterExpression": query.where}
    return {
        "KeyConditionExpression": "#pk = :pk AND #sk BETWEEN :low AND :high",
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": {f":{name}": write(value) for name, value in values.items()},
        "ScanIndexForward": not query.backwards,
        **{name: value for name, value in optional.items() if value is not None},
    }
