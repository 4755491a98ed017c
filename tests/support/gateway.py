"""A whole gateway on this machine, started by the command that users start it with."""

import json
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx

from antiphon.store.circuits import CIRCUITS_KEY
from infra.local.aws.resources import Resources, secret_name
from infra.local.runtime_api.function import child_environment
from tests.support.aws_clients import aws_client, aws_table
from tests.support.canaries import LeakWatch, named_secrets
from tests.support.concurrency import wait_for
from tests.support.webhooks import make_secret

KEYS = {
    "acme": "sk-acme-0123456789",
    "acme's other": "sk-acme-other-0123",
    "acme's revoked": "sk-acme-revoked-01",
    "umbra": "sk-umbra-0123456789",
    "auditor": "sk-auditor-01234567",  # for the test that compares whole reports alone
    "archivist": "sk-archivist-01234567",  # for the test of what is stored alone
    "newcomer": "sk-newcomer-012345678",  # who has stored nothing yet
    "ruled": "sk-ruled-0123456789",  # whose tenant has a policy
    "adopter": "sk-adopter-0123456789",  # for the test of a list of adopted files alone
    "prober": "sk-prober-01234567",  # for the tests that send whatever the document allows
}
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # loading certificates takes 20 ms a client
WEBHOOK_SECRET = make_secret()  # of the target `reporting`
CREDENTIALS = {
    "ANTIPHON_SECRET_OPENAI": "credential-of-openai",
    "ANTIPHON_SECRET_AZURE": "credential-of-azure",
    "ANTIPHON_SECRET_AZURE_LEGACY": "credential-of-legacy",
    "ANTIPHON_SECRET_REPORTING": "credential-of-reporting",
    "ANTIPHON_WEBHOOK_SECRET_REPORTING": WEBHOOK_SECRET,
}


@dataclass(frozen=True)
class Gateway:
    """Both base URLs (ending in /v1), the endpoint of its AWS, its table's name, its process."""

    url: str
    rest: str
    aws_endpoint: str
    table: str
    pid: int
    watch: LeakWatch

    def base(self, door: str) -> str:
        return self.url if door == "url" else self.rest

    def client(self, door: str = "url", key: str = "acme") -> httpx.Client:
        return httpx.Client(
            base_url=self.base(door),
            headers={"authorization": f"Bearer {KEYS[key]}"},
            timeout=60,
            trust_env=False,
            verify=NO_TLS,
            event_hooks={"response": [self.watch.check_response]},
        )

    def row(self, partition: str, sort: str = "LINK") -> dict[str, Any] | None:
        """A row of the table, read directly."""
        return self._table().get_item(Key={"pk": partition, "sk": sort}).get("Item")

    def put(self, row: dict[str, Any]) -> None:
        """Writes a row directly, as an operator would."""
        self._table().put_item(Item=row)

    def put_all(self, rows: Iterable[dict[str, Any]]) -> None:
        """Writes at most 25 rows by one call."""
        with self._table().batch_writer() as batch:
            for row in rows:
                batch.put_item(Item=row)

    def change(self, partition: str, sort: str = "LINK", **values: object) -> None:
        """Sets attributes of a row directly, as an operator would."""
        self._table().update_item(
            Key={"pk": partition, "sk": sort},
            AttributeUpdates={n: {"Value": v, "Action": "PUT"} for n, v in values.items()},
        )

    def close_circuits(self) -> None:
        """Closes the circuits that earlier tests left open, for functions that start now."""
        partition, sort = CIRCUITS_KEY
        self._table().delete_item(Key={"pk": partition, "sk": sort})

    def store_credential(self, target: str, credential: str = "credential") -> None:
        """Stores the credential of a target that only one test's function has."""
        secrets = aws_client("secretsmanager", endpoint=self.aws_endpoint)
        secrets.create_secret(Name=secret_name(target), SecretString=credential)

    def revoke(self, key: str) -> None:
        """Revokes a key; functions that have accepted it do so until their cache expires."""
        hashed = sha256(KEYS[key].encode()).hexdigest()
        self.change(f"K#{hashed}", "KEY", revoked_at=int(time.time()))

    def wait_for_row(
        self, partition: str, is_ready: Callable[[dict[str, Any]], bool]
    ) -> dict[str, Any]:
        """The row, once there is one for which the condition holds."""
        return wait_for(lambda: self.row(partition), lambda row: row is not None and is_ready(row))

    def _table(self) -> Any:
        return aws_table(self.table, self.aws_endpoint)


@contextmanager
def run_gateway(
    config: Path, ready: Path, *options: str, credentials: Mapping[str, str] = CREDENTIALS
) -> Iterator[Gateway]:
    """Runs `antiphon local` until the block ends; it must exit with 0."""
    command = [sys.executable, "-m", "infra.cli", "local", "--port", "0", "--rest-port", "0"]
    keys = ",".join(f"{name.partition("'")[0]}={key}" for name, key in KEYS.items())
    log, recording = ready.with_suffix(".log"), ready.with_suffix(".aws")
    watch = LeakWatch(log, recording, named_secrets(KEYS, credentials))
    with log.open("ab") as stderr:
        process = subprocess.Popen(
            [
                *command,
                "--provisioned",
                "1",
                "--config",
                str(config),
                "--ready-file",
                str(ready),
                *options,
            ],
            env={
                **_clean_environment(),
                **credentials,
                "ANTIPHON_LOCAL_KEYS": keys,
                "POWERTOOLS_LOG_LEVEL": "DEBUG",  # the JSON of requests, too
                "ANTIPHON_LOCAL_NOTES": str(instance_folder(ready)),
                "MOTO_ENABLE_RECORDING": "yes",
                "MOTO_RECORDER_FILEPATH": str(recording),
            },
            stderr=stderr,
        )
    try:
        yield _wait_until_ready(process, ready, watch)
    finally:
        process.send_signal(signal.SIGTERM)
        status = process.wait(120)  # seconds, enough on a busy machine, too
        watch.close()
        assert status == 0


@contextmanager
def run_local_aws() -> Iterator[str]:
    """The AWS of `antiphon local` alone, with the keys and a secret for the target `openai`."""
    process = subprocess.Popen(
        [sys.executable, "-m", "infra.local.aws.server"],
        env=child_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    keys = [(key, name.partition("'")[0]) for name, key in KEYS.items()]
    with process, process.stdin as stdin:  # it ends with its input
        secrets = {"openai": CREDENTIALS["ANTIPHON_SECRET_OPENAI"]}
        stdin.write(Resources(keys, secrets).to_line())
        stdin.flush()
        yield process.stdout.readline().split()[-1].decode()


def instance_folder(ready: Path) -> Path:
    """Where such a gateway records that it runs; in the project it would pass for a user's."""
    return ready.with_name("notes")


def _clean_environment() -> dict[str, str]:
    """Without a developer's own variables for providers and proxies."""
    foreign = ("OPENAI", "AZURE", "ANTIPHON", "AWS", "HTTP", "http", "NO_PROXY")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)}


def _wait_until_ready(process: subprocess.Popen[bytes], ready: Path, watch: LeakWatch) -> Gateway:
    while not ready.exists():
        try:
            process.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
        raise AssertionError(f"antiphon local ended with {process.returncode}")
    found = json.loads(ready.read_text())
    addresses = (found[name] for name in ("url", "rest", "aws_endpoint", "table"))
    return Gateway(*addresses, process.pid, watch)
