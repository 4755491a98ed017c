"""Which targets are to be spared for now, as all environments know it: one row for all of them.

It is read beside the row of a key, so that a healthy request costs no read and no write for it;
it is written when a target fails, is tried again, and recovers. Times are epoch milliseconds.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from antiphon.errors import Unavailable
from antiphon.observability import logger
from antiphon.store.dynamodb import ConditionFailed, Item, Table, Update

CIRCUITS_KEY = ("G#CIRCUITS", "STATE")
PROBE_IS_FREE = (
    "#{until} <= :now AND (attribute_not_exists(#{probe}) OR #{probe} <= :now)"  # who asks first
)


@dataclass(frozen=True)
class Circuit:
    """Open from when a target failed: it is spared `until` then, and probed by one request."""

    until: int = 0

    @property
    def closed(self) -> bool:
        return self.until == 0


class Circuits:
    """Where the table does not answer, an environment goes by what it has seen itself."""

    def __init__(self, table: Table, clock: Callable[[], float] = time.time) -> None:
        self._table = table
        self._clock = clock
        self._row: Item = {}

    def learn(self, row: Item | None) -> None:
        """Take over what the table says."""
        self._row = row or {}

    def of(self, target: str) -> Circuit:
        return Circuit(self._row.get(_attribute_names_of(target)["until"], 0))

    def now(self) -> int:
        return int(self._clock() * 1000)

    def open(self, target: str, until: int) -> None:
        """Have everybody spare a target until then, or longer where that is known already."""
        until_, probe = _attribute_names_of(target).values()
        update = Update(
            partition=CIRCUITS_KEY[0],
            sort=CIRCUITS_KEY[1],
            sets={until_: until},
            removes=[probe],
            only_if=f"attribute_not_exists(#{until_}) OR #{until_} < :{until_}",
        )
        self._row = {**self._row, until_: max(until, self._row.get(until_, 0))}
        self._write(update)

    def claim(self, target: str, probe_until: int) -> bool:
        """Whether the one request that may probe a target, by then, is this one."""
        names = _attribute_names_of(target)
        update = Update(
            partition=CIRCUITS_KEY[0],
            sort=CIRCUITS_KEY[1],
            sets={names["probe"]: probe_until},
            only_if=PROBE_IS_FREE.format(**names),
            values={"now": self.now()},
        )
        return self._write(update) or self.of(target).closed

    def close(self, target: str) -> None:
        """Let everybody ask a target again, unless somebody has seen it fail since."""
        until, probe = _attribute_names_of(target).values()
        update = Update(
            partition=CIRCUITS_KEY[0],
            sort=CIRCUITS_KEY[1],
            removes=[until, probe],
            only_if=f"#{until} <= :known",
            values={"known": self._row.get(until, 0)},
        )
        self._row = {name: value for name, value in self._row.items() if name != until}
        self._write(update)

    def _write(self, update: Update) -> bool:
        """Whether it was so that it could be written; the row is known as it is by then."""
        try:
            self.learn(self._table.update(update))
        except ConditionFailed as exc:
            self.learn(exc.item)
            return False
        except Unavailable:
            logger.warning("circuit not shared")
        return True


def _attribute_names_of(target: str) -> dict[str, str]:
    """The attributes of a target, whose name has no underscore of its own."""
    name = target.replace("-", "_")
    return {"until": f"until_{name}", "probe": f"probe_{name}"}
