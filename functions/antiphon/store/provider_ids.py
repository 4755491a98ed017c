"""Rows that lead from an id at a provider to its tenant, where the provider reports ends.

A provider's webhook names an id and no tenant, but the key of a link begins with its tenant. So a
background response and a batch have a small row beside their link, which is without the tenant in
its key: see docs/decisions/0046-a-provider-reports-an-end.md.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from antiphon.errors import Unavailable
from antiphon.observability import logger
from antiphon.settings.table import PARTITION_KEY, SORT_KEY, TTL
from antiphon.store.dynamodb import Table
from antiphon.store.links import ID_PATTERN, Link, Links

OWNER_SORT = "OWNER"
# A batch has a day and a response less, and providers repeat a webhook for up to three days.
ROW_SECONDS = 5 * 86_400

type ReportedKind = Literal["response", "batch"]


@dataclass(frozen=True)
class IdOwner:
    tenant: str
    kind: ReportedKind


@dataclass(frozen=True, eq=False, repr=False)
class ProviderIds:
    """`accounts`: the account of each target whose provider reports ends, by target."""

    table: Table
    accounts: Mapping[str, str]

    def record(self, link: Link) -> None:
        """Let a report of the link's end find its tenant.

        A failure is only logged: the polls of the link find its end, too.
        """
        if link.target not in self.accounts or not _is_reported(link):
            return
        owner = {"tenant": link.tenant, "kind": link.kind, TTL: _expires_at(link)}
        try:
            self.table.put({**self._key(link.target, link.id), **owner})
        except Unavailable:
            logger.warning("id not recorded", extra={"link": link.id})

    def find(self, target: str, id: str) -> IdOwner | None:
        """Return who owns an id at a target's account; None for an unknown or malformed one.

        Raise Unavailable where the table does not answer.
        """
        if not ID_PATTERN.fullmatch(id):
            return None
        row = self.table.get(*self._key(target, id).values())
        if row is None or row[TTL] <= time.time():
            return None
        return IdOwner(row["tenant"], row["kind"])

    def _key(self, target: str, id: str) -> dict[str, str]:
        return {PARTITION_KEY: f"W#{self.accounts[target]}#{id}", SORT_KEY: OWNER_SORT}


class ReportedLinks(Links):
    """Links whose ends a provider may report."""

    def __init__(self, table: Table, ids: ProviderIds) -> None:
        super().__init__(table)
        self._ids = ids

    def put(self, link: Link) -> None:
        """Record a new link, and then whose its id is."""
        super().put(link)
        self._ids.record(link)


def _is_reported(link: Link) -> bool:
    return link.kind == "batch" or (link.background and link.is_pending)


def _expires_at(link: Link) -> int:
    return min(link.expires_at, int(time.time()) + ROW_SECONDS)
