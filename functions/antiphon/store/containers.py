"""How long a container has run, estimated from what the gateway knows of it.

A provider bills a container by its running time: OpenAI in sessions of 20 minutes with at least 5
minutes, until it is deleted or has been idle for 20 minutes. The gateway knows when a container was
first named, its uses through the gateway, and its deletion; nothing polls the provider.
"""

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from antiphon.store.links import Link

USED_AT = "used_at"  # the member of a container's `details`, in epoch seconds
IDLE_SECONDS = 20 * 60
MIN_MINUTES = 5
MINUTE = 60  # seconds
USE_SECONDS = 60  # a use within so many seconds after the last one is not recorded


def container_ends_at(link: "Link") -> int:
    """Return when the container is or was idle for too long, or deleted; epoch seconds."""
    idle_at = _last_use(link) + IDLE_SECONDS
    return idle_at if link.deleted_at is None else min(idle_at, link.deleted_at)


def container_minutes(link: "Link") -> int:
    """Return the minutes from its creation to its end; its next use within them adds more."""
    seconds = container_ends_at(link) - link.created_at
    return max(MIN_MINUTES, math.ceil(seconds / MINUTE))


def details_after_use(link: "Link", now: float) -> dict[str, Any] | None:
    """Return the `details` of a container that is used; None where they need not change.

    One that was idle for too long has ended: a provider does not start it again. An adopted one,
    which has no key, is not counted.
    """
    is_recorded = now < _last_use(link) + USE_SECONDS
    if not link.key_id or is_recorded or now >= container_ends_at(link):
        return None
    return {**(link.details or {}), USED_AT: int(now)}


def _last_use(link: "Link") -> int:
    used_at: int = (link.details or {}).get(USED_AT, link.created_at)
    return used_at
