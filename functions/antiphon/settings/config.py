"""The settings of a function: its environment, and `gateway.toml`, the one file a user edits.

The file is checked by the stack before a deployment and by each function when it starts. Unknown
keys are errors, and values of a wrong type are not converted.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    ValidationError,
    model_validator,
)

from antiphon.settings.addresses import BaseUrl, Origins, ProxyUrl
from antiphon.settings.config_errors import error_line
from antiphon.settings.policy import Policy, PolicyName
from antiphon.settings.section import (
    Audience,
    ClaimName,
    Count,
    Dollars,
    EventBusName,
    FunctionArn,
    GuardrailName,
    HeaderField,
    HeaderName,
    HeaderText,
    Period,
    Seconds,
    SecretArn,
    Section,
    SharedId,
    TargetName,
    TenantName,
)
from antiphon.settings.targets import Target, matches_pattern


class ConfigError(ValueError):
    """The configuration is wrong; the message names the file, the key and what is expected."""


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
    policy: PolicyName | None = None  # of `[policies]`; that of `[policy]` holds beside it


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


class Events(Section):
    """Where an event is sent when a response or a batch has ended; by default nowhere."""

    # A bus of EventBridge in the stack's Region: `default`, or the ARN of another one.
    bus: EventBusName | None = None


class Webhooks(Section):
    """That tenants may have events sent to endpoints of their own."""

    max_endpoints: int = Field(default=20, ge=1, le=50)  # of each tenant; they are in one row
    retry_hours: int = Field(default=72, ge=1, le=168)  # in which a delivery is tried again
    timeout_seconds: float = Field(default=15, ge=1, le=30)  # of each attempt


class Jwt(Section):
    """The OpenID Connect provider whose tokens are accepted instead of keys.

    https://openid.net/specs/openid-connect-discovery-1_0.html
    """

    issuer: BaseUrl
    audience: Audience
    tenant_claim: ClaimName = "tenant"  # its value is the tenant
    # Whose value lists the models that the caller may call, or patterns of them; None: all.
    models_claim: ClaimName | None = None
    jwks_url: BaseUrl | None = None  # None: as the issuer's discovery document says
    leeway_seconds: float = Field(default=60, ge=0, le=300)  # between its clock and ours


class GuardrailSection(Section):
    """What judges the text of a request before it is sent to a provider; by default nothing."""

    function: FunctionArn | None = None
    bedrock: GuardrailName | None = None
    timeout_seconds: float = Field(default=2, ge=0.1, le=30)
    on_error: Literal["refuse", "allow"] = "refuse"

    @property
    def is_on(self) -> bool:
        return self.function is not None or self.bedrock is not None

    @model_validator(mode="after")
    def _check_one(self) -> Self:
        if self.function is not None and self.bedrock is not None:
            raise ValueError("name either a function or a guardrail of Bedrock")
        return self


class AuthSection(Section):
    """Beside keys, which are always accepted."""

    jwt: Jwt | None = None


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
    events: Events = Events()
    webhooks: Webhooks | None = None  # None: there are none
    auth: AuthSection = AuthSection()
    guardrail: GuardrailSection = GuardrailSection()
    policy: Policy | None = None  # of all requests
    policies: dict[PolicyName, Policy] = Field(default_factory=dict)  # that tenants and keys name
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

    @model_validator(mode="after")
    def _check_guardrail(self) -> Self:
        if self.guardrail.is_on and self.batches.enabled:
            raise ValueError(
                "batches.enabled: a guardrail does not see the requests in the file of a batch, so "
                "batches cannot be enabled with [guardrail]"
            )
        return self

    @model_validator(mode="after")
    def _check_policies(self) -> Self:
        for name, tenant in self.tenants.items():
            if tenant.policy is not None and tenant.policy not in self.policies:
                raise ValueError(f"tenants.{name}.policy: there is no policy '{tenant.policy}'")
        for key, policy in self._named_policies():
            for pattern in policy.targets or ():
                if not any(matches_pattern(pattern, target) for target in self.targets):
                    raise ValueError(f"{key}.targets: no target has a name like '{pattern}'")
        return self

    def _named_policies(self) -> Iterator[tuple[str, Policy]]:
        """Yield all policies, each with its key in the file."""
        if self.policy is not None:
            yield "policy", self.policy
        yield from ((f"policies.{name}", policy) for name, policy in self.policies.items())

    def _default_targets(self) -> Iterator[tuple[str, str]]:
        """Yield the keys of the file that say where files are made, each with its target."""
        named = {"files.default": self.files.default} | {
            f"tenants.{name}.files_target": each.files_target for name, each in self.tenants.items()
        }
        return ((key, target) for key, target in named.items() if target is not None)

    def _check_target(self, key: str, target: str) -> None:
        if target not in self.targets:
            raise ValueError(f"{key}: there is no target '{target}'")

    def reporting_accounts(self) -> dict[str, str]:
        """Return the account of each target whose provider reports ends, to it or to another one.

        Targets of one account have the same responses, so a report to one of them is for all.
        """
        accounts = {
            name: f"{target.provider} {target.shared_account or name}"
            for name, target in self.targets.items()
        }
        reporting = {accounts[name] for name in self.webhook_targets()}
        return {name: account for name, account in accounts.items() if account in reporting}

    def webhook_targets(self) -> list[str]:
        """Return the targets whose provider sends webhooks to the gateway."""
        return [name for name, target in self.targets.items() if target.receives_webhooks]

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
