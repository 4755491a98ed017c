"""Operations on API keys for operators: create, list, find, change, revoke, rotate.

No request uses it. Each operation that changes a key records in its row who made it and when.
"""

import secrets
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

from antiphon.settings.table import PARTITION_KEY
from antiphon.store.dynamodb import ConditionFailed, Item, Table, Update
from antiphon.store.key_terms import KeyRevision, KeyringError, KeyTerms
from antiphon.store.keys import (
    KEY_LIST,
    KEY_SORT,
    ApiKey,
    KeyChange,
    key_of_row,
    key_partition,
    key_row,
)
from antiphon.store.queries import Query

# The prefix lets secret scanners find leaked keys; some clients accept only keys with "sk-".
KEY_PREFIX = "sk-antiphon-"
RANDOM_BYTES = 32
ID_PREFIX = "key_"
READ_ROWS = 500  # in one query
LOWEST_SORT, HIGHEST_SORT = "!", "~"  # below and above the names of all tenants
NOT_REVOKED = "attribute_exists(#pk) AND attribute_not_exists(#revoked_at)"
MAX_CHANGES = 10  # in a row, which the gateway reads: the first one and the latest
MAX_CHANGE_CHARS = 300
MAX_CANDIDATES = 10  # in a message
REVOCATIONS = 5  # attempts, each of which lost against another change
UNKNOWN_OPERATOR = "unknown"


class NoSuchKey(KeyringError):
    def __init__(self) -> None:
        super().__init__("There is no such key.")


@dataclass(frozen=True)
class IssuedKey:
    """A new key; `secret` is what clients send, and is stored nowhere."""

    secret: str = field(repr=False)
    key: ApiKey


class Keyring:
    """Raise KeyringError with the reason, and Unavailable where the table does not answer.

    A `name` is the id of a key, the unique beginning of an id, or the key itself.
    `find_operator` returns who makes the changes; it is called before the first one.
    """

    def __init__(
        self,
        table: Table,
        clock: Callable[[], float] = time.time,
        find_operator: Callable[[], str] = lambda: UNKNOWN_OPERATOR,
    ) -> None:
        self._table = table
        self._clock = clock
        self._find_operator = find_operator

    def create(self, terms: KeyTerms, what: str = "created") -> IssuedKey:
        secret = KEY_PREFIX + secrets.token_urlsafe(RANDOM_BYTES)
        changes = self._add_change((), what)
        item = key_row(secret, terms.tenant, **terms.attributes, changes=changes)
        # Nobody else has the secret, so a row of it is this one.
        self._table.put(item, "attribute_not_exists(pk)", is_ours=lambda _: True)
        return IssuedKey(secret, key_of_row({name: v for name, v in item.items() if v is not None}))

    def list_keys(self, tenant: str | None = None) -> Iterator[ApiKey]:
        """Yield keys by tenant, oldest first; the index may lack a key of the last second."""
        return map(key_of_row, self._read_rows(tenant))

    def find(self, name: str) -> ApiKey:
        return key_of_row(self._find_row(name))

    def update(self, name: str, revision: KeyRevision) -> tuple[ApiKey, ApiKey]:
        """Change what a key permits; return it as it was and as it is, the same if it is equal."""
        row = self._find_row(name)
        old = key_of_row(row)
        if old.revoked_at is not None:
            raise KeyringError(f"{old.id} is revoked and cannot be changed: create a new key.")
        terms = revision.apply(KeyTerms.of(old))
        differences = KeyTerms.of(old).changes_to(terms)
        if not differences:
            return old, old
        try:
            changed = self._change(row, NOT_REVOKED, "; ".join(differences), terms.attributes)
        except ConditionFailed as exc:
            raise _changed_by_others(old) from exc
        return old, key_of_row(changed)

    def revoke(self, name: str) -> tuple[ApiKey, bool]:
        """Return the revoked key, and whether it was not revoked before."""
        row = self._find_row(name)
        for _ in range(REVOCATIONS):
            if "revoked_at" in row:
                return key_of_row(row), False
            try:
                changed = self._change(row, NOT_REVOKED, "revoked", {"revoked_at": self._now})
            except ConditionFailed as exc:
                if exc.item is None:
                    raise NoSuchKey from exc
                row = exc.item
            else:
                return key_of_row(changed), True
        raise _changed_by_others(key_of_row(row))

    def rotate(
        self, name: str, overlap: int, ends_at: int | None = None
    ) -> tuple[IssuedKey, ApiKey]:
        """Create a key on the same terms, and end the old key after `overlap` seconds.

        The new key ends at `ends_at`, by default when the old key was to end.
        """
        row = self._find_row(name)
        old = key_of_row(row)
        self._check_can_rotate(old)
        terms = replace(KeyTerms.of(old), ends_at=ends_at or old.ends_at)
        issued = self.create(terms, f"created by the rotation of {old.id}")
        until = min(filter(None, (old.ends_at, self._now + overlap)))
        # Without an overlap it is revoked, which takes effect whatever the clocks are.
        end = {"ends_at": until} if overlap else {"revoked_at": self._now}
        only_if = f"{NOT_REVOKED} AND attribute_not_exists(#replaced_by)"
        try:
            values = {"replaced_by": issued.key.id, **end}
            changed = self._change(row, only_if, f"rotated to {issued.key.id}", values)
        except ConditionFailed as exc:
            self.revoke(issued.secret)  # nobody has received the new key
            raise _changed_by_others(old) from exc
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

    @cached_property
    def _operator(self) -> str:
        return self._find_operator()

    def _change(self, row: Item, only_if: str, what: str, values: Mapping[str, Any]) -> Item:
        """Set values, or remove those that are None, if nobody has changed the row since."""
        seen = row.get("changes")
        changes = self._add_change(seen or (), what)
        is_same = "attribute_not_exists(#changes)" if seen is None else "#changes = :seen"
        update = Update(
            partition=row[PARTITION_KEY],
            sort=KEY_SORT,
            sets={n: v for n, v in values.items() if v is not None} | {"changes": changes},
            removes=[name for name, value in values.items() if value is None],
            only_if=f"{only_if} AND {is_same}",
            values={} if seen is None else {"seen": seen},
        )
        return self._table.update(update, is_ours=lambda row: row.get("changes") == changes)

    def _add_change(self, seen: Sequence[Item], what: str) -> list[Item]:
        new = asdict(KeyChange(self._now, self._operator, what[:MAX_CHANGE_CHARS]))
        return [*seen[:1], *seen[1:][2 - MAX_CHANGES :], new]

    def _find_row(self, name: str) -> Item:
        row = self._table.get(key_partition(name), KEY_SORT)
        if row is None:  # not the key itself; read the row, because the index may lag behind it
            row = self._table.get(self._find_partition(name), KEY_SORT)
        if row is None:
            raise NoSuchKey
        return row

    def _find_partition(self, id: str) -> str:
        """Find a key by its id or the beginning of its id, of any length."""
        if not id or not (id.startswith(ID_PREFIX) or ID_PREFIX.startswith(id)):
            raise NoSuchKey
        rows = {row["id"]: row for row in self._read_rows(id_prefix=id)}
        if len(rows) > 1:
            raise KeyringError(_candidates_message(rows.values()))
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


def _changed_by_others(key: ApiKey) -> KeyringError:
    return KeyringError(
        f"{key.id} was changed by someone else just now. Look at it with `antiphon keys show`, "
        "and try again."
    )


def _candidates_message(rows: Collection[Item]) -> str:
    found = sorted((key_of_row(row) for row in rows), key=lambda key: key.id)
    lines = [f"  {k.id}  tenant {k.tenant}{f', {k.name}' if k.name else ''}" for k in found]
    more = len(lines) - MAX_CANDIDATES
    lines[MAX_CANDIDATES:] = [f"  and {more} more"] if more > 0 else []
    return "\n".join([f"{len(found)} keys begin like that: write more of the id.", *lines])
