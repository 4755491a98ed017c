"""Operations on API keys for operators: create, list, find, revoke, rotate. No request uses it."""

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace
from typing import Self

from antiphon.settings.config import UNLIMITED, Limits
from antiphon.settings.table import PARTITION_KEY
from antiphon.store.dynamodb import ConditionFailed, Item, Table, Update
from antiphon.store.keys import KEY_LIST, KEY_SORT, ApiKey, key_of_row, key_partition, key_row
from antiphon.store.queries import Query

# The prefix lets secret scanners find leaked keys; some clients accept only keys with "sk-".
KEY_PREFIX = "sk-antiphon-"
RANDOM_BYTES = 32
ID_PREFIX = "key_"
MIN_ID_CHARS = len(ID_PREFIX) + 4  # of the beginning of an id that may stand for the id
READ_ROWS = 500  # in one query
LOWEST_SORT, HIGHEST_SORT = "!", "~"  # below and above the names of all tenants
NOT_REVOKED = "attribute_exists(#pk) AND attribute_not_exists(#revoked_at)"


class KeyringError(Exception):
    """An operation was refused; the message says why and contains no key."""


class NoSuchKey(KeyringError):
    def __init__(self) -> None:
        super().__init__("There is no such key.")


@dataclass(frozen=True, kw_only=True)
class KeyTerms:
    """What a new key permits."""

    tenant: str
    name: str | None = None
    models: tuple[str, ...] | None = None  # names and patterns; None allows all
    limits: Limits = UNLIMITED
    ends_at: int | None = None  # epoch seconds

    @classmethod
    def of(cls, key: ApiKey) -> Self:
        return cls(**{f.name: getattr(key, f.name) for f in fields(cls)})


@dataclass(frozen=True)
class IssuedKey:
    """A new key; `secret` is what clients send, and is stored nowhere."""

    secret: str = field(repr=False)
    key: ApiKey


class Keyring:
    """Raise KeyringError with the reason, and Unavailable where the table does not answer.

    A `name` is the id of a key, the unique beginning of an id, or the key itself.
    """

    def __init__(self, table: Table, clock: Callable[[], float] = time.time) -> None:
        self._table = table
        self._clock = clock

    def create(self, terms: KeyTerms) -> IssuedKey:
        secret = KEY_PREFIX + secrets.token_urlsafe(RANDOM_BYTES)
        item = key_row(
            secret,
            terms.tenant,
            name=terms.name,
            models=terms.models,
            limits=terms.limits.model_dump(exclude_defaults=True) or None,
            ends_at=terms.ends_at,
        )
        # Nobody else has the secret, so a row of it is this one.
        self._table.put(item, "attribute_not_exists(pk)", is_ours=lambda _: True)
        return IssuedKey(secret, key_of_row({name: v for name, v in item.items() if v is not None}))

    def list_keys(self, tenant: str | None = None) -> Iterator[ApiKey]:
        """Yield keys by tenant, oldest first; the index may lack a key of the last second."""
        return map(key_of_row, self._read_rows(tenant))

    def find(self, name: str) -> ApiKey:
        return key_of_row(self._find_row(name))

    def revoke(self, name: str) -> tuple[ApiKey, bool]:
        """Return the revoked key, and whether it was not revoked before."""
        row = self._find_row(name)
        try:
            return key_of_row(self._change(row, NOT_REVOKED, revoked_at=self._now)), True
        except ConditionFailed as exc:
            if exc.item is None:
                raise NoSuchKey from exc
            return key_of_row(exc.item), False

    def rotate(
        self, name: str, overlap: int, ends_at: int | None = None
    ) -> tuple[IssuedKey, ApiKey]:
        """Create a key on the same terms, and end the old key after `overlap` seconds.

        The new key ends at `ends_at`, by default when the old key was to end.
        """
        row = self._find_row(name)
        old = key_of_row(row)
        self._check_can_rotate(old)
        issued = self.create(replace(KeyTerms.of(old), ends_at=ends_at or old.ends_at))
        until = min(filter(None, (old.ends_at, self._now + overlap)))
        # Without an overlap it is revoked, which takes effect whatever the clocks are.
        end = {"ends_at": until} if overlap else {"revoked_at": self._now}
        only_if = f"{NOT_REVOKED} AND attribute_not_exists(#replaced_by)"
        try:
            changed = self._change(row, only_if, replaced_by=issued.key.id, **end)
        except ConditionFailed as exc:
            self.revoke(issued.secret)  # nobody has received the new key
            raise KeyringError(
                f"{old.id} was revoked or rotated by someone else just now."
            ) from exc
        return issued, key_of_row(changed)

    @property
    def _now(self) -> int:
        return int(self._clock())

    def _check_can_rotate(self, key: ApiKey) -> None:
        if key.replaced_by is not None:
            raise KeyringError(
                f"{key.id} was rotated already, to {key.replaced_by}: rotate that one."
            )
        if not key.is_valid_at(self._clock()):
            state = "has expired" if key.revoked_at is None else "is revoked"
            raise KeyringError(f"{key.id} {state} and cannot be rotated: create a new key.")

    def _change(self, row: Item, only_if: str, **sets: object) -> Item:
        update = Update(partition=row[PARTITION_KEY], sort=KEY_SORT, sets=sets, only_if=only_if)
        replaced_by = sets.get("replaced_by")  # only this rotation knows its new key
        is_ours = None if replaced_by is None else lambda row: row.get("replaced_by") == replaced_by
        return self._table.update(update, is_ours=is_ours)

    def _find_row(self, name: str) -> Item:
        row = self._table.get(key_partition(name), KEY_SORT)
        if row is None:  # not the key itself; read the row, because the index may lag behind it
            row = self._table.get(self._find_partition(name), KEY_SORT)
        if row is None:
            raise NoSuchKey
        return row

    def _find_partition(self, id: str) -> str:
        """Find a key by its id or the beginning of its id."""
        if len(id) < MIN_ID_CHARS or not id.startswith(ID_PREFIX):
            raise NoSuchKey
        rows = {row["id"]: row for row in self._read_rows(id_prefix=id)}
        if len(rows) > 1:
            raise KeyringError(f"{len(rows)} keys begin like that: {', '.join(sorted(rows))}.")
        if not rows:
            raise NoSuchKey
        (row,) = rows.values()
        partition: str = row[PARTITION_KEY]
        return partition

    def _read_rows(self, tenant: str | None = None, id_prefix: str = ID_PREFIX) -> Iterator[Item]:
        query = Query(
            partition=KEY_LIST,
            low=LOWEST_SORT if tenant is None else f"{tenant}#",
            high=HIGHEST_SORT if tenant is None else f"{tenant}$",  # "$" follows "#"
            index="by_time",
            filter_expression="begins_with(#id, :id)",
            values={"id": id_prefix},
        )
        page = self._table.query(query, READ_ROWS)
        yield from page.items
        while page.next is not None:
            page = self._table.query(query, READ_ROWS, page.next)
            yield from page.items
