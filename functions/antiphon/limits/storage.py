"""Ceilings of what a key and a tenant may have stored at providers at the same time.

A create under a ceiling is reserved before it is sent: in the row that counts what is stored, by
one conditional write for the key and one for the tenant. Its reservation ends when the rollup
function counts the link of what it made. So a ceiling holds however many create at once, unless
the link is counted later than the reservation expires: docs/decisions/0022-ceilings-by-rows.md.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import NamedTuple, Self

from antiphon.auth import Caller
from antiphon.errors import GatewayError, StorageLimitReached, Unavailable
from antiphon.http import Request
from antiphon.observability import logger
from antiphon.schema.other_bodies import file_bytes
from antiphon.settings.config import UNLIMITED, Config, Limits
from antiphon.store.dynamodb import Table, WriteUnknown
from antiphon.store.limit_rows import LimitExceeded, LimitRows
from antiphon.store.links import Kind, Link
from antiphon.store.reservations import Increment, StoredReservation
from antiphon.store.storage import (
    CONTAINERS,
    FILE_BYTES,
    FILES,
    VECTOR_STORES,
    StorageKey,
    reservation_id,
)

HOUR = 3_600
COUNTERS: Mapping[Kind, tuple[str, ...]] = {  # what a new object of a kind counts against
    "file": (FILES, FILE_BYTES),
    "upload": (FILES, FILE_BYTES),  # the file that it becomes
    "vector_store": (VECTOR_STORES,),
    "container": (CONTAINERS,),
}
# How long after its request a create is reserved; an upload may be completed within an hour.
HELD_SECONDS: Mapping[Kind, int] = {"upload": 2 * HOUR}
UNITS = {
    FILES: "files",
    FILE_BYTES: "bytes of files",
    VECTOR_STORES: "vector stores",
    CONTAINERS: "containers",
}
PATHS = {VECTOR_STORES: "vector_stores", CONTAINERS: "containers"}


class StorageScope(NamedTuple):
    """A key or a tenant with its ceilings, and the row that counts what it has stored."""

    label: str
    row: str
    maxima: Mapping[str, int]  # by counter


class StorageReservation:
    """What a create is counted with until its link is; without ceilings it holds nothing.

    A `with` block releases it where an exception says that nothing was made. Where that is not
    known it expires.
    """

    def __init__(self, rows: LimitRows, held: list[StoredReservation]) -> None:
        self._rows = rows
        self._held = held

    def release(self) -> None:
        """Give it back; a failure is only logged, for it expires."""
        for held in self._held:
            try:
                self._rows.settle(held, {}, is_open=False)
            except Unavailable as exc:
                about = {"reservation": held.id, "error": type(exc).__name__}
                logger.error("storage not released", extra=about)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(exc, GatewayError) and exc.processed == "no":
            self.release()


@dataclass(frozen=True, eq=False, repr=False)
class StorageLimits:
    rows: LimitRows
    tenants: Mapping[str, Limits]

    @classmethod
    def from_config(cls, table: Table, config: Config) -> Self:
        rows = LimitRows(table, 0, lambda *_: False, row_seconds=None, moves=False)
        return cls(rows, config.tenants)

    def admit(self, kind: Kind, caller: Caller, request: Request) -> StorageReservation:
        """Reserve what a create will have stored.

        Raise StorageLimitReached if there is no room for it, InvalidRequest if its body cannot be
        read, Unavailable if the table does not answer.
        """
        scopes = [*self._scopes(kind, caller, caller.key_id)]
        if not scopes:
            return StorageReservation(self.rows, [])
        amounts = dict.fromkeys(COUNTERS[kind], 1)
        if FILE_BYTES in amounts:
            amounts[FILE_BYTES] = file_bytes(request.headers, request.body)
        expires_at = request.ends_by(self.rows.clock()) + HELD_SECONDS.get(kind, HOUR)
        reserved: list[StoredReservation] = []
        with StorageReservation(self.rows, reserved) as reservation:
            for scope in scopes:
                increments = [Increment(n, amounts[n], most) for n, most in scope.maxima.items()]
                refund = {each.counter: each.amount for each in increments}
                held = StoredReservation(scope.row, reservation_id(request.id), refund)
                self._reserve(scope, held, increments, expires_at)
                reserved.append(held)
        return reservation

    def release(self, link: Link, caller: Caller) -> None:
        """Give back what the create of an upload has reserved: it becomes no file."""
        held = [
            StoredReservation(scope.row, reservation_id(link.request_id), {})
            for scope in self._scopes(link.kind, caller, link.key_id)
        ]
        StorageReservation(self.rows, held).release()

    def _scopes(self, kind: Kind, caller: Caller, key_id: str) -> Iterator[StorageScope]:
        """Yield the key, then the tenant, as far as they have ceilings for this kind."""
        shared = self.tenants.get(caller.tenant, UNLIMITED)
        for label, owner, limits in (
            ("this key", StorageKey(caller.tenant, key_id), caller.limits),
            (f"the tenant '{caller.tenant}'", StorageKey(caller.tenant, None), shared),
        ):
            every = {name: getattr(limits, f"max_{name}") for name in COUNTERS.get(kind, ())}
            maxima = {name: most for name, most in every.items() if most is not None}
            if maxima:
                yield StorageScope(label, owner.partition, maxima)

    def _reserve(
        self,
        scope: StorageScope,
        held: StoredReservation,
        increments: list[Increment],
        expires_at: float,
    ) -> None:
        if any(each.amount > each.maximum for each in increments):
            raise _limit_reached(scope, increments, {})
        try:
            self.rows.count(held, increments, expires_at)
        except LimitExceeded as exc:
            raise _limit_reached(scope, increments, exc.row) from exc
        except WriteUnknown:  # it will not be used, so it is given back if it was made
            StorageReservation(self.rows, [held]).release()
            raise


def _limit_reached(
    scope: StorageScope, increments: list[Increment], row: Mapping[str, int]
) -> StorageLimitReached:
    """Return the error for the first counter without room; `row` is empty for one too large."""
    full = next(
        each for each in increments if row.get(each.counter, 0) + each.amount > each.maximum
    )
    name = full.counter
    limit = f"the limit of {scope.label} is {full.maximum:,} {UNITS[name]} ('max_{name}')"
    if full.amount > full.maximum:
        reason = f"{limit}, and this file alone has {full.amount:,}."
    else:
        needs = f", and this file has {full.amount:,}" if name == FILE_BYTES else ""
        reason = (
            f"{limit}, of which {row[name]:,} are stored or being made{needs}. Delete some with "
            f"DELETE /v1/{PATHS.get(name, 'files')}/{{id}}, which counts within seconds, or ask "
            "the operator of the gateway for more."
        )
    return StorageLimitReached(f"You exceeded your current quota: {reason}")
