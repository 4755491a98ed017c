"""Who plays each target: the provider where there is a credential, the simulator otherwise."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

type Document = Mapping[str, Any]

ENTRA = ("auth", "entra")  # keys of a target in gateway.toml
SIMULATED = "simulated"  # the simulator's credential: any will do


@dataclass(frozen=True)
class Provider:
    """Where a provider's people look for its credential and its address."""

    credential: str
    address: str
    address_key: str  # of a target in gateway.toml
    path: str  # of its API at the simulator


PROVIDERS = {
    "openai": Provider("OPENAI_API_KEY", "OPENAI_BASE_URL", "base_url", "/v1"),
    "azure": Provider("AZURE_OPENAI_API_KEY", "AZURE_OPENAI_ENDPOINT", "endpoint", ""),
}


@dataclass(frozen=True)
class Cast:
    """The configuration with addresses filled in, and the credentials there are."""

    document: Document
    credentials: Mapping[str, str]  # by target

    @property
    def simulated(self) -> list[str]:
        return [name for name in _targets(self.document) if name not in self.credentials]

    def secrets(self) -> dict[str, str]:
        return {**dict.fromkeys(self.simulated, SIMULATED), **self.credentials}

    def placed(self, simulator: str) -> Document:
        """The configuration as the file says it, with the simulator's address in its parts."""
        return self._with(lambda section: _placed(section, simulator))

    def played(self, simulator: str, scenarios: Iterable[str]) -> Document:
        """The configuration in effect: what the simulator plays, it plays its own way."""
        models = list(scenarios)
        return self._with(lambda section: _keyed(_serving(_placed(section, simulator), models)))

    def _with(self, change: Callable[[Any], Any]) -> Document:
        sections = {
            name: change(section) if name in self.simulated else section
            for name, section in _targets(self.document).items()
        }
        return {**self.document, "targets": sections} if sections else self.document


def cast(document: Document, env: Mapping[str, str]) -> Cast:
    """Find credentials and addresses; what is wrong with the document is for its check to say."""
    targets = _targets(document)
    filled = {name: _addressed(section, env) for name, section in targets.items()}
    found = {name: _credential(name, section, env) for name, section in targets.items()}
    return Cast(
        document={**document, "targets": filled} if targets else document,
        credentials={name: secret for name, secret in found.items() if secret},
    )


def own_variable(target: str) -> str:
    return "ANTIPHON_SECRET_" + target.upper().replace("-", "_")


def _targets(document: Document) -> dict[str, Any]:
    targets = document.get("targets")
    return targets if isinstance(targets, dict) else {}


def _provider(section: object) -> Provider | None:
    named = section.get("provider") if isinstance(section, dict) else None
    return PROVIDERS.get(named) if isinstance(named, str) else None


def _addressed(section: Any, env: Mapping[str, str]) -> Any:
    provider = _provider(section)
    if provider is None or provider.address_key in section or not env.get(provider.address):
        return section
    return {**section, provider.address_key: env[provider.address]}


def _credential(name: str, section: object, env: Mapping[str, str]) -> str | None:
    entra = entra_identity(section)
    if entra == "aws":
        return None
    provider = _provider(section)
    # The provider's key is no secret of an application.
    general = env.get(provider.credential) if provider and entra is None else None
    return env.get(own_variable(name)) or general or None


def entra_identity(section: object) -> str | None:
    """How such a target's token is got, `secret` or `aws`; None where it has a key."""
    if not isinstance(section, dict) or section.get("auth") != "entra":
        return None
    entra = section.get("entra")
    return str(entra.get("identity", "secret")) if isinstance(entra, dict) else "secret"


def _placed(section: Any, simulator: str) -> Any:
    provider = _provider(section)
    if provider is None:
        return section
    return {**section, provider.address_key: simulator + provider.path}


def _serving(section: Any, models: list[str]) -> Any:
    served = section.get("models")
    if isinstance(served, list):
        return {**section, "models": [*dict.fromkeys([*served, "sim-*"])]}
    return {**section, "models": {**served, **{model: model for model in models}}}


def _keyed(section: Any) -> Any:
    """With a key, which the simulator takes: no token is asked for, and Entra hears nothing."""
    return {name: value for name, value in section.items() if name not in ENTRA}
