"""Rows of API keys: a key is stored and looked up by its SHA-256, never in plain text.

A fast hash is enough, because a key has 256 random bits:
https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass

from antiphon.settings.config import UNLIMITED, Limits
from antiphon.settings.table import PARTITION_KEY, SORT_KEY
from antiphon.store.circuits import Circuits
from antiphon.store.dynamodb import Item, Table

KEY_SORT = "KEY"
KEY_LIST = "KEYS"  # the partition of the index `by_time` that lists all keys, for operators only


@dataclass(frozen=True)
class KeyChange:
    """One change of a key by an operator."""

    at: int  # epoch seconds
    by: str  # the ARN of the operator's AWS identity
    what: str  # for people


@dataclass(frozen=True, kw_only=True)
class ApiKey:
    """What a key permits; times are epoch seconds. The id may be displayed and logged."""

    id: str
    tenant: str
    name: str | None = None
    models: tuple[str, ...] | None = None  # names and patterns it may call; None allows all
    limits: Limits = UNLIMITED
    created_at: int = 0
    ends_at: int | None = None  # the key is invalid from then on
    revoked_at: int | None = None
    replaced_by: str | None = None  # id of the key that replaced it by rotation
    changes: tuple[KeyChange, ...] = ()  # the first and the latest ones, in their order

    @property
    def valid_until(self) -> float:
        """Return the epoch seconds of its end; a revoked key is over, whatever its clock says."""
        if self.revoked_at is not None:
            return 0.0
        return float("inf") if self.ends_at is None else self.ends_at

    def is_valid_at(self, now: float) -> bool:
        return now < self.valid_until


class ApiKeys:
    """Looks up keys; a valid one is the occasion to read the circuits.

    Every method raises Unavailable where the table does not answer.
    """

    def __init__(
        self, table: Table, circuits: Circuits, clock: Callable[[], float] = time.time
    ) -> None:
        self._table = table
        self._circuits = circuits
        self._clock = clock

    def get(self, key: str) -> ApiKey | None:
        """Return what is stored for a key, also for a revoked one; None for an unknown key.

        The read is consistent, so a new key works at once and a revoked one is not cached again.
        An unknown key costs this read only, of a row that no other key has.
        """
        item = self._table.get(key_partition(key), KEY_SORT)
        found = None if item is None else key_of_row(item)
        if found is not None and found.is_valid_at(self._clock()):
            self._circuits.refresh()
        return found


def key_digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def key_partition(key: str) -> str:
    return f"K#{key_digest(key)}"


def key_row(key: str, tenant: str, **attributes: object) -> Item:
    """Return the row of a new key of a tenant; `attributes` are further fields of ApiKey."""
    now = int(time.time())
    id = f"key_{key_digest(key)[:16]}"
    return {
        PARTITION_KEY: key_partition(key),
        SORT_KEY: KEY_SORT,
        "by_time_pk": KEY_LIST,
        "by_time_sk": f"{tenant}#{now:010d}#{id}",
        "id": id,
        "tenant": tenant,
        "created_at": now,
        **attributes,
    }


def key_of_row(item: Item) -> ApiKey:
    return ApiKey(
        id=item["id"],
        tenant=item["tenant"],
        name=item.get("name"),
        models=tuple(item["models"]) if "models" in item else None,
        limits=Limits(**item.get("limits", {})),
        created_at=item.get("created_at", 0),
        ends_at=item.get("ends_at"),
        revoked_at=item.get("revoked_at"),
        replaced_by=item.get("replaced_by"),
        changes=tuple(KeyChange(c["at"], c["by"], c["what"]) for c in item.get("changes", ())),
    )
