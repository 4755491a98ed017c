"""AWS as the functions see it: their identity, their Region, and the endpoints of its services."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from botocore.config import Config
from botocore.endpoint_provider import RuleSetStandardLibrary
from botocore.exceptions import NoRegionError
from botocore.loaders import Loader, create_loader
from botocore.session import Session

from antiphon.store.aws_api import AwsAccess, JsonApi, JsonService, RestApi, Send

CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 1.0, 2.0, 2  # unless a call has a time of its own
ENDPOINT_VARIABLE = "AWS_ENDPOINT_URL"
VARIABLE_SUFFIXES = {
    "secretsmanager": "SECRETS_MANAGER",
    "bedrock-runtime": "BEDROCK_RUNTIME",
}
OTHER_ENDPOINTS = ("use_fips_endpoint", "use_dualstack_endpoint")


class AwsSession:
    """Raise NoRegionError where the environment names no Region."""

    def __init__(self, session: Session, env: Mapping[str, str], send: Send) -> None:
        self._env = env
        self._session = session
        self._session.register_component("data_loader", _service_models())
        region = self._session.get_config_variable("region")
        if not region:
            raise NoRegionError
        self._access = AwsAccess(region, self._session.get_credentials(), send)

    def open_api(
        self,
        service: JsonService,
        connect_seconds: float = CONNECT_SECONDS,
        read_seconds: Callable[[], float] = lambda: READ_SECONDS,
    ) -> JsonApi:
        """Return what calls a service; nothing is sent until the first call."""
        url = f"{self._find_endpoint(service.name).rstrip('/')}/"
        return JsonApi(service, url, self._access, connect_seconds, read_seconds)

    def open_path(self, endpoint: str, name: str, path: str, seconds: float) -> RestApi:
        """Return what calls one operation of a service.

        `endpoint` names it in its URL, `name` in signatures; the path is encoded.
        """
        url = f"{self._find_endpoint(endpoint).rstrip('/')}{path}"
        return RestApi(name, url, self._access, seconds)

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

    def _find_endpoint(self, service: str) -> str:
        """Return the URL as botocore would, without the time that its rules take.

        https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
        """
        suffix = VARIABLE_SUFFIXES.get(service, service.upper())
        variables = f"{ENDPOINT_VARIABLE}_{suffix}", ENDPOINT_VARIABLE
        configured = next(filter(None, map(self._env.get, variables)), None)
        if configured is not None:
            return configured
        if any(map(self._session.get_config_variable, OTHER_ENDPOINTS)):
            return str(self.create_client(service).meta.endpoint_url)
        region = self._access.region
        rules = RuleSetStandardLibrary(_service_models().load_data("partitions"))
        return f"https://{service}.{region}.{rules.aws_partition(region)['dnsSuffix']}"


@cache
def _service_models() -> Loader:
    """Return AWS's descriptions of its services, read once in a process, and in its snapshot."""
    return create_loader()
