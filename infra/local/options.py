"""What a local gateway is started with: accepted API keys, configuration, ports, limits."""

import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from antiphon.settings import config
from antiphon.settings.config import Config
from infra.local.aws.event_source_mapping import EVENT_SOURCES
from infra.local.aws.resources import SIGNING_SECRET, Resources
from infra.local.runtime_api.function import Function, function_environment
from infra.local.target_setup import NO_SIMULATOR, TargetSetup
from infra.project import FUNCTIONS

KEYS_VARIABLE = "ANTIPHON_LOCAL_KEYS"
LEVEL_VARIABLE = "POWERTOOLS_LOG_LEVEL"
REQUEST_LEVELS = {None, "", "DEBUG", "INFO"}
EVENT_TIMEOUT_SECONDS = 120.0  # of the functions behind the queue and the stream
_KEY = re.compile(r"[A-Za-z0-9_-]{8,128}")
_TENANT = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class InvalidKeys(ValueError):
    """ANTIPHON_LOCAL_KEYS is invalid."""


@dataclass(frozen=True)
class LocalKey:
    tenant: str
    key: str


def parse_keys(text: str | None) -> list[LocalKey]:
    """Parse `tenant=key,tenant=key`; without any, create a random key for tenant `local`."""
    if not text or not text.strip():
        return [LocalKey("local", secrets.token_urlsafe(24))]
    keys = list(_parse_entries(text))
    if len({key.key for key in keys}) < len(keys):
        raise InvalidKeys(f"{KEYS_VARIABLE}: the same key appears twice.")
    return keys


def _parse_entries(text: str) -> Iterator[LocalKey]:
    for position, pair in enumerate(text.split(","), 1):
        tenant, equals, key = pair.strip().partition("=")
        if not (equals and _TENANT.fullmatch(tenant) and _KEY.fullmatch(key)):
            # Without the entry itself: it may contain a key that is valid elsewhere.
            raise InvalidKeys(
                f"{KEYS_VARIABLE}: entry {position} is not tenant=key with a key of 8 to 128 "
                "characters of A-Z a-z 0-9 _ -."
            )
        yield LocalKey(tenant, key)


@dataclass(frozen=True)
class GatewayOptions:
    """All options of a local gateway, checked as far as is possible before anything starts."""

    keys: list[LocalKey]
    setup: TargetSetup
    simulated_models: list[str]  # that the simulator serves
    env: Mapping[str, str]
    port: int = 8080
    rest_port: int = 8081
    concurrency: int = 8
    provisioned: int | None = None  # runtimes that start before the gateway serves; None: all
    seconds: float = 900  # timeout of an invocation
    functions: Path = FUNCTIONS
    keep: Path | None = None  # the folder of what the next start finds again

    @property
    def started_runtimes(self) -> int:
        """How many runtimes start before the gateway serves."""
        return min(self.provisioned or self.concurrency, self.concurrency)

    @property
    def is_debugging(self) -> bool:
        return self.env.get(LEVEL_VARIABLE) == "DEBUG"

    @property
    def has_request_lines(self) -> bool:
        """Whether the functions log each request."""
        return self.env.get(LEVEL_VARIABLE) in REQUEST_LEVELS

    @property
    def config(self) -> Config:
        """The effective configuration, except for the simulator's address."""
        return config.parse_config(self.setup.simulate(NO_SIMULATOR, self.simulated_models))

    @property
    def resources(self) -> Resources:
        keys = [(local.key, local.tenant) for local in self.keys]
        secrets = {**self.setup.secrets(), SIGNING_SECRET: self._signing_secret()}
        return Resources(keys, secrets, str(self.keep) if self.keep else None)

    def _signing_secret(self) -> str:
        """Return the secret of webhooks, which is the same as long as the first key is."""
        return sha256(f"webhooks {self.keys[0].key}".encode()).hexdigest()

    def function(self, name: str, endpoint: str, configuration: Path) -> Function:
        """The function of functions/<name>.py; `endpoint` is the address of the local AWS."""
        env = function_environment(self.functions, endpoint, configuration, self.env, name)
        env.update(self.setup.signing)
        wrapper = FUNCTIONS / "start-streaming"
        return Function(wrapper, self.functions, env, self.seconds)

    def event_functions(self, endpoint: str, configuration: Path) -> dict[str, Function]:
        """The functions with an event source, by name, as far as their files exist."""
        names = [name for name in EVENT_SOURCES if (self.functions / f"{name}.py").exists()]
        functions = {name: self.function(name, endpoint, configuration) for name in names}
        return {
            name: replace(function, seconds=EVENT_TIMEOUT_SECONDS)
            for name, function in functions.items()
        }
