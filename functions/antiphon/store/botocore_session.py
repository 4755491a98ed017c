"""What botocore finds out about the account: in files, from other services, by its own rules.

Imported only where the environment alone does not say it, since that takes a sixth of the start.
"""

from functools import cache
from typing import Any

from botocore.config import Config
from botocore.endpoint_provider import RuleSetStandardLibrary
from botocore.exceptions import NoRegionError
from botocore.loaders import Loader, create_loader
from botocore.session import Session

from antiphon.store.aws_api import CONNECT_SECONDS, READ_SECONDS, Credentials

ATTEMPTS = 2
OTHER_ENDPOINTS = ("use_fips_endpoint", "use_dualstack_endpoint")


class BotocoreSession:
    """A session of botocore with the environment of the process."""

    def __init__(self, session: Session) -> None:
        session.register_component("data_loader", _service_models())
        self._session = session

    @property
    def region(self) -> str:
        """Raise NoRegionError where neither the environment nor a file names one."""
        region = self._session.get_config_variable("region")
        if not region:
            raise NoRegionError
        return str(region)

    @property
    def credentials(self) -> Credentials | None:
        return self._session.get_credentials()

    def create_client(self, service: str) -> Any:
        """Return botocore's client, for a service that does not speak JSON.

        botocore waits 60 s and makes up to 10 attempts by default; a caller must not wait so long.
        """
        config = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        )
        return self._session.create_client(service, config=config)

    def find_endpoint(self, service: str, region: str) -> str:
        """Return the URL as botocore would, without the time that its rules take."""
        if any(map(self._session.get_config_variable, OTHER_ENDPOINTS)):
            return str(self.create_client(service).meta.endpoint_url)
        rules = RuleSetStandardLibrary(_service_models().load_data("partitions"))
        return f"https://{service}.{region}.{rules.aws_partition(region)['dnsSuffix']}"


@cache
def _service_models() -> Loader:
    """Return AWS's descriptions of its services, read once in a process, and in its snapshot."""
    return create_loader()
