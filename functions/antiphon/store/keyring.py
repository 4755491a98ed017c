"""Keys as operators see them: made, listed, found, revoked, rotated. No app's call comes here."""

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace
from typing import Self

from antiphon.settings.config import UNLIMITED, Limits
from antiphon.settings.table import PARTITION_KEY
from antiphon.store.dynamodb import ConditionFailed, Item, Query, Table, Update
from antiphon.store.keys import KEY_LIST, KEY_SORT, ApiKey, key_digest, key_of_row, key_row

KEY_PREFIX = "sk-antiphon-"  # for those who scan code for secrets; some clients want the sk-
RANDOM_BYTES = 32
MIN_ID_CHARS = len("key_") + 4  # beginning of an id that is taken for one
READ_ROWS = 500  # rows at a time
LOWEST_SORT, HIGHEST_SORT = "!", "~"  # before and behind the names of all tenants
NOT_REVOKED = "attribute_exists(#pk) AND attribute_not_exists(#revoked_at)"


class KeyringError(Exception):
    """It could not be done; the message says why, and holds no key."""


class NoSuchKey(KeyringError):
    def __init__(self) -> None:
        super().__init__("There is no such key.")


@dataclass(frozen=True, kw_only=True)
class KeyTerms:
    """What a new key is to be."""

    tenant: str
    name: str | None = None
    models: tuple[str, ...] | None = None  # names and patterns; None is every one
    limits: Limits = UNLIMITED
    ends_at: int | None = None  # epoch seconds

    @classmethod
    def of(cls, key: ApiKey) -> Self:
        return cls(**{each.name: getattr(key, each.name) for each in fields(cls)})


@dataclass(frozen=True)
class IssuedKey:
    """A new key; `secret` is what apps send, and stands nowhere else."""

    secret: str = field(repr=False)
    key: ApiKey


class Keyring:
    """Raise NotDone with the reason, and Unavailable where the table does not answer.

    A key is named by its id, a beginning of the id that no other has, or the key itself.
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
        self._table.put(item, unless="attribute_not_exists(pk)")
        return IssuedKey(secret, key_of_row({name: v for name, v in item.items() if v is not None}))

    def every(self, tenant: str | None = None) -> Iterator[ApiKey]:
        """By tenant, oldest first; a key made this very second may still be missing."""
        return map(key_of_row, self._listed(tenant))

    def find(self, named: str) -> ApiKey:
        return key_of_row(self._row(named))

    def revoke(self, named: str) -> tuple[ApiKey, bool]:
        """Give the key, and whether it was not revoked before."""
        found = self._row(named)
        try:
            return key_of_row(self._change(found, NOT_REVOKED, revoked_at=self._now)), True
        except ConditionFailed as exc:
            if exc.item is None:
                raise NoSuchKey from exc
            return key_of_row(exc.item), False

    def rotate(
        self, named: str, overlap: int, ends_at: int | None = None
    ) -> tuple[IssuedKey, ApiKey]:
        """Make a key on the same terms, and end the old one `overlap` seconds from now.

        The new key ends at `ends_at`, if given, else when the old one was to end.
        """
        found = self._row(named)
        old = key_of_row(found)
        self._check_rotates(old)
        issued = self.create(replace(KeyTerms.of(old), ends_at=ends_at or old.ends_at))
        until = min(filter(None, (old.ends_at, self._now + overlap)))
        # Revoked where it is to end now: that does not depend on whose clock is right.
        ends = {"ends_at": until} if overlap else {"revoked_at": self._now}
        only_if = f"{NOT_REVOKED} AND attribute_not_exists(#replaced_by)"
        try:
            changed = self._change(found, only_if, replaced_by=issued.key.id, **ends)
        except ConditionFailed as exc:  # nobody has seen the new one
            self.revoke(issued.secret)
            raise KeyringError(
                f"{old.id} was revoked or rotated by someone else just now."
            ) from exc
        return issued, key_of_row(changed)

    @property
    def _now(self) -> int:
        return int(self._clock())

    def _check_rotates(self, key: ApiKey) -> None:
        if key.replaced_by is not None:
            raise KeyringError(
                f"{key.id} was rotated already, to {key.replaced_by}: rotate that one."
            )
        if not key.valid_at(self._clock()):
            what = "has expired" if key.revoked_at is None else "is revoked"
            raise KeyringError(f"{key.id} {what} and cannot be rotated: create a new key.")

    def _change(self, found: Item, only_if: str, **sets: object) -> Item:
        place = found[PARTITION_KEY]
        return self._table.update(
            Update(partition=place, sort=KEY_SORT, sets=sets, only_if=only_if)
        )

    def _row(self, named: str) -> Item:
        place = f"K#{key_digest(named)}"
        found = self._table.get(place, KEY_SORT)
        if found is None:  # no key; the index may lag behind the row
            found = self._table.get(self._place(named), KEY_SORT)
        if found is None:
            raise NoSuchKey
        return found

    def _place(self, id: str) -> str:
        if len(id) < MIN_ID_CHARS or not id.startswith("key_"):
            raise NoSuchKey
        fitting = {item["id"]: item for item in self._listed(beginning=id)}
        if len(fitting) > 1:
            raise KeyringError(
                f"{len(fitting)} keys begin like that: {', '.join(sorted(fitting))}."
            )
        if not fitting:
            raise NoSuchKey
        (found,) = fitting.values()
        place: str = found[PARTITION_KEY]
        return place

    def _listed(self, tenant: str | None = None, beginning: str = "key_") -> Iterator[Item]:
        query = Query(
            partition=KEY_LIST,
            low=LOWEST_SORT if tenant is None else f"{tenant}#",
            high=HIGHEST_SORT if tenant is None else f"{tenant}$",  # what comes behind the #
            index="by_time",
            where="begins_with(#id, :id)",
            values={"id": beginning},
        )
        rows = self._table.query(query, READ_ROWS)
        yield from rows.items
        while rows.next is not None:
            rows = self._table.query(query, READ_ROWS, rows.next)
            yield from rows.items
