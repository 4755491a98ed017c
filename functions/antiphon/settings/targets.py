"""The targets in `gateway.toml`: what all have, and what those of each provider have."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from antiphon.settings.addresses import BaseUrl
from antiphon.settings.section import Section

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


def matches_pattern(pattern: str, model: str) -> bool:
    """Whether a model's name equals a pattern, which may contain one `*` for any characters."""
    head, star, tail = pattern.partition("*")
    if not star:
        return pattern == model
    is_long_enough = len(model) >= len(head) + len(tail)
    return is_long_enough and model.startswith(head) and model.endswith(tail)
