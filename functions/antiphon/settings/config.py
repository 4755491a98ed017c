"""`gateway.toml`: the one file a user edits, checked at synth and at start."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
V1_API_VERSIONS = {"v1", "preview"}  # the GA path takes these; a dated one means the legacy path


class ConfigError(ValueError):
    """The configuration is wrong; the message names the file, the key and what is expected."""


def _address(url: str) -> str:
    parts = urlsplit(url)
    if not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError("must be an address such as https://host/path, without query or user")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise ValueError("must begin with https:// (plain http is for loopback addresses only)")
    return url.rstrip("/")


Address = Annotated[str, AfterValidator(_address)]
Seconds = Annotated[float, Field(gt=0, le=900)]
TargetName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Gateway(Section):
    """Limits that hold for every target."""

    links_days: int = Field(default=30, ge=1, le=3650)
    conversation_days: int = Field(default=3650, ge=1, le=36_500)  # providers let none expire
    metadata_index: list[str] = ["*"]  # keys that responses can be searched by; "*" is every key
    max_body_bytes: int = Field(default=4_500_000, ge=1_000, le=6_000_000)
    key_cache_seconds: float = Field(default=30, ge=0, le=300)
    connect_seconds: Seconds = 5
    first_event_seconds: Seconds = 120  # until a stream's first event
    idle_seconds: Seconds = 280  # between two events; API Gateway hangs up after 300
    keep_alive_seconds: Seconds = 15  # of silence until a comment line is sent
    settle_hours: int = Field(default=24, ge=1, le=720)  # an unfinished response is asked after


class TargetSection(Section):
    models: list[str] | dict[str, str]
    priority: int = Field(default=1, ge=0)
    weight: float = Field(default=1, gt=0)

    def upstream_model(self, model: str) -> str | None:
        """The name this target has for a public model name; None where it does not serve it."""
        if isinstance(self.models, dict):
            return self.models.get(model)
        return model if any(_fits(glob, model) for glob in self.models) else None

    @model_validator(mode="after")
    def _serves_something(self) -> Self:
        if not self.models:
            raise ValueError("models: name at least one model")
        return self


def _fits(glob: str, model: str) -> bool:
    head, star, tail = glob.partition("*")
    if not star:
        return glob == model
    long_enough = len(model) >= len(head) + len(tail)
    return long_enough and model.startswith(head) and model.endswith(tail)


class OpenAITarget(TargetSection):
    """OpenAI, or any provider that speaks its dialect at `base_url`."""

    provider: Literal["openai"]
    base_url: Address = "https://api.openai.com/v1"
    conversations: bool = True


class AzureTarget(TargetSection):
    """An Azure OpenAI resource; `models` gives the deployment for each public name."""

    provider: Literal["azure"]
    endpoint: Address
    api_version: str | None = None
    auth: Literal["key"] = "key"
    conversations: bool = False  # ordinary Azure OpenAI resources answer 404 there

    @property
    def legacy(self) -> bool:
        return self.api_version is not None and self.api_version not in V1_API_VERSIONS


Target = Annotated[OpenAITarget | AzureTarget, Field(discriminator="provider")]


class Config(Section):
    gateway: Gateway = Gateway()
    targets: dict[TargetName, Target] = Field(min_length=1)


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
