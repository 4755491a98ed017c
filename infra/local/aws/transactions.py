"""Serializes moto's DynamoDB writes and reads of rows, and makes its transactions atomic.

moto copies the whole table for each transaction and restores the copy when one is cancelled: with
thousands of rows that takes seconds, and concurrent writes are lost. Besides, two concurrent
conditional updates may both find their condition true, and a row that is being answered with may
be changed meanwhile.
"""

import itertools
import re
import threading
from collections.abc import Callable
from functools import wraps
from typing import Any

from moto.dynamodb.comparisons import get_filter_expression
from moto.dynamodb.exceptions import TransactionCanceledException
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import Item

type Write = dict[str, Any]  # the arguments of one write of TransactWriteItems

LOCK = threading.RLock()
CALLS = ("get_item", "put_item", "update_item", "delete_item")
_changes = itertools.count()
_last_change = [next(_changes)]


def install() -> None:
    """Replace the calls of every moto backend in this process."""
    DynamoDBBackend.transact_write_items = _transact  # type: ignore[assignment, method-assign]
    for name in CALLS:
        call = getattr(DynamoDBBackend, name)
        if not hasattr(call, "__wrapped__"):
            setattr(DynamoDBBackend, name, _serialize(call))


def change_count() -> int:
    """Return a number that is greater after each write."""
    return _last_change[0]


def _serialize(call: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(call)
    def locked(*args: Any, **kwargs: Any) -> Any:
        with LOCK:
            if call.__name__ != "get_item":
                _last_change[0] = next(_changes)
            return _snapshot(call(*args, **kwargs))

    return locked


def _snapshot(found: Any) -> Any:
    """Return a row as it is now; moto formats it after other calls may have changed it."""
    if not isinstance(found, Item):
        return found
    row = object.__new__(Item)  # moto records each one that is made in the usual way
    row.__dict__ = {**found.__dict__, "attrs": dict(found.attrs)}
    return row


def _transact(backend: DynamoDBBackend, transact_items: list[Write]) -> None:
    writes = [next(iter(item.items())) for item in transact_items]  # (operation, arguments)
    with LOCK:
        reasons = [
            _cancellation_reason(backend, operation, arguments) for operation, arguments in writes
        ]
        if any(code for code, _, _ in reasons):
            raise TransactionCanceledException(reasons)
        for operation, arguments in writes:
            _write(backend, operation, arguments)


def _cancellation_reason(
    backend: DynamoDBBackend, operation: str, arguments: Write
) -> tuple[Any, ...]:
    """The cancellation reason: code, message and item; all None if the condition holds."""
    condition = get_filter_expression(
        arguments.get("ConditionExpression"),
        arguments.get("ExpressionAttributeNames"),
        arguments.get("ExpressionAttributeValues"),
    )
    row = backend.get_item(arguments["TableName"], _item_key(backend, operation, arguments))
    if condition.expr(row):
        return None, None, None
    is_returned = row and arguments.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
    item = row.to_json()["Attributes"] if row and is_returned else None
    return "ConditionalCheckFailed", "The conditional request failed", item


def _item_key(backend: DynamoDBBackend, operation: str, arguments: Write) -> dict[str, Any]:
    if operation != "Put":
        return dict(arguments["Key"])
    table = backend.get_table(arguments["TableName"])
    names = (table.hash_key_attr, table.range_key_attr)
    return {name: arguments["Item"][name] for name in names if name is not None}


def _updated_attributes(arguments: Write) -> Write:
    """The attributes of a new row: without old values, SET and ADD are the same."""
    names, values = arguments["ExpressionAttributeNames"], arguments["ExpressionAttributeValues"]
    pairs = re.findall(r"(#\w+)(?: =)? (:\w+)", arguments["UpdateExpression"])
    return {names[name]: values[value] for name, value in pairs}


def _write(backend: DynamoDBBackend, operation: str, arguments: Write) -> None:
    table = arguments["TableName"]
    match operation:
        case "Put":
            backend.put_item(table, arguments["Item"])
        case "Delete":
            backend.delete_item(table, arguments["Key"])
        case "Update" if backend.get_item(table, arguments["Key"]) is None:
            # moto would first create a row of the key alone, visible in the stream, then update it.
            backend.put_item(table, {**arguments["Key"], **_updated_attributes(arguments)})
        case "Update":
            backend.update_item(
                table,
                arguments["Key"],
                arguments["UpdateExpression"],
                arguments.get("ExpressionAttributeNames") or {},
                arguments.get("ExpressionAttributeValues") or {},
            )
