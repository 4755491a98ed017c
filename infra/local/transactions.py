"""DynamoDB's writes as AWS makes them: one after the other, and transactions all or nothing.

moto copies the whole table for each transaction, and where one is cancelled puts the copy back: it
takes seconds once there are thousands of rows, and what others wrote meanwhile is lost. And two
conditional updates at once may both find their condition fulfilled.
"""

import re
import threading
from collections.abc import Callable
from functools import wraps
from typing import Any

from moto.dynamodb.comparisons import get_filter_expression
from moto.dynamodb.exceptions import TransactionCanceledException
from moto.dynamodb.models import DynamoDBBackend

type Request = dict[str, Any]  # one write of a transaction, as DynamoDB takes it

_ONE_AT_A_TIME = threading.RLock()
WRITES = ("put_item", "update_item", "delete_item")


def install() -> None:
    """From now on every moto of this process plays them so."""
    DynamoDBBackend.transact_write_items = _transact  # type: ignore[assignment, method-assign]
    for name in WRITES:
        write = getattr(DynamoDBBackend, name)
        if not hasattr(write, "__wrapped__"):
            setattr(DynamoDBBackend, name, _in_turn(write))


def _in_turn(write: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(write)
    def turn(*asked: Any, **named: Any) -> Any:
        with _ONE_AT_A_TIME:
            return write(*asked, **named)

    return turn


def _transact(backend: DynamoDBBackend, transact_items: list[Request]) -> None:
    writes = [next(iter(item.items())) for item in transact_items]  # each has a verb
    with _ONE_AT_A_TIME:
        reasons = [_reason(backend, verb, asked) for verb, asked in writes]
        if any(code for code, _, _ in reasons):
            raise TransactionCanceledException(reasons)
        for verb, asked in writes:
            _write(backend, verb, asked)


def _reason(backend: DynamoDBBackend, verb: str, asked: Request) -> tuple[Any, ...]:
    """Code, message and row of what stands in the way; of nothing, if the condition holds."""
    held = get_filter_expression(
        asked.get("ConditionExpression"),
        asked.get("ExpressionAttributeNames"),
        asked.get("ExpressionAttributeValues"),
    )
    row = backend.get_item(asked["TableName"], _key(backend, verb, asked))
    if held.expr(row):
        return None, None, None
    shown = row and asked.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
    item = row.to_json()["Attributes"] if row and shown else None
    return "ConditionalCheckFailed", "The conditional request failed", item


def _key(backend: DynamoDBBackend, verb: str, asked: Request) -> dict[str, Any]:
    if verb != "Put":
        return dict(asked["Key"])
    table = backend.get_table(asked["TableName"])
    names = (table.hash_key_attr, table.range_key_attr)
    return {name: asked["Item"][name] for name in names if name is not None}


def _set(asked: Request) -> Request:
    """What stands in a new row: in an empty one, SET and ADD are the same."""
    names, values = asked["ExpressionAttributeNames"], asked["ExpressionAttributeValues"]
    pairs = re.findall(r"(#\w+)(?: =)? (:\w+)", asked["UpdateExpression"])
    return {names[name]: values[value] for name, value in pairs}


def _write(backend: DynamoDBBackend, verb: str, asked: Request) -> None:
    table = asked["TableName"]
    match verb:
        case "Put":
            backend.put_item(table, asked["Item"])
        case "Delete":
            backend.delete_item(table, asked["Key"])
        case "Update" if backend.get_item(table, asked["Key"]) is None:
            # moto would show a row of keys alone first, and then what is set and added.
            backend.put_item(table, {**asked["Key"], **_set(asked)})
        case "Update":
            backend.update_item(
                table,
                asked["Key"],
                asked["UpdateExpression"],
                asked.get("ExpressionAttributeNames") or {},
                asked.get("ExpressionAttributeValues") or {},
            )
