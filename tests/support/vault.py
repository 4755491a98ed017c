"""Secrets Manager in this process, and what it was asked."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from antiphon.store.secrets import ProviderSecrets
from tests.support import aws
from tests.support.aws import Cloud
from tests.support.waiting import Time

GET = "GetSecretValue"


class Vault:
    """Holds the secrets of targets below the prefix `test`."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud, self.client = cloud, cloud.secrets
        self.time = Time()
        self.secrets = ProviderSecrets(self.client, "test", self.time)
        self.stages: list[str] = []  # one for each question
        self.client.meta.events.register(f"provide-client-params.secretsmanager.{GET}", self._note)

    @property
    def asked(self) -> int:
        return len(self.stages)

    def put(self, text: str, target: str = "openai") -> None:
        """Make it the current version; what was current is the previous one."""
        with suppress(self.client.exceptions.ResourceExistsException):
            self.client.create_secret(Name=f"test/{target}", SecretString=text)
            return
        self.client.put_secret_value(SecretId=f"test/{target}", SecretString=text)

    def breaks(self) -> None:
        self.cloud.breaks(self.client, GET)

    def mends(self) -> None:
        self.cloud.mends(self.client, GET)

    def _note(self, params: dict[str, str], **_: object) -> None:
        self.stages.append(params["VersionStage"])


@contextmanager
def vault() -> Iterator[Vault]:
    with aws.cloud() as cloud:
        yield Vault(cloud)
