"""`gateway.toml`: the one file a user edits, checked at synth and at start."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, StringConstraints, ValidationError

from antiphon.settings.limits import Limits, Price
from antiphon.settings.section import Section
from antiphon.settings.targets import Target, TargetName


class ConfigError(ValueError):
    """The configuration is wrong; the message names the file, the key and what is expected."""


TenantName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
Seconds = Annotated[float, Field(gt=0, le=900)]


class Gateway(Section):
    """Limits that hold for every target."""

    links_days: int = Field(default=30, ge=1, le=3650)
    conversation_days: int = Field(default=3650, ge=1, le=36_500)  # providers let none expire
    # Keys of metadata that responses can be searched by; "*" is every key.
    metadata_index: list[str] = Field(default=["*"])
    max_body_bytes: int = Field(default=4_500_000, ge=1_000, le=6_000_000)
    key_cache_seconds: float = Field(default=30, ge=0, le=300)
    connect_seconds: Seconds = 5
    first_event_seconds: Seconds = 120  # until a stream's first event
    idle_seconds: Seconds = 280  # between two events; API Gateway hangs up after 300
    keep_alive_seconds: Seconds = 15  # of silence until a comment line is sent
    settle_hours: int = Field(default=24, ge=1, le=720)  # an unfinished response is asked after
    # Output tokens that count, until the true figure is known, where a request sets no limit.
    reserve_output_tokens: int = Field(default=8_192, ge=1)
    circuit_failures: int = Field(default=3, ge=1)  # in a row, until a target is spared
    circuit_seconds: Seconds = 30  # for which it is, where it does not say itself
    read_after_write_seconds: float = Field(default=35, ge=0, le=120)  # see relay.lag


class Config(Section):
    gateway: Gateway = Gateway()
    targets: dict[TargetName, Target] = Field(min_length=1)
    # What all keys of a tenant may use together.
    tenants: dict[TenantName, Limits] = Field(default_factory=dict)
    # By model; they go before the price list's own.
    prices: dict[str, Price] = Field(default_factory=dict)


def load(path: Path) -> Config:
    """Read a TOML (or JSON) file; raise ConfigError that names file, key and expectation."""
    return parse(read(path), path.name)


def read(path: Path) -> dict[str, Any]:
    """Read the file without judging its keys."""
    try:
        text = path.read_text("utf-8")
        document: dict[str, Any] = (json if path.suffix == ".json" else tomllib).loads(text)
    except FileNotFoundError as exc:
        raise ConfigError(f"{path}: there is no such file.") from exc
    except ValueError as exc:
        raise ConfigError(f"{path.name}: {exc}") from exc
    return document


def parse(document: Mapping[str, Any], source: str = "gateway.toml") -> Config:
    """Check a configuration; raise ConfigError with one line for each wrong key."""
    try:
        return Config.model_validate(document)
    except ValidationError as exc:
        raise ConfigError("\n".join(_line(source, error) for error in exc.errors())) from exc


def _line(source: str, error: Any) -> str:
    key = ".".join(str(part) for n, part in enumerate(error["loc"]) if not _is_branch(n, part))
    return f"{source}: {key or 'the file'}: {error['msg'].removeprefix('Value error, ')}"


def _is_branch(place: int, part: object) -> bool:
    """Whether a step of pydantic's path names a union's branch and no key of the file."""
    behind_target = place == 2 and part in ("openai", "azure")  # noqa: PLR2004  targets, its name
    return behind_target or part in ("list[str]", "dict[str,str]", "[key]")
