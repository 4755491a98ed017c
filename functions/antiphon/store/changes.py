"""What the table's stream tells of a link: as it was, and as it became."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from antiphon.settings.table import SORT_KEY
from antiphon.store.links import SORT, Kind, Link, link_of
from antiphon.store.values import unmarshal

type Record = Mapping[str, Any]  # of a DynamoDB stream, with new and old images


@dataclass(frozen=True)
class Change:
    """One of the two is None where the link was made, or is gone."""

    old: Link | None
    new: Link | None

    @classmethod
    def read(cls, record: Record) -> Self | None:
        """None for a row that is no link's."""
        told = record["dynamodb"]
        if told["Keys"][SORT_KEY] != {"S": SORT}:
            return None
        return cls(_link(told.get("OldImage")), _link(told.get("NewImage")))

    @property
    def names(self) -> tuple[Kind, str, str]:
        """Kind, tenant and id of the link."""
        link = self.new or self.old
        if link is None:
            raise ValueError("a change without images: the stream must carry new and old ones")
        return link.kind, link.tenant, link.id


def _link(image: Mapping[str, Any] | None) -> Link | None:
    return link_of(unmarshal(image)) if image else None
