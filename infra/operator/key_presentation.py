"""A key as JSON, as a row, as a list of facts; never with the key itself or its hash."""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import click

from antiphon.settings.config import UNLIMITED, Limits
from antiphon.store.keyring import IssuedKey
from antiphon.store.keys import ApiKey
from infra.operator.deployment import Deployment
from infra.operator.key_settings import KeySettings
from infra.operator.output import format_day, format_time, print_rows

COLUMNS = ("id", "tenant", "name", "models", "limits", "state")  # of the list
HEADING = ("id", "tenant", "state")  # of a key in a terminal that is too narrow for the columns
CHANGE_COLUMNS = ("changed", "what", "by")


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
        "limits": set_limits(key.limits),
        "status": key_status(key),
    }


def new_key_to_json(issued: IssuedKey, deployment: Deployment) -> dict[str, Any]:
    """Return the only document that contains the key itself."""
    return {"key": issued.secret, **key_to_json(issued.key), **base_urls(deployment)}


def tenant_limits_to_json(key: ApiKey, settings: KeySettings | None) -> dict[str, Any]:
    """Return the limits that all keys of the tenant share; None if they are unknown."""
    limits = None if settings is None else set_limits(settings.limits_of(key.tenant))
    return {"tenant_limits": limits}


def key_to_row(key: ApiKey, settings: KeySettings | None) -> tuple[str, ...]:
    """Return what a list has; it is short, so that it fits a terminal."""
    limits, state = _format_sources(key, settings), _format_status(key, format_day)
    rotated = "" if key.replaced_by is None else ", rotated"
    return (key.id, key.tenant, key.name or "", _format_models(key), limits, state + rotated)


def key_to_facts(key: ApiKey, settings: KeySettings | None) -> Iterator[tuple[str, str]]:
    yield from zip(COLUMNS[:-1], key_to_row(key, settings)[:-1], strict=True)
    yield "created", format_time(key.created_at)
    rotated = "" if key.replaced_by is None else f", rotated to {key.replaced_by}"
    yield "state", _format_status(key, format_time) + rotated


def print_changes(key: ApiKey) -> None:
    """Print who changed a key, and when; older versions recorded nothing."""
    if key.changes:
        click.echo()
        rows = [(format_time(each.at), each.what, each.by) for each in key.changes]
        print_rows(CHANGE_COLUMNS, rows)


def base_urls(deployment: Deployment) -> dict[str, str]:
    """Return the base URLs of the enabled endpoints, by `url` and `rest`."""
    both = {"url": deployment.url, "rest": deployment.rest}
    return {name: url for name, url in both.items() if url is not None}


def format_cache_time(deployment: Deployment) -> str:
    """State how long the gateway's cache may still accept a revoked key."""
    if deployment.key_cache_seconds is None:
        return "within key_cache_seconds of gateway.toml (30 by default)"
    return f"within {deployment.key_cache_seconds:g} s"


def _format_status(key: ApiKey, format: Callable[[int | None], str]) -> str:
    match key_status(key):
        case "revoked":
            return f"revoked {format(key.revoked_at)}"
        case "expired":
            return f"expired {format(key.ends_at)}"
    return "active" if key.ends_at is None else f"until {format(key.ends_at)}"


def _format_models(key: ApiKey) -> str:
    return "all" if key.models is None else ", ".join(key.models)


def _format_sources(key: ApiKey, settings: KeySettings | None) -> str:
    """State the limits of the key and of its tenant, each after where it comes from."""
    tenant = UNLIMITED if settings is None else settings.limits_of(key.tenant)
    sources = {"key": key.limits, "tenant": tenant}
    parts = [
        f"{name}: {_format_limits(each)}" for name, each in sources.items() if set_limits(each)
    ]
    return "; ".join(parts) or "none"


def _format_limits(limits_: Limits) -> str:
    limits = set_limits(limits_)
    period = limits.pop("budget_period", None)
    names = {name: limits.pop(name, None) for name in ("files_target", "policy")}
    parts = [f"{name.replace('_', '-')} {value:,.12g}" for name, value in limits.items()]
    parts = [f"{part} a {period}" if "budget" in part else part for part in parts]
    named = [f"{name.replace('_', '-')} {value}" for name, value in names.items() if value]
    return ", ".join(parts + named)


def set_limits(limits: Limits) -> dict[str, Any]:
    values = limits.model_dump(exclude_none=True)
    if limits.budget_usd is None:
        del values["budget_period"]
    return values
