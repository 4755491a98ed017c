"""Rows of API keys. A key is stored and found by its SHA-256 alone, and shown to nobody.

256 random bits need no slow hash: https://cheatsheetseries.owasp.org (Password Storage).
"""

import hashlib
import time
from dataclasses import dataclass

from antiphon.store.table import Table
from antiphon.store.values import Item

SORT = "KEY"


@dataclass(frozen=True)
class Key:
    """Whom a key speaks for; `id` may be shown and logged, the key itself may not."""

    id: str
    tenant: str
    ends_at: int | None = None
    revoked_at: int | None = None

    @property
    def valid(self) -> bool:
        now = time.time()
        return self.revoked_at is None and (self.ends_at is None or now < self.ends_at)


def digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def row(key: str, tenant: str) -> Item:
    """The row that makes `key` speak for `tenant`."""
    hashed = digest(key)
    return {"pk": f"K#{hashed}", "sk": SORT, "id": f"key_{hashed[:16]}", "tenant": tenant}


class Keys:
    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, key: str) -> Key | None:
        item = self._table.get(f"K#{digest(key)}", SORT)
        return None if item is None else _key(item)


def _key(item: Item) -> Key:
    return Key(item["id"], item["tenant"], item.get("ends_at"), item.get("revoked_at"))
