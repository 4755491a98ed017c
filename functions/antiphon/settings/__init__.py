"""What the deployment promises the code: the environment, the configuration, the table's shape."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from antiphon.settings.config import Config, load


@dataclass(frozen=True)
class Settings:
    """Names of what the stack made, and the validated `gateway.toml`."""

    table_name: str
    secret_prefix: str  # the credential of target `east` is the secret `{secret_prefix}/east`
    queue_url: str  # of what is to be done later: deferred rows, unfinished responses
    config: Config

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Raise KeyError with the missing name, ConfigError with the wrong key of gateway.toml."""
        beside = Path(env.get("LAMBDA_TASK_ROOT", "."), "gateway.toml")
        return cls(
            table_name=env["TABLE_NAME"],
            secret_prefix=env["SECRET_PREFIX"],
            queue_url=env.get("QUEUE_URL", ""),  # not every function defers
            config=load(Path(env.get("CONFIG_FILE", beside))),
        )
