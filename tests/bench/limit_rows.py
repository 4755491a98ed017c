"""`python -m tests.bench.limit_rows`: what the limits of one key or tenant write, and how many
requests a second its row of counters takes. docs/decisions/0030-reservations-move-out.md has it.

No time is measured: the units are those of the writes that the code makes, by the size of each row.
"""

import math
from collections import Counter, deque
from collections.abc import Sequence
from typing import Any

import click

from antiphon.limits.counters import is_stale
from antiphon.store.dynamodb import Item, Table, Update
from antiphon.store.limit_rows import LimitRows
from antiphon.store.reservations import (
    LIMITS_SORT,
    Increment,
    StoredReservation,
    limits_partition,
)
from infra.local.aws.resources import TABLE
from tests.support.dynamodb import embedded_store, row_bytes
from tests.support.limits import DAY, NOON, Clock

UNITS_A_SECOND = 1_000  # of writes that DynamoDB takes for one partition key
BYTES_OF_UNIT = 1_024
REQUESTS = 200  # measured; each begins when the oldest one ends
IN_FLIGHT, IN_ONE_ROW = (1, 20, 300, 5_000), (1, 20, 300)
ROW = limits_partition("acme")
COUNTERS = ("n", "u202611", "r29922480", "t29922480")  # of a tenant and of one of its keys
AMOUNTS = {"n": 1, "u": 123_456_789, "r": 1, "t": 1_234}


class MeteredTable(Table):
    """Counts the write units of the counters' row and of all others, and the calls."""

    def __init__(self, client: Any) -> None:
        super().__init__(client, TABLE)
        self.counts: Counter[str] = Counter()

    def update(self, update: Update, **options: Any) -> Item:
        self.counts["calls"] += 1
        try:
            return super().update(update, **options)
        finally:
            self._bill([update], 1)

    def transact(self, writes: Sequence[Update]) -> None:
        self.counts["transactions"] += 1
        rows = [*writes]
        try:
            super().transact(rows)
        finally:
            self._bill(rows, 2)

    def _bill(self, writes: Sequence[Update], factor: int) -> None:
        for write in writes:
            size = row_bytes(self.get(write.partition, write.sort) or {})
            name = "row" if write.sort == LIMITS_SORT else "own rows"
            self.counts[name] += factor * max(1, math.ceil(size / BYTES_OF_UNIT))


def main() -> None:
    click.echo(
        "in flight | bytes of the row | units of the row, of others | transactions | requests/s"
    )
    for moves, sizes in ((False, IN_ONE_ROW), (True, IN_FLIGHT)):
        click.echo("reservations move out" if moves else "all reservations in the counters' row")
        for in_flight in sizes:
            click.echo(measure(in_flight, moves=moves))


def measure(in_flight: int, *, moves: bool) -> str:
    """Return a line of figures, per request: with so many others in flight all the time."""
    with embedded_store(stream=False) as store:
        table = MeteredTable(store.client)
        rows = LimitRows(table, DAY, is_stale, Clock(), moves=moves)
        held = deque(_reserve(rows, number) for number in range(in_flight))
        table.counts.clear()
        sizes = []
        for number in range(in_flight, in_flight + REQUESTS):
            held.append(_reserve(rows, number))
            rows.settle(held.popleft(), {"tenant_u202611": 1, "key_1_u202611": 1}, is_open=False)
            sizes.append(row_bytes(table.get(ROW, LIMITS_SORT) or {}))
        units, own, transactions = (
            table.counts[name] / REQUESTS for name in ("row", "own rows", "transactions")
        )
        return (
            f"{in_flight:9,} | {sum(sizes) // REQUESTS:16,} | {units:16.1f}, {own:8.1f} | "
            f"{transactions:12.2f} | {UNITS_A_SECOND / units:10.0f}"
        )


def _reserve(rows: LimitRows, number: int) -> StoredReservation:
    amounts = {
        f"{scope}_{counter}": AMOUNTS[counter[0]]
        for scope in ("tenant", "key_1")
        for counter in COUNTERS
    }
    refund = {name: n for name, n in amounts.items() if "_n" in name or "_u" in name}
    held = StoredReservation(ROW, f"{number:016x}", refund)
    rows.count(held, [Increment(name, n, 10**15) for name, n in amounts.items()], NOON + 960)
    return held


if __name__ == "__main__":
    main()
