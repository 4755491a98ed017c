"""AWS as the functions see it: their identity, their Region, and the endpoints of its services.

Lambda's environment says all of it. What it does not say, botocore finds, as in all AWS SDKs:
https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html
"""

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, NamedTuple, Protocol, Self

from antiphon.store.aws_api import (
    CONNECT_SECONDS,
    READ_SECONDS,
    AwsAccess,
    Credentials,
    JsonApi,
    JsonService,
    RestApi,
    Send,
)

ENDPOINT_VARIABLE = "AWS_ENDPOINT_URL"
VARIABLE_SUFFIXES = {
    "secretsmanager": "SECRETS_MANAGER",
    "bedrock-runtime": "BEDROCK_RUNTIME",
    "events": "EVENTBRIDGE",
}
# With one of these, botocore decides: credentials that expire, files, other kinds of endpoints.
FOR_BOTOCORE = (
    "AWS_CONFIG_FILE",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_PROFILE",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
)
# The Regions of the partition `aws`, as botocore's rules recognise them.
USUAL_REGION = re.compile(r"(?:us|eu|ap|sa|ca|me|af|il|mx)-\w+-\d+", re.ASCII)


class Botocore(Protocol):
    """`BotocoreSession`, whose module is not imported before it is needed."""

    @property
    def region(self) -> str: ...
    @property
    def credentials(self) -> Credentials | None: ...
    def create_client(self, service: str) -> Any: ...
    def find_endpoint(self, service: str, region: str) -> str: ...


class EnvironmentCredentials(NamedTuple):
    """What Lambda gives a function that is not restored from a snapshot."""

    access_key: str
    secret_key: str
    token: str | None

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Self | None:
        """Return None where there is none, or not all of one."""
        access, secret = env.get("AWS_ACCESS_KEY_ID"), env.get("AWS_SECRET_ACCESS_KEY")
        if not (access and secret):
            return None
        token = env.get("AWS_SECURITY_TOKEN") or env.get("AWS_SESSION_TOKEN")
        return cls(access, secret, token or None)

    def get_frozen_credentials(self) -> Self:
        return self


class AwsSession:
    """Raise NoRegionError where nothing names a Region."""

    def __init__(
        self, open_botocore: Callable[[], Botocore], env: Mapping[str, str], send: Send
    ) -> None:
        self._env = env
        self._open_botocore = open_botocore
        self._is_usual = not any(map(env.get, FOR_BOTOCORE))
        region = env.get("AWS_DEFAULT_REGION") or self._botocore.region
        found = EnvironmentCredentials.read(env) if self._is_usual else None
        self.access = AwsAccess(region, found or self._botocore.credentials, send)

    def open_api(
        self,
        service: JsonService,
        connect_seconds: float = CONNECT_SECONDS,
        read_seconds: Callable[[], float] = lambda: READ_SECONDS,
    ) -> JsonApi:
        """Return what calls a service; nothing is sent until the first call."""
        url = f"{self._find_endpoint(service.name).rstrip('/')}/"
        return JsonApi(service, url, self.access, connect_seconds, read_seconds)

    def open_path(self, endpoint: str, name: str, path: str, seconds: float) -> RestApi:
        """Return what calls one operation of a service.

        `endpoint` names it in its URL, `name` in signatures; the path is encoded.
        """
        url = f"{self._find_endpoint(endpoint).rstrip('/')}{path}"
        return RestApi(name, url, self.access, seconds)

    def create_client(self, service: str) -> Any:
        """Return botocore's client, for a service that does not speak JSON."""
        return self._botocore.create_client(service)

    @cached_property
    def _botocore(self) -> Botocore:
        return self._open_botocore()

    def _find_endpoint(self, service: str) -> str:
        """https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html."""
        suffix = VARIABLE_SUFFIXES.get(service, service.upper())
        variables = f"{ENDPOINT_VARIABLE}_{suffix}", ENDPOINT_VARIABLE
        configured = next(filter(None, map(self._env.get, variables)), None)
        if configured is not None:
            return configured
        region = self.access.region
        if self._is_usual and USUAL_REGION.fullmatch(region):
            return f"https://{service}.{region}.amazonaws.com"
        return self._botocore.find_endpoint(service, region)
