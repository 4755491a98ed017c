"""Spares moto the rows that a query does not ask for: it sorts the whole table for each query.

Besides, it makes a deep copy of each row that it finds, adds up the size of each row twice, and
asks five times for the type of a text before it compares it.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from typing import Any

from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table

from infra.local.aws.transactions import LOCK

TEXT = "S"  # DynamoDB's name of the type that all keys of the gateway have
_VALUE: Any = DynamoType  # without types: a property of it is replaced

type Conditions = Iterable[tuple[str, DynamoType]]  # names and values of partition keys


def install() -> None:
    """Replace these computations in this process; calling it again is harmless."""
    if hasattr(Table.query, "__wrapped__"):
        return
    Table.query = _query_partition(Table.query)  # type: ignore[method-assign]
    _VALUE.cast_value = property(_cast_text_at_once(_VALUE.cast_value.fget))


class _Row(Item):
    """A row as it is when a query begins."""

    _bytes: int | None = None

    @classmethod
    def copy(cls, item: Item) -> Item:
        row = object.__new__(cls)  # moto records each one that is made in the usual way
        row.__dict__ = {**item.__dict__, "attrs": dict(item.attrs)}
        return row

    def __deepcopy__(self, memo: dict[int, Any]) -> Item:
        return self  # it is a copy already

    def size(self) -> int:
        if self._bytes is None:
            self._bytes = super().size()
        return self._bytes


def _query_partition(query: Callable[..., Any]) -> Callable[..., Any]:
    """Query what has the rows of one partition only, of the table or of an index."""

    @wraps(query)
    def query_rows(table: Table, *args: Any, hash_key_conditions: Conditions, **more: Any) -> Any:
        with LOCK:
            rows = [_Row.copy(item) for item in _find(table, list(hash_key_conditions))]
        partition: Any = object.__new__(type(table))
        partition.__dict__ = {**table.__dict__, "all_items": lambda: rows}
        partition.sorted_items = _sort_rows(table)
        return query(partition, *args, hash_key_conditions=hash_key_conditions, **more)

    return query_rows


def _find(table: Table, conditions: list[tuple[str, DynamoType]]) -> Iterable[Item]:
    """Return the rows with these values, and others where a value is not a text."""
    if not table.range_key_attr or any(value.type != TEXT for _, value in conditions):
        return table.all_items()
    for name, value in conditions:
        if name == table.hash_key_attr:
            return table.items.get(value, {}).values()
    texts = [(name, value.value) for name, value in conditions]
    return _find_in_all(table, texts)


def _find_in_all(table: Table, texts: list[tuple[str, str]]) -> Iterator[Item]:
    for partition in table.items.values():
        for item in partition.values():
            if all(_has_text(item, name, text) for name, text in texts):
                yield item


def _has_text(item: Item, name: str, text: str) -> bool:
    found = item.attrs.get(name)
    return found is not None and found.value == text and found.type == TEXT


def _sort_rows(table: Table) -> Callable[..., list[Item]]:
    """Compare the values themselves: moto compares objects, each of which casts its value anew."""

    def sort(partition_keys: list[str], sort_keys: list[str | None], rows: Any) -> list[Item]:
        names = table._generate_attr_to_sort_by(partition_keys, sort_keys)  # noqa: SLF001
        return sorted(rows, key=lambda row: [row.attrs[name].cast_value for name in names])

    return sort


def _cast_text_at_once(cast: Callable[[DynamoType], Any]) -> Callable[[DynamoType], Any]:
    def cast_value(value: DynamoType) -> Any:
        return value.value if value.type == TEXT else cast(value)

    return cast_value
