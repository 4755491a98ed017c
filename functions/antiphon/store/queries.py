"""Reads of many rows of one partition, as the Query operation of DynamoDB takes them.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from antiphon.settings.table import INDEXES, PARTITION_KEY, SORT_KEY
from antiphon.store.dynamodb import attribute_names, placeholder_values


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
        names |= {f"#{name}": name for name in attribute_names(self.filter_expression)}
        optional = {"IndexName": self.index, "FilterExpression": self.filter_expression}
        return {
            "KeyConditionExpression": "#pk = :pk AND #sk BETWEEN :low AND :high",
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": placeholder_values(values),
            "ScanIndexForward": not self.is_descending,
            **{name: value for name, value in optional.items() if value is not None},
        }
