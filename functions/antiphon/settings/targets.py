"""The targets in `gateway.toml`: what all have, and what those of each provider have."""

import re
from typing import Annotated, Literal, Self, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from antiphon.settings.addresses import BaseUrl
from antiphon.settings.section import Audience, AwsRegion, Section

OpenAIId = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,200}$")]  # of no documented form

# What a target may serve beyond a plain create, streamed or not.
type Capability = Literal[
    "background",
    "retrieve",
    "resume",
    "delete",
    "input_items",
    "input_tokens",
    "compact",
    "conversations",
    "files",
    "uploads",
    "vector_stores",
    "containers",
    "batches",
    "skills",
]

EVERYTHING: frozenset[Capability] = frozenset(get_args(Capability.__value__))
OF_FILES: frozenset[Capability] = frozenset(
    {"files", "uploads", "vector_stores", "containers", "batches"}
)

WEBHOOK_SUFFIX = ".webhook"
# Versions on Azure's /openai/v1 path; a dated version means the older path.
V1_API_VERSIONS = {"v1", "preview"}


class TargetSection(Section):
    """What targets of all providers have."""

    models: list[str] | dict[str, str]
    priority: int = Field(default=1, ge=0)
    weight: float = Field(default=1, gt=0)
    account: str | None = None  # targets of one account have the same stored responses
    files: bool = True  # whether it has files, uploads, vector stores, containers and batches
    skills: bool = False
    conversations: bool = True
    without: list[Capability] = Field(default=[])  # more that its provider serves, but it does not
    # Whether its provider reports ends of background responses and batches, at /webhooks/TARGET.
    receives_webhooks: bool = False

    @property
    def identity_audience(self) -> str | None:
        """The audience of the AWS token in place of a secret; None: the target has a secret."""
        return None

    @property
    def has_secret(self) -> bool:
        """Whether the gateway needs a secret for the target."""
        return self.identity_audience is None

    @property
    def lists_models(self) -> bool:
        """Whether its API has a list of its models."""
        return True

    @property
    def excluded(self) -> frozenset[Capability]:
        """What the target does not serve, whatever its provider does."""
        of_flags: list[tuple[bool, frozenset[Capability]]] = [
            (self.files, OF_FILES),
            (self.skills, frozenset({"skills"})),
            (self.conversations, frozenset({"conversations"})),
        ]
        return frozenset(self.without).union(*(parts for is_on, parts in of_flags if not is_on))

    @property
    def shared_account(self) -> str | None:
        """The account that the target shares with others; None if its account is not known."""
        return self.account

    def upstream_model(self, model: str) -> str | None:
        """Return the target's name for a public model name; None if it does not serve the model."""
        if isinstance(self.models, dict):
            return self.models.get(model)
        return model if any(matches_pattern(glob, model) for glob in self.models) else None

    def public_models(self, own: str) -> tuple[str, ...]:
        """Return the public names of a model that is named as the target itself does."""
        return (own,) if self.upstream_model(own) == own else ()

    @model_validator(mode="after")
    def _check_models(self) -> Self:
        if not self.models:
            raise ValueError("models: name at least one model")
        return self


class WorkloadIdentity(Section):
    """How to get a token from OpenAI for the functions' own AWS identity."""

    identity_provider_id: OpenAIId
    service_account_id: OpenAIId
    audience: Audience = "https://api.openai.com/v1"  # of the AWS token
    token_url: BaseUrl = "https://auth.openai.com/oauth/token"  # noqa: S105  no password


class OpenAITarget(TargetSection):
    """OpenAI, or any provider with the same API at `base_url`."""

    provider: Literal["openai"]
    base_url: BaseUrl = "https://api.openai.com/v1"
    skills: bool = True
    auth: Literal["key", "workload_identity"] = "key"
    workload_identity: WorkloadIdentity | None = None

    @property
    def address(self) -> str:
        return self.base_url

    @property
    def identity_audience(self) -> str | None:
        identity = self.workload_identity
        return None if identity is None else identity.audience

    @model_validator(mode="after")
    def _check_auth(self) -> Self:
        if (self.auth == "workload_identity") != (self.workload_identity is not None):
            raise ValueError(
                'auth = "workload_identity" and workload_identity = { identity_provider_id = "…", '
                'service_account_id = "…" } go together'
            )
        return self


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

    @property
    def address(self) -> str:
        return self.endpoint

    @property
    def identity_audience(self) -> str | None:
        entra = self.entra
        return entra.audience if entra is not None and entra.identity == "aws" else None

    def public_models(self, own: str) -> tuple[str, ...]:
        """Return the public names of a deployment, whose own name has no case."""
        if not isinstance(self.models, dict):
            return super().public_models(own)
        deployment = own.casefold()
        return tuple(name for name, each in self.models.items() if each.casefold() == deployment)

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


# What Bedrock may serve beyond a create. Its pages do not say it of each model and address.
type BedrockCapability = Literal[
    "background", "retrieve", "resume", "delete", "input_items", "input_tokens", "compact"
]
BEDROCK_HOSTS = {
    "runtime": "bedrock-runtime.{region}.amazonaws.com",
    "mantle": "bedrock-mantle.{region}.api.aws",
}
BEDROCK_PATHS = {"runtime": "/openai/v1", "mantle": "/v1"}
OTHER_PARTITIONS = ("cn-", "eu-isoe-", "eusc-", "us-iso")  # whose hosts end otherwise
# Nothing that is encoded in one way to be sent, and in another one to be signed.
SIGNED_PATH = re.compile(r"(?:/[A-Za-z0-9._~-]+)*")


def _check_signed_address(url: str) -> str:
    if not SIGNED_PATH.fullmatch(urlsplit(url).path):
        raise ValueError("its path may only have letters, digits, '-', '.', '_' and '~'")
    return url


class BedrockTarget(TargetSection):
    """Amazon Bedrock with OpenAI's API; the AWS role of the functions signs each request.

    https://docs.aws.amazon.com/bedrock/latest/userguide/inference-responses-api.html
    """

    provider: Literal["bedrock"]
    region: AwsRegion
    endpoint: Literal["runtime", "mantle"] = "runtime"
    base_url: Annotated[BaseUrl, AfterValidator(_check_signed_address)] | None = None
    serves: list[BedrockCapability] = Field(default=[])  # beyond a create, which all serve

    @property
    def address(self) -> str:
        host = BEDROCK_HOSTS[self.endpoint].format(region=self.region)
        return self.base_url or f"https://{host}{BEDROCK_PATHS[self.endpoint]}"

    @property
    def service(self) -> str:
        """The name of the service in signatures."""
        return "bedrock" if self.endpoint == "runtime" else "bedrock-mantle"

    @property
    def has_secret(self) -> bool:
        return False

    @property
    def lists_models(self) -> bool:
        return False

    @property
    def shared_account(self) -> str | None:
        return self.account or self.address

    @model_validator(mode="after")
    def _check_serves(self) -> Self:
        useless = self.model_fields_set & {"files", "skills", "conversations", "without"}
        if useless:
            raise ValueError(
                f"{', '.join(sorted(useless))}: a target of Bedrock serves a create, and beyond it "
                "only what 'serves' names; leave it out"
            )
        if "background" in self.serves:
            self._check_background()
        return self

    def _check_background(self) -> None:
        if self.endpoint == "runtime":
            raise ValueError(
                'serves: endpoint = "runtime" has no background responses; "mantle" has them'
            )
        if "retrieve" not in self.serves:
            raise ValueError('serves: "background" needs "retrieve", which reads their results')

    @model_validator(mode="after")
    def _check_partition(self) -> Self:
        if self.base_url is None and self.region.startswith(OTHER_PARTITIONS):
            raise ValueError("base_url: give the address that Bedrock has in this region")
        return self


Target = Annotated[OpenAITarget | AzureTarget | BedrockTarget, Field(discriminator="provider")]


def webhook_secret_name(target: str) -> str:
    """Return under which name the target's webhook secret is; no target has such a name."""
    return f"{target}{WEBHOOK_SUFFIX}"


def matches_pattern(pattern: str, model: str) -> bool:
    """Whether a model's name equals a pattern, which may contain one `*` for any characters."""
    head, star, tail = pattern.partition("*")
    if not star:
        return pattern == model
    is_long_enough = len(model) >= len(head) + len(tail)
    return is_long_enough and model.startswith(head) and model.endswith(tail)
