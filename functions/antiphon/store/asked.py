"""What a page of links should hold, as DynamoDB reads it and as a link fulfils it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from antiphon.store.links import Link

FIRST, LAST = "0", ":"  # around all sort keys: they begin with a digit, and ':' follows '9'
BELOW, ABOVE = " ", "\U0010ffff"  # around all characters of an id


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Bounds are epoch seconds, neither of them included."""

    limit: int = 20
    newest_first: bool = True
    after: Link | None = None
    created_after: int | None = None
    created_before: int | None = None
    model: str | None = None
    status: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def span(self) -> tuple[str, str]:
        """The first and the last sort key; where the first is greater there can be no link."""
        low, high = FIRST, LAST
        if self.created_after is not None:
            low = f"{self.created_after * 1000 + 999:013d}{ABOVE}"
        if self.created_before is not None:
            high = f"{self.created_before * 1000:013d}"
        if self.after is None:
            return low, high
        place = place_of(self.after)
        if self.newest_first:
            return low, min(high, _just_below(place))
        return max(low, place + BELOW), high

    @property
    def where(self) -> str:
        """What `fits` says, in DynamoDB's words; the metadata is left to the index."""
        conditions = ["attribute_not_exists(#deleted_at)", "#expires_at > :now"]
        return " AND ".join([*conditions, *(f"#{name} = :{name}" for name in self._equal)])

    @property
    def values(self) -> dict[str, object]:
        return {"now": int(time.time()), **self._equal}

    def fits(self, link: Link) -> bool:
        has_all = self.metadata.items() <= link.metadata.items()
        return link.alive and has_all and all(getattr(link, n) == v for n, v in self._equal.items())

    @property
    def _equal(self) -> dict[str, str]:
        wanted = {"model": self.model, "status": self.status}
        return {name: value for name, value in wanted.items() if value is not None}


def place_of(link: Link) -> str:
    """The sort key that puts links in the order in which they were made."""
    return f"{link.created_ms:013d}#{link.id}"


def _just_below(place: str) -> str:
    return place[:-1] + chr(ord(place[-1]) - 1) + ABOVE
