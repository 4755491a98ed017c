"""Which targets have an open circuit, shared by all environments in one row.

The row is read after a valid key, at most once in the cache time of keys, so most requests pay no
read and no write for it. It is written when a target fails, is probed, and recovers. No request
fails because of it: nobody without a valid key makes the gateway read it, and without an answer
the environment uses what it knows. Times are epoch milliseconds.
"""

import time
import uuid
from collections.abc import Callable

from antiphon.errors import Unavailable
from antiphon.observability import logger
from antiphon.store.dynamodb import (
    NO_LIMIT,
    CallTime,
    ConditionFailed,
    Item,
    Recognize,
    Table,
    Update,
)

CIRCUITS_KEY = ("G#CIRCUITS", "STATE")
READ_SECONDS = 0.2  # for one read of the row, which is not worth the time of a request
PROBE_IS_FREE = "#{until} <= :now AND (attribute_not_exists(#{probe}) OR #{probe} <= :now)"


class Circuits:
    """An open circuit has an end, and is probed by one request after that.

    Where the table does not answer, an environment uses what it has seen itself.
    """

    def __init__(
        self,
        table: Table,
        clock: Callable[[], float] = time.time,
        *,
        call_time: CallTime = NO_LIMIT,
        max_age: float = 0,  # seconds, for which a row is not read again
    ) -> None:
        self._table = table
        self._clock = clock
        self._call_time = call_time
        self._max_age = max_age
        self._row: Item = {}
        self._next_read = 0.0  # epoch seconds

    def refresh(self) -> None:
        """Read the row if it is too old; what is known remains where it cannot be read.

        It is not read again at once after a failure: the table may be under load.
        """
        if self._clock() < self._next_read:
            return
        self._next_read = self._clock() + self._max_age
        try:
            with self._call_time.at_most(READ_SECONDS):
                self.load(self._table.get(*CIRCUITS_KEY, is_consistent=False))
        except Unavailable:
            logger.warning("circuits not read")

    def load(self, row: Item | None) -> None:
        """Take over the row as the table has it."""
        self._row = row or {}

    def open_until(self, target: str) -> int:
        """Return until when a target is skipped; 0 for a closed circuit."""
        until: int = self._row.get(_attributes(target)["until"], 0)
        return until

    def now(self) -> int:
        return int(self._clock() * 1000)

    def open(self, target: str, until: int) -> None:
        """Open the circuit for all environments; a later end that is known already stays."""
        until_, *probe = _attributes(target).values()
        update = Update(
            partition=CIRCUITS_KEY[0],
            sort=CIRCUITS_KEY[1],
            sets={until_: until},
            removes=probe,
            only_if=f"attribute_not_exists(#{until_}) OR #{until_} < :{until_}",
        )
        self._row = {**self._row, until_: max(until, self._row.get(until_, 0))}
        self._write(update)

    def claim_probe(self, target: str, probe_until: int) -> bool:
        """Return whether this request is the one that may probe the target until then."""
        names, prober = _attributes(target), uuid.uuid4().hex
        update = Update(
            partition=CIRCUITS_KEY[0],
            sort=CIRCUITS_KEY[1],
            sets={names["probe"]: probe_until, names["prober"]: prober},
            only_if=PROBE_IS_FREE.format(**names),
            values={"now": self.now()},
        )
        is_ours = self._write(update, lambda row: row.get(names["prober"]) == prober)
        return is_ours or not self.open_until(target)

    def close(self, target: str) -> None:
        """Close the circuit, unless another environment has seen the target fail since."""
        until, *probe = _attributes(target).values()
        update = Update(
            partition=CIRCUITS_KEY[0],
            sort=CIRCUITS_KEY[1],
            removes=[until, *probe],
            only_if=f"#{until} <= :known",
            values={"known": self._row.get(until, 0)},
        )
        self._row = {name: value for name, value in self._row.items() if name != until}
        self._write(update)

    def _write(self, update: Update, is_ours: Recognize | None = None) -> bool:
        """Return whether the condition held; afterwards the row is known as it is."""
        try:
            self.load(self._table.update(update, is_ours=is_ours))
        except ConditionFailed as exc:
            self.load(exc.item)
            return False
        except Unavailable:
            logger.warning("circuit not shared")
        return True


def _attributes(target: str) -> dict[str, str]:
    """Return the attribute names of a target; a target's name has no underscore."""
    name = target.replace("-", "_")
    return {each: f"{each}_{name}" for each in ("until", "probe", "prober")}
