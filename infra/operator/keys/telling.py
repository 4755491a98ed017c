"""A key as it may be shown: never the key itself, nor its hash."""

import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from antiphon.settings.config import Limits
from antiphon.store.keyring import IssuedKey
from antiphon.store.keys import ApiKey
from infra.operator.deployment import Deployment
from infra.operator.printing import when

COLUMNS = ("id", "tenant", "name", "models", "limits", "created", "state")
STATES = ("active", "expired", "revoked")


def status(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return "revoked"
    return "active" if key.is_valid_at(time.time()) else "expired"


def document(key: ApiKey) -> dict[str, Any]:
    """Times are epoch seconds; limits are those that there are."""
    return {
        **asdict(key),
        "models": None if key.models is None else [*key.models],
        "limits": _given(key.limits),
        "status": status(key),
    }


def issued(new: IssuedKey, deployment: Deployment) -> dict[str, Any]:
    """The only document that a key itself stands in."""
    return {"key": new.secret, **document(new.key), **addresses(deployment)}


def row(key: ApiKey) -> tuple[str, ...]:
    created = when(key.created_at)
    return (key.id, key.tenant, key.name or "", _models(key), _limits(key), created, _state(key))


def facts(key: ApiKey) -> Iterator[tuple[str, str]]:
    yield from zip(COLUMNS, row(key), strict=True)


def addresses(deployment: Deployment) -> dict[str, str]:
    """Base URLs by their doors, as far as they are on."""
    both = {"url": deployment.url, "rest": deployment.rest}
    return {door: base for door, base in both.items() if base is not None}


def soon(deployment: Deployment) -> str:
    """How long a revoked key may live on in the gateway's memory."""
    if deployment.key_cache_seconds is None:
        return "within key_cache_seconds of gateway.toml (30 by default)"
    return f"within {deployment.key_cache_seconds:g} s"


def _state(key: ApiKey) -> str:
    told = [_ending(key)]
    if key.replaced_by is not None:
        told.append(f"rotated to {key.replaced_by}")
    return ", ".join(told)


def _ending(key: ApiKey) -> str:
    match status(key):
        case "revoked":
            return f"revoked {when(key.revoked_at)}"
        case "expired":
            return f"expired {when(key.ends_at)}"
    return "active" if key.ends_at is None else f"until {when(key.ends_at)}"


def _models(key: ApiKey) -> str:
    return "all" if key.models is None else ", ".join(key.models)


def _limits(key: ApiKey) -> str:
    given = _given(key.limits)
    period = given.pop("budget_period", None)
    told = [f"{name.replace('_', '-')} {value:,.12g}" for name, value in given.items()]
    return ", ".join(f"{each} a {period}" if "budget" in each else each for each in told) or "none"


def _given(limits: Limits) -> dict[str, Any]:
    given = limits.model_dump(exclude_none=True)
    if limits.budget_usd is None:
        del given["budget_period"]
    return given
