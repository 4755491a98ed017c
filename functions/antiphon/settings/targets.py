"""The targets of `gateway.toml`: where requests may go."""

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from antiphon.settings.section import Section

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
V1_API_VERSIONS = {"v1", "preview"}  # the GA path takes these; a dated one means the legacy path


def _address(url: str) -> str:
    parts = urlsplit(url)
    if not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError("must be an address such as https://host/path, without query or user")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise ValueError("must begin with https:// (plain http is for loopback addresses only)")
    return url.rstrip("/")


Address = Annotated[str, AfterValidator(_address)]
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
        return model if any(fits(glob, model) for glob in self.models) else None

    @model_validator(mode="after")
    def _serves_something(self) -> Self:
        if not self.models:
            raise ValueError("models: name at least one model")
        return self


def fits(glob: str, model: str) -> bool:
    """Whether a model's name is the one given, or one of a pattern with a single `*`."""
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


class Entra(Section):
    """How a token for an Azure resource is got from Microsoft Entra ID."""

    tenant_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.-]{1,128}$")]
    client_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,128}$")]
    # `aws`: by a token of the function's own AWS identity, so that there is no secret in Azure.
    identity: Literal["secret", "aws"] = "secret"
    scope: str = "https://cognitiveservices.azure.com/.default"
    authority: Address = "https://login.microsoftonline.com"
    audience: str = "api://AzureADTokenExchange"  # of the AWS token


class AzureTarget(TargetSection):
    """An Azure OpenAI resource; `models` gives the deployment for each public name."""

    provider: Literal["azure"]
    endpoint: Address
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
