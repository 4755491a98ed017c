"""What every provider can do, and which provider serves a target. No I/O."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from antiphon.providers.azure import Azure
from antiphon.providers.openai import Address, OpenAI
from antiphon.settings.targets import AzureTarget, BedrockTarget, Capability, Target


class Provider(Protocol):
    """To add a provider is to add one file to this package and a line to `provider_of`."""

    @property
    def is_eventually_consistent(self) -> bool:
        """Whether it may not find for some seconds what it has just finished."""
        ...

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What its API has; a target may have less."""
        ...

    def address(self, path: str, query: str, credential: str) -> Address:
        """Return the URL for a path of the API, and the headers that authorize the request."""
        ...

    def complete_error(self, status: int, body: bytes, headers: Mapping[str, str]) -> bytes:
        """Return an error body with all members that OpenAI's clients read.

        `headers`: those of the provider's answer.
        """
        ...


@dataclass(frozen=True)
class Candidate:
    """One target that may serve a request, and its own name for the model."""

    target: str
    provider: Provider
    model: str | None


def provider_of(target: Target) -> Provider:
    """Return the provider that a configured target uses."""
    if isinstance(target, AzureTarget):
        return Azure(target)
    if isinstance(target, BedrockTarget):
        # Few gateways have such a target, and no other should import it at its start.
        from antiphon.providers.bedrock import Bedrock  # noqa: PLC0415  see above

        return Bedrock(target)
    return OpenAI(target.base_url)
