"""What every section of `gateway.toml` has in common: no key but the known ones, no guessing.

How much a key or a tenant may use, and what tokens cost where the price list does not know.

The targets of `gateway.toml`: where requests may go.

`gateway.toml`: the one file a user edits, checked at synth and at start.

What the deployment promises the code: the environment, the configuration, the table's shape.
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
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


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


type Period = Literal["day", "month"]

Count = Annotated[int, Field(ge=1)]
Dollars = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Limits(Section):
    """What is None is without a limit."""

    rpm: Count | None = None  # requests a minute
    tpm: Count | None = None  # tokens a minute
    streams: Count | None = None  # responses in flight at once
    max_body_bytes: Count | None = None
    max_output_tokens: Count | None = None  # that a request may ask for, and has to say then
    budget_usd: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    budget_period: Period = "month"  # calendar days and months, in UTC


UNLIMITED = Limits()


class Rate(Section):
    """US dollars for a million tokens."""

    input: Dollars
    cached_input: Dollars | None = None  # None: as `input`
    cache_write: Dollars | None = None  # the same
    output: Dollars


class Price(Rate):
    """What a model costs, and what it costs at service tiers with a price of their own."""

    tiers: dict[str, Rate] = Field(default_factory=dict)  # by their names: flex, priority, …


LOOPBACK = {"localhost", "127.0.0.1", "::1"}
V1_API_VERSIONS = {"v1", "preview"}  # the GA path takes these; a dated one means the legacy path


def _check_address(url: str) -> str:
    parts = urlsplit(url)
    if not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError("must be an address such as https://host/path, without query or user")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise ValueError("must begin with https:// (plain http is for loopback addresses only)")
    return url.rstrip("/")


BaseUrl = Annotated[str, AfterValidator(_check_address)]
TargetName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]


class TargetSection(Section):
    models: list[str] | dict[str, str]
    priority: int = Field(default=1, ge=0)
    weight: float = Field(default=1, gt=0)
    account: str | None = None  # targets of one account hold the same stored responses

    @property
    def shared_account(self) -> str | None:
        """What targets of one account have in common; None for a target by itself."""
        return self.account

    def upstream_model(self, model: str) -> str | None:
        """The name this target has for a public model name; None where it does not serve it."""
        if isinstance(self.models, dict):
            return self.models.get(model)
        return model if any(matches_pattern(glob, model) for glob in self.models) else None

    @model_validator(mode="after")
    def _serves_something(self) -> Self:
        if not self.models:
            raise ValueError("models: name at least one model")
        return self


def matches_pattern(glob: str, model: str) -> bool:
    """Whether a model's name is the one given, or one of a pattern with a single `*`."""
    head, star, tail = glob.partition("*")
    if not star:
        return glob == model
    long_enough = len(model) >= len(head) + len(tail)
    return long_enough and model.startswith(head) and model.endswith(tail)


class OpenAITarget(TargetSection):
    """OpenAI, or any provider that speaks its dialect at `base_url`."""

    provider: Literal["openai"]
    base_url: BaseUrl = "https://api.openai.com/v1"
    conversations: bool = True


class Entra(Section):
    """How a token for an Azure resource is got from Microsoft Entra ID."""

    tenant_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.-]{1,128}$")]
    client_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,128}$")]
    # `aws`: by a token of the function's own AWS identity, so that there is no secret in Azure.
    identity: Literal["secret", "aws"] = "secret"
    scope: str = "https://cognitiveservices.azure.com/.default"
    authority: BaseUrl = "https://login.microsoftonline.com"
    audience: str = "api://AzureADTokenExchange"  # of the AWS token


class AzureTarget(TargetSection):
    """An Azure OpenAI resource; `models` gives the deployment for each public name."""

    provider: Literal["azure"]
    endpoint: BaseUrl
    api_version: str | None = None
    auth: Literal["key", "entra"] = "key"
    entra: Entra | None = None
    conversations: bool = False  # ordinary Azure OpenAI resources answer 404 there

    @model_validator(mode="after")
    def _says_how(self) -> Self:
        if (self.auth == "entra") != (self.entra is not None):
            raise ValueError(
                'auth = "entra" and entra = { tenant_id = "…", client_id = "…" } go together'
            )
        return self

    @property
    def shared_account(self) -> str | None:
        return self.account or self.endpoint

    @property
    def legacy(self) -> bool:
        return self.api_version is not None and self.api_version not in V1_API_VERSIONS


Target = Annotated[OpenAITarget | AzureTarget, Field(discriminator="provider")]


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


def load_config(path: Path) -> Config:
    """Read a TOML (or JSON) file; raise ConfigError that names file, key and expectation."""
    return parse_config(read_config(path), path.name)


def read_config(path: Path) -> dict[str, Any]:
    """Read the file without judging its keys."""
    try:
        text = path.read_text("utf-8")
        document: dict[str, Any] = (json if path.suffix == ".json" else tomllib).loads(text)
    except FileNotFoundError as exc:
        raise ConfigError(f"{path}: there is no such file.") from exc
    except ValueError as exc:
        raise ConfigError(f"{path.name}: {exc}") from exc
    return document


def parse_config(document: Mapping[str, Any], source: str = "gateway.toml") -> Config:
    """Check a configuration; raise ConfigError with one line for each wrong key."""
    try:
        return Config.model_validate(document)
    except ValidationError as exc:
        raise ConfigError("\n".join(_error_line(source, error) for error in exc.errors())) from exc


def _error_line(source: str, error: Any) -> str:
    key = ".".join(
        str(part) for n, part in enumerate(error["loc"]) if not _is_union_branch(n, part)
    )
    return f"{source}: {key or 'the file'}: {error['msg'].removeprefix('Value error, ')}"


def _is_union_branch(place: int, part: object) -> bool:
    """Whether a step of pydantic's path names a union's branch and no key of the file."""
    behind_target = place == 2 and part in ("openai", "azure")  # noqa: PLR2004  targets, its name
    return behind_target or part in ("list[str]", "dict[str,str]", "[key]")


@dataclass(frozen=True)
class Settings:
    """Names of what the stack made, and the validated `gateway.toml`."""

    table_name: str
    secret_prefix: str  # the credential of target `east` is the secret `{secret_prefix}/east`
    queue_url: str  # of what is to be done later: deferred rows, unfinished responses
    config: Config

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Raise KeyError with the missing name, ConfigError with the wrong key of gateway.toml."""
        beside = Path(env.get("LAMBDA_TASK_ROOT", "."), "gateway.toml")
        return cls(
            table_name=env["TABLE_NAME"],
            secret_prefix=env["SECRET_PREFIX"],
            queue_url=env.get("QUEUE_URL", ""),  # not every function defers
            config=load_config(Path(env.get("CONFIG_FILE", beside))),
        )
