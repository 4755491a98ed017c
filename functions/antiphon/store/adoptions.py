"""Links of what was made outside the gateway, for operators. No request uses this.

An adopted link is the tenant's own like any other. It never expires; a deletion ends it.
"""

import time
from collections.abc import Mapping

from antiphon.store.dynamodb import ConditionFailed, Item, Table, Update
from antiphon.store.links import (
    LINK_SORT,
    NEVER,
    Kind,
    Link,
    link_of_row,
    link_partition,
    link_row,
)

ADOPTED = "adopted"  # the status, and in place of the id of the request that wrote the link
KIND_BY_PREFIX: Mapping[str, Kind] = {
    "file-": "file",
    "assistant-": "file",  # Azure names files by their purpose
    "vs_": "vector_store",
    "cntr_": "container",
    "skill_": "skill",
    "batch_": "batch",
    "pmpt_": "prompt",
    "tunnel_": "tunnel",
}
NOT_LIVE = "attribute_not_exists(pk) OR attribute_exists(deleted_at) OR expires_at <= :now"


class AdoptionError(Exception):
    """An operation was refused; the message says why."""


class Adoptions:
    """Raise AdoptionError with the reason, and Unavailable where the table does not answer."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def adopt(self, kind: Kind, tenant: str, id: str, target: str) -> bool:
        """Let a tenant own an object that a target has; return whether it did not own it before."""
        link = _adopted_link(kind, tenant, id, target)
        try:
            self._table.put(link_row(link), NOT_LIVE, now=link.created_at)
        except ConditionFailed as exc:
            _check_target(exc.item, target)
            return False
        return True

    def remove(self, kind: Kind, tenant: str, id: str) -> bool:
        """End what `adopt` began; return whether the tenant owned it until now."""
        now = int(time.time())
        update = Update(
            partition=link_partition(kind, tenant, id),
            sort=LINK_SORT,
            sets={"deleted_at": now, "expires_at": now},
            only_if="#request_id = :adopted AND attribute_not_exists(#deleted_at)",
            values={"adopted": ADOPTED},
        )
        try:
            self._table.update(update)
        except ConditionFailed as exc:
            if exc.item is not None and link_of_row(exc.item).is_live:
                raise AdoptionError(
                    f"{tenant} made {id} through the gateway: only a DELETE request of {tenant} "
                    "ends that."
                ) from exc
            return False
        return True


def _adopted_link(kind: Kind, tenant: str, id: str, target: str) -> Link:
    return Link(
        id=id,
        kind=kind,
        tenant=tenant,
        key_id="",
        request_id=ADOPTED,
        target=target,
        root=id,
        status=ADOPTED,
        created_ms=int(time.time() * 1000),
        expires_at=NEVER,
    )


def _check_target(row: Item | None, target: str) -> None:
    """Raise AdoptionError where the tenant owns it at another target."""
    if row is not None and row["target"] != target:
        raise AdoptionError(
            f"{row['tenant']} owns {row['id']} at target '{row['target']}', not '{target}'. If "
            "that is wrong, end it with --remove and adopt it again."
        )
