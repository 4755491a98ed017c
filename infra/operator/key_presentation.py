"""A key as JSON, as a row, as a list of facts; never with the key itself or its hash."""

import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from antiphon.settings.config import Limits
from antiphon.store.keyring import IssuedKey
from antiphon.store.keys import ApiKey
from infra.operator.deployment import Deployment
from infra.operator.output import format_time

COLUMNS = ("id", "tenant", "name", "models", "limits", "created", "state")


def key_status(key: ApiKey) -> str:
    """Return active, expired or revoked."""
    if key.revoked_at is not None:
        return "revoked"
    return "active" if key.is_valid_at(time.time()) else "expired"


def key_to_json(key: ApiKey) -> dict[str, Any]:
    """Times are in epoch seconds; `limits` has only limits that are set."""
    return {
        **asdict(key),
        "models": None if key.models is None else [*key.models],
        "limits": _set_limits(key.limits),
        "status": key_status(key),
    }


def new_key_to_json(issued: IssuedKey, deployment: Deployment) -> dict[str, Any]:
    """Return the only document that contains the key itself."""
    return {"key": issued.secret, **key_to_json(issued.key), **base_urls(deployment)}


def key_to_row(key: ApiKey) -> tuple[str, ...]:
    created, models = format_time(key.created_at), _format_models(key)
    limits, state = _format_limits(key), _format_state(key)
    return (key.id, key.tenant, key.name or "", models, limits, created, state)


def key_to_facts(key: ApiKey) -> Iterator[tuple[str, str]]:
    yield from zip(COLUMNS, key_to_row(key), strict=True)


def base_urls(deployment: Deployment) -> dict[str, str]:
    """Return the base URLs of the enabled endpoints, by `url` and `rest`."""
    both = {"url": deployment.url, "rest": deployment.rest}
    return {name: url for name, url in both.items() if url is not None}


def format_cache_time(deployment: Deployment) -> str:
    """State how long the gateway's cache may still accept a revoked key."""
    if deployment.key_cache_seconds is None:
        return "within key_cache_seconds of gateway.toml (30 by default)"
    return f"within {deployment.key_cache_seconds:g} s"


def _format_state(key: ApiKey) -> str:
    parts = [_format_status(key)]
    if key.replaced_by is not None:
        parts.append(f"rotated to {key.replaced_by}")
    return ", ".join(parts)


def _format_status(key: ApiKey) -> str:
    match key_status(key):
        case "revoked":
            return f"revoked {format_time(key.revoked_at)}"
        case "expired":
            return f"expired {format_time(key.ends_at)}"
    return "active" if key.ends_at is None else f"until {format_time(key.ends_at)}"


def _format_models(key: ApiKey) -> str:
    return "all" if key.models is None else ", ".join(key.models)


def _format_limits(key: ApiKey) -> str:
    limits = _set_limits(key.limits)
    period = limits.pop("budget_period", None)
    target = limits.pop("files_target", None)
    parts = [f"{name.replace('_', '-')} {value:,.12g}" for name, value in limits.items()]
    parts = [f"{part} a {period}" if "budget" in part else part for part in parts]
    parts += [] if target is None else [f"files-target {target}"]
    return ", ".join(parts) or "none"


def _set_limits(limits: Limits) -> dict[str, Any]:
    values = limits.model_dump(exclude_none=True)
    if limits.budget_usd is None:
        del values["budget_period"]
    return values
