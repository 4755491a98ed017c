"""The settings of a function: its environment, and `gateway.toml`, the one file a user edits.

The file is checked by the stack before a deployment and by each function when it starts. Unknown
keys are errors, and values of a wrong type are not converted.
"""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from antiphon.settings.addresses import BaseUrl, Origins, ProxyUrl
from antiphon.settings.config_errors import error_line

# Headers that identify the caller or a credential, or describe one of the two connections.
PRIVATE_HEADERS = re.compile(
    r"(?:.*-)?(?:authorization|authenticate|api-?key|cookie2?|secret|password|credentials?)(?:-.*)?"
    r"|.*client-?ip|x-real-ip|forwarded.*|x-forwarded-.*|via|from|origin|referer|user-agent"
    r"|openai-(?:organization|project)|x-antiphon-.*|cf-.*|cloudfront-.*|x-amz.*|sec-.*|proxy-.*"
    r"|host|connection|keep-alive|te|trailer|transfer-encoding|upgrade|expect|http2-settings"
    r"|(?:content|accept)-encoding|content-length|alt-svc|strict-transport-security"
)
# Versions on Azure's /openai/v1 path; a dated version means the older path.
V1_API_VERSIONS = {"v1", "preview"}


def _check_header(name: str) -> str:
    if PRIVATE_HEADERS.fullmatch(name):
        raise ValueError("identifies a caller, a connection or a credential, and never passes")
    return name


type Period = Literal["day", "month"]

Count = Annotated[int, Field(ge=1)]
Dollars = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Seconds = Annotated[float, Field(gt=0, le=900)]
HeaderName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9!#$%&'+.^_`|~-]+\*?$"),  # RFC 9110, 5.1, and a wildcard
    AfterValidator(_check_header),
]
HeaderField = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,100}$")]
SecretArn = Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:secretsmanager:[!-~]+$")]
HeaderText = Annotated[str, StringConstraints(pattern=r"^[ -~]*$")]
TargetName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
SharedId = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,900}$")]  # as links have them
TenantName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]


class ConfigError(ValueError):
    """The configuration is wrong; the message names the file, the key and what is expected."""


class Section(BaseModel):
    """A table of `gateway.toml`."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Limits(Section):
    """What a key or a tenant may use; None means no limit."""

    rpm: Count | None = None  # requests per minute
    tpm: Count | None = None  # tokens per minute
    streams: Count | None = None  # responses in flight at the same time
    max_body_bytes: Count | None = None
    max_output_tokens: Count | None = None  # every request must then set its own maximum
    budget_usd: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    budget_period: Period = "month"  # calendar days and months, in UTC
    # What may be stored at providers at the same time.
    max_files: Count | None = None
    max_file_bytes: Count | None = None  # all files together
    max_vector_stores: Count | None = None
    max_containers: Count | None = None
    files_target: TargetName | None = None  # where files and stores are made, unless ids decide


UNLIMITED = Limits()


class Rate(Section):
    """US dollars per million tokens; a price that is None is that of `input`."""

    input: Dollars
    cached_input: Dollars | None = None
    cache_write: Dollars | None = None
    output: Dollars


class Price(Rate):
    """What a model costs; `tiers` has the service tiers with other prices, such as flex."""

    tiers: dict[str, Rate] = Field(default_factory=dict)


class TargetSection(Section):
    """What targets of all providers have."""

    models: list[str] | dict[str, str]
    priority: int = Field(default=1, ge=0)
    weight: float = Field(default=1, gt=0)
    account: str | None = None  # targets of one account have the same stored responses
    files: bool = True  # whether it has files, uploads, vector stores, containers and batches
    skills: bool = False

    @property
    def shared_account(self) -> str | None:
        """The account that the target shares with others; None if its account is not known."""
        return self.account

    def upstream_model(self, model: str) -> str | None:
        """Return the target's name for a public model name; None if it does not serve the model."""
        if isinstance(self.models, dict):
            return self.models.get(model)
        return model if any(matches_pattern(glob, model) for glob in self.models) else None

    @model_validator(mode="after")
    def _check_models(self) -> Self:
        if not self.models:
            raise ValueError("models: name at least one model")
        return self


class OpenAITarget(TargetSection):
    """OpenAI, or any provider with the same API at `base_url`."""

    provider: Literal["openai"]
    base_url: BaseUrl = "https://api.openai.com/v1"
    conversations: bool = True
    skills: bool = True


class Entra(Section):
    """How to get a token for an Azure resource from Microsoft Entra ID."""

    tenant_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.-]{1,128}$")]
    client_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,128}$")]
    # `aws`: with a token of the function's own AWS identity, so that Azure holds no secret.
    identity: Literal["secret", "aws"] = "secret"
    scope: str = "https://cognitiveservices.azure.com/.default"
    authority: BaseUrl = "https://login.microsoftonline.com"
    audience: str = "api://AzureADTokenExchange"  # of the AWS token


class AzureTarget(TargetSection):
    """An Azure OpenAI resource; `models` has the deployment for each public model name."""

    provider: Literal["azure"]
    endpoint: BaseUrl
    api_version: str | None = None
    auth: Literal["key", "entra"] = "key"
    entra: Entra | None = None
    conversations: bool = False  # most Azure OpenAI resources answer 404 to /conversations

    @property
    def shared_account(self) -> str | None:
        return self.account or self.endpoint

    def public_models(self, deployment: str) -> tuple[str, ...]:
        """Return the public names of a deployment, whose own name has no case."""
        names = self.models.items() if isinstance(self.models, dict) else ()
        return tuple(name for name, own in names if own.casefold() == deployment.casefold())

    @property
    def is_legacy(self) -> bool:
        """Whether requests go to the older path, where API versions are dates."""
        return self.api_version is not None and self.api_version not in V1_API_VERSIONS

    @model_validator(mode="after")
    def _check_auth(self) -> Self:
        if (self.auth == "entra") != (self.entra is not None):
            raise ValueError(
                'auth = "entra" and entra = { tenant_id = "…", client_id = "…" } go together'
            )
        return self


Target = Annotated[OpenAITarget | AzureTarget, Field(discriminator="provider")]


class Gateway(Section):
    """Options of the gateway as a whole."""

    links_days: int = Field(default=30, ge=1, le=3650)
    conversation_days: int = Field(default=3650, ge=1, le=36_500)  # providers never expire them
    # Metadata keys by which responses can be listed; "*" means all keys.
    metadata_index: list[str] = Field(default=["*"])
    max_body_bytes: int = Field(default=4_500_000, ge=1_000, le=6_000_000)
    # Of one event of a provider's stream; it is in memory as a whole.
    max_event_bytes: int = Field(default=16 * 1024 * 1024, ge=65_536, le=64 * 1024 * 1024)
    # Of a provider's JSON answer, which is in memory as a whole.
    max_answer_bytes: int = Field(default=50_000_000, ge=100_000, le=200_000_000)
    key_cache_seconds: float = Field(default=30, ge=0, le=300)
    table_seconds: Annotated[float, Field(gt=0, le=30)] = 3  # of one request, for DynamoDB
    connect_seconds: Seconds = 5
    first_event_seconds: Seconds = 120  # until the first event of a stream
    idle_seconds: Seconds = 280  # between two events; API Gateway disconnects after 300
    # Seconds for which a stream's first events are held back while they say only that the response
    # exists, so that an overload that follows may go to the next target; 0 passes them at once.
    hold_lifecycle_events: float = Field(default=0, ge=0, le=60)
    # In which an answer at the API Gateway endpoint must begin; it gives up after 300, and a cold
    # start counts.
    rest_answer_seconds: float = Field(default=290, gt=0, lt=300)
    keep_alive_seconds: Seconds = 15  # of silence, after which a comment line is sent
    settle_hours: int = Field(default=24, ge=1, le=720)  # how long a response is polled
    # Output tokens that are reserved for a request that sets no maximum.
    reserve_output_tokens: int = Field(default=8_192, ge=1)
    circuit_failures: int = Field(default=3, ge=1)  # consecutive ones that open a circuit
    circuit_seconds: Seconds = 30  # how long it stays open if the target does not specify a time
    # Headers that pass both ways beside the built-in ones; a name may end with `*`.
    pass_headers: list[HeaderName] = Field(default=[])
    # Origins of the pages whose scripts may call the gateway, such as https://app.example.com.
    cors_origins: Origins = Field(default=[])
    # For requests to https addresses of providers; by default HTTPS_PROXY of the environment.
    proxy: ProxyUrl | None = None
    # How long a provider may answer 404 for a response that it has just completed.
    read_after_write_seconds: float = Field(default=35, ge=0, le=120)


class Files(Section):
    """Where files, vector stores and the like are made."""

    default: TargetName | None = None  # None: the first target by priority that has them


class Batches(Section):
    """Whether tenants may make batches of responses."""

    enabled: bool = False


class Shared(Section):
    """Who may use and read an object that was made outside of the gateway."""

    tenants: list[TenantName] | None = None  # None: all
    target: TargetName | None = None  # that holds it; required where there are several targets

    def includes(self, tenant: str) -> bool:
        return self.tenants is None or tenant in self.tenants


class Telemetry(Section):
    """Where a span of each response is sent; by default nowhere."""

    otlp_endpoint: BaseUrl | None = None  # of OTLP over HTTP; spans go to its path /v1/traces
    headers: dict[HeaderField, HeaderText] = Field(default_factory=dict)  # that are no secrets
    # ARN of a secret with a JSON object of more headers, such as the collector's key.
    headers_secret: SecretArn | None = None
    service_name: str = Field(default="antiphon", min_length=1)


class Config(Section):
    """The whole of `gateway.toml`."""

    gateway: Gateway = Gateway()
    targets: dict[TargetName, Target] = Field(min_length=1)
    # What all keys of a tenant may use together.
    tenants: dict[TenantName, Limits] = Field(default_factory=dict)
    # By model; they take precedence over the built-in price list.
    prices: dict[str, Price] = Field(default_factory=dict)
    files: Files = Files()
    batches: Batches = Batches()
    telemetry: Telemetry = Telemetry()
    # By id: prompts, tunnels, files and stores that were made outside of the gateway.
    shared: dict[SharedId, Shared] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check_target_names(self) -> Self:
        for key, target in self._default_targets():
            self._check_target(key, target)
            if not self.targets[target].files:
                raise ValueError(f"{key}: target '{target}' has files = false")
        for id, shared in self.shared.items():
            key = f"shared.{id}.target"
            if shared.target is not None:
                self._check_target(key, shared.target)
            elif len(self.targets) > 1:
                raise ValueError(f"{key}: name the target that has it, since there are several")
        return self

    def _default_targets(self) -> Iterator[tuple[str, str]]:
        """Yield the keys of the file that say where files are made, each with its target."""
        named = {"files.default": self.files.default} | {
            f"tenants.{name}.files_target": each.files_target for name, each in self.tenants.items()
        }
        return ((key, target) for key, target in named.items() if target is not None)

    def _check_target(self, key: str, target: str) -> None:
        if target not in self.targets:
            raise ValueError(f"{key}: there is no target '{target}'")

    def shared_objects(self) -> dict[str, Shared]:
        """Return what is shared, each with the target that holds it."""
        only = next(iter(self.targets))
        return {
            id: each.model_copy(update={"target": each.target or only})
            for id, each in self.shared.items()
        }


@dataclass(frozen=True)
class Settings:
    """The names of the stack's resources, and the validated `gateway.toml`."""

    table_name: str
    secrets: Mapping[str, str]  # ARN by target; empty for functions that call no targets
    queue_url: str  # of deferred work; empty for functions that defer nothing
    config: Config

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Read CONFIG_FILE, by default `gateway.toml` in the function's folder.

        Raise KeyError with a missing name, ConfigError with the wrong key of `gateway.toml`.
        """
        default_file = Path(env.get("LAMBDA_TASK_ROOT", "."), "gateway.toml")
        return cls(
            table_name=env["TABLE_NAME"],
            secrets=json.loads(env.get("TARGET_SECRETS", "{}")),
            queue_url=env.get("QUEUE_URL", ""),
            config=load_config(Path(env.get("CONFIG_FILE", default_file))),
        )


def matches_pattern(pattern: str, model: str) -> bool:
    """Whether a model's name equals a pattern, which may contain one `*` for any characters."""
    head, star, tail = pattern.partition("*")
    if not star:
        return pattern == model
    is_long_enough = len(model) >= len(head) + len(tail)
    return is_long_enough and model.startswith(head) and model.endswith(tail)


def load_config(path: Path) -> Config:
    """Read and check a TOML or JSON file; raise ConfigError with the file, key and expectation."""
    return parse_config(read_config(path), path.name)


def read_config(path: Path) -> dict[str, Any]:
    """Read a TOML or JSON file without checking its keys; raise ConfigError."""
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
        schema = Config.model_json_schema()
        lines = [error_line(source, dict(error), schema) for error in exc.errors()]
        raise ConfigError("\n".join(lines)) from exc
