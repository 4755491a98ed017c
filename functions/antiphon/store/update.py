"""What a write changes of one row, and what the row must be like for it."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from antiphon.settings.table import PARTITION_KEY, SORT_KEY
from antiphon.store.values import Item, marshal, write


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
        named = {*self.sets, *self.adds, *self.removes, *_names(self.only_if)}
        values = {**self.values, **self.sets, **self.adds}
        optional = {
            "ConditionExpression": self.only_if,
            "ExpressionAttributeValues": {f":{name}": write(v) for name, v in values.items()},
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


def _names(condition: str | None) -> Collection[str]:
    return re.findall(r"#(\w+)", condition or "")
