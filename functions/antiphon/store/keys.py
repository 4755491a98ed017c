"""Rows of API keys. A key is stored and found by its SHA-256 alone, and shown to nobody.

256 random bits need no slow hash: https://cheatsheetseries.owasp.org (Password Storage).
"""

import hashlib
import time
from dataclasses import dataclass

from antiphon.settings.config import UNLIMITED, Limits
from antiphon.settings.table import PARTITION_KEY, SORT_KEY
from antiphon.store.circuits import CIRCUITS_KEY, Circuits
from antiphon.store.dynamodb import BatchTable, Item

KEY_SORT = "KEY"
KEY_LIST = "KEYS"  # the partition of the index that names every key, for operators alone


@dataclass(frozen=True, kw_only=True)
class ApiKey:
    """Whom a key speaks for; `id` may be shown and logged, the key itself may not."""

    id: str
    tenant: str
    name: str | None = None
    models: tuple[str, ...] | None = None  # names and patterns it may call; None is every one
    limits: Limits = UNLIMITED
    created_at: int = 0
    ends_at: int | None = None  # it is not valid from this moment on
    revoked_at: int | None = None
    replaced_by: str | None = None  # id of the key that it was rotated to

    def valid_at(self, now: float) -> bool:
        # Revoked is revoked, whatever moment an operator's clock has called that.
        return self.revoked_at is None and (self.ends_at is None or now < self.ends_at)


def key_digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def key_row(key: str, tenant: str, **more: object) -> Item:
    """The row that makes `key` speak for `tenant`; `more` are other attributes of a Key."""
    hashed, now = key_digest(key), int(time.time())
    id = f"key_{hashed[:16]}"
    return {
        PARTITION_KEY: f"K#{hashed}",
        SORT_KEY: KEY_SORT,
        "by_time_pk": KEY_LIST,
        "by_time_sk": f"{tenant}#{now:010d}#{id}",
        "id": id,
        "tenant": tenant,
        "created_at": now,
        **more,
    }


class ApiKeys:
    """Finds a key; the same read tells which targets are spared, so that this costs none."""

    def __init__(self, batch: BatchTable, circuits: Circuits) -> None:
        self._batch = batch
        self._circuits = circuits

    def get(self, key: str) -> ApiKey | None:
        """Raise Unavailable where the table does not answer."""
        place = (f"K#{key_digest(key)}", KEY_SORT)
        rows = {row[PARTITION_KEY]: row for row in self._batch.get_all([place, CIRCUITS_KEY])}
        self._circuits.learn(rows.get(CIRCUITS_KEY[0]))
        item = rows.get(place[0])
        return None if item is None else key_of_row(item)


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
    )
