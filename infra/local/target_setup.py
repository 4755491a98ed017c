"""Decides which targets a local gateway calls at their provider, and which it simulates.

A target with a credential in the environment is called; the simulator stands in for the others.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from antiphon.settings import config
from antiphon.settings.targets import webhook_secret_name

type Document = Mapping[str, Any]

AWS_VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
TOKEN_KEYS = ("auth", "entra", "workload_identity")  # of a target in gateway.toml
WEBHOOK_KEY = "receives_webhooks"
SIMULATOR_CREDENTIAL = "simulated"  # the simulator accepts any
NO_SIMULATOR = "http://127.0.0.1"  # stands for the simulator's address where none runs


@dataclass(frozen=True)
class Provider:
    """The provider's own environment variables, and the simulator's path for its API."""

    credential: str
    address: str
    address_key: str  # of a target in gateway.toml
    path: str
    secret_of_credential: str | None = (
        None  # for a pair of variables, with which requests are signed
    )


PROVIDERS = {
    "openai": Provider("OPENAI_API_KEY", "OPENAI_BASE_URL", "base_url", "/v1"),
    "azure": Provider("AZURE_OPENAI_API_KEY", "AZURE_OPENAI_ENDPOINT", "endpoint", ""),
    "bedrock": Provider(
        "AWS_ACCESS_KEY_ID",
        "AWS_BEDROCK_BASE_URL",
        "base_url",
        "/bedrock",
        secret_of_credential="AWS_SECRET_ACCESS_KEY",  # noqa: S106  a variable's name
    ),
}


@dataclass(frozen=True)
class TargetSetup:
    """The configuration with addresses from the environment, and the credentials found there."""

    document: Document
    credentials: Mapping[str, str]  # by target
    # The variables that sign the requests to targets that are called.
    signing: Mapping[str, str] = field(default_factory=dict)
    webhook_secrets: Mapping[str, str] = field(default_factory=dict)  # by the secret's name

    @property
    def simulated(self) -> list[str]:
        """The targets without a credential."""
        return [name for name in _targets(self.document) if name not in self.credentials]

    def secrets(self) -> dict[str, str]:
        """The secrets of all targets, for Secrets Manager."""
        simulated = dict.fromkeys(self.simulated, SIMULATOR_CREDENTIAL)
        return {**simulated, **self.credentials, **self.webhook_secrets}

    def with_simulator_address(self, simulator: str) -> Document:
        """The file's configuration, where simulated targets have the simulator's address."""
        return self._change_simulated(lambda section: _set_address(section, simulator))

    def simulate(self, simulator: str, models: Iterable[str]) -> Document:
        """The effective configuration: simulated targets also serve the simulator's models."""
        served = list(models)
        return self._change_simulated(
            lambda section: _simplify(_add_models(_set_address(section, simulator), served))
        )

    def _change_simulated(self, change: Callable[[Any], Any]) -> Document:
        sections = {
            name: change(section) if name in self.simulated else section
            for name, section in _targets(self.document).items()
        }
        return {**self.document, "targets": sections} if sections else self.document


def read_target_setup(path: Path, env: Mapping[str, str]) -> TargetSetup:
    """Read and check gateway.toml; raise ConfigError."""
    setup = build_target_setup(config.read_config(path), env)
    config.parse_config(setup.with_simulator_address(NO_SIMULATOR), path.name)
    return setup


def build_target_setup(document: Document, env: Mapping[str, str]) -> TargetSetup:
    """Find credentials and addresses; an invalid document is accepted, its check comes later."""
    targets = _targets(document)
    sections = {name: _add_address(section, env) for name, section in targets.items()}
    found = {name: _find_credential(name, section, env) for name, section in targets.items()}
    credentials = {name: secret for name, secret in found.items() if secret}
    is_signing = any(
        is_signed(section) for name, section in sections.items() if name in credentials
    )
    return TargetSetup(
        document={**document, "targets": sections} if targets else document,
        credentials=credentials,
        signing={name: env[name] for name in AWS_VARIABLES if is_signing and env.get(name)},
        webhook_secrets={
            webhook_secret_name(name): env[webhook_variable(name)]
            for name in targets
            if webhook_variable(name) in env
        },
    )


def credential_variable(target: str) -> str:
    return "ANTIPHON_SECRET_" + target.upper().replace("-", "_")


def webhook_variable(target: str) -> str:
    return "ANTIPHON_WEBHOOK_SECRET_" + target.upper().replace("-", "_")


def token_identity(section: object) -> str | None:
    """How a target gets tokens: with a `secret` or its `aws` identity; None with a key."""
    auth = section.get("auth") if isinstance(section, dict) else None
    if auth == "workload_identity":
        return "aws"
    if not isinstance(section, dict) or auth != "entra":
        return None
    entra = section.get("entra")
    return str(entra.get("identity", "secret")) if isinstance(entra, dict) else "secret"


def is_signed(section: object) -> bool:
    """Whether requests to a target are signed, so that it has no credential of its own."""
    provider = _provider(section)
    return provider is not None and provider.secret_of_credential is not None


def _targets(document: Document) -> dict[str, Any]:
    targets = document.get("targets")
    return targets if isinstance(targets, dict) else {}


def _provider(section: object) -> Provider | None:
    name = section.get("provider") if isinstance(section, dict) else None
    return PROVIDERS.get(name) if isinstance(name, str) else None


def _add_address(section: Any, env: Mapping[str, str]) -> Any:
    provider = _provider(section)
    if provider is None or provider.address_key in section or not env.get(provider.address):
        return section
    return {**section, provider.address_key: env[provider.address]}


def _find_credential(name: str, section: object, env: Mapping[str, str]) -> str | None:
    identity = token_identity(section)
    if identity == "aws":
        return None
    provider = _provider(section)
    if provider is not None and provider.secret_of_credential is not None:
        return env.get(provider.credential) if env.get(provider.secret_of_credential) else None
    # A provider's API key is not the client secret of an Entra application.
    general = env.get(provider.credential) if provider and identity is None else None
    return env.get(credential_variable(name)) or general or None


def _set_address(section: Any, simulator: str) -> Any:
    provider = _provider(section)
    if provider is None:
        return section
    return {**section, provider.address_key: simulator + provider.path}


def _add_models(section: Any, models: list[str]) -> Any:
    served = section.get("models")
    if isinstance(served, list):
        return {**section, "models": [*dict.fromkeys([*served, "sim-*"])]}
    return {**section, "models": {**served, **{model: model for model in models}}}


def _simplify(section: Any) -> Any:
    """Use a key, not a token, and no webhooks: the simulator accepts any key, and sends none."""
    left_out = {*TOKEN_KEYS, WEBHOOK_KEY}
    return {name: value for name, value in section.items() if name not in left_out}
