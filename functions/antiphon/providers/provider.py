"""How a provider is spoken to: pure values, no I/O. Adding one is adding a file here."""

from dataclasses import dataclass
from typing import Protocol

from antiphon.providers.azure import Azure
from antiphon.providers.openai import Address, OpenAI
from antiphon.settings.config import AzureTarget, Target


class Provider(Protocol):
    @property
    def lags(self) -> bool:
        """Whether it may not know for a moment what it has just finished."""
        ...

    def address(self, path: str, query: str, credential: str) -> Address: ...

    def complete(self, status: int, body: bytes) -> bytes:
        """Give an error what OpenAI's clients look for in it."""
        ...


@dataclass(frozen=True)
class Candidate:
    """One target to try, and the name it has for the model."""

    target: str
    provider: Provider
    model: str | None


def provider_of(target: Target) -> Provider:
    """The provider that a configured target is."""
    if isinstance(target, AzureTarget):
        return Azure(target)
    return OpenAI(target.base_url)
