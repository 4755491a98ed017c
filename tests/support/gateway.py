"""A whole gateway on this machine, started by the command that users start it with."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import httpx

KEYS = {
    "acme": "sk-acme-0123456789",
    "acme's other": "sk-acme-other-0123",
    "acme's revoked": "sk-acme-revoked-01",
    "umbra": "sk-umbra-0123456789",
}
CREDENTIALS = {
    "ANTIPHON_SECRET_OPENAI": "credential-of-openai",
    "ANTIPHON_SECRET_AZURE": "credential-of-azure",
    "ANTIPHON_SECRET_AZURE_LEGACY": "credential-of-legacy",
}
LOCAL_AWS = {"region_name": "us-east-1", "aws_access_key_id": "x", "aws_secret_access_key": "x"}


@dataclass(frozen=True)
class Gateway:
    """Both base URLs (ending in /v1), the keys by tenant, and the table behind."""

    url: str
    rest: str
    aws_endpoint: str
    table: str

    def base(self, door: str) -> str:
        return self.url if door == "url" else self.rest

    def client(self, door: str = "url", key: str = "acme") -> httpx.Client:
        return httpx.Client(
            base_url=self.base(door),
            headers={"authorization": f"Bearer {KEYS[key]}"},
            timeout=60,
            trust_env=False,
        )

    def row(self, partition: str, sort: str = "LINK") -> dict[str, Any] | None:
        """A row of the table, read past the gateway."""
        return self._table().get_item(Key={"pk": partition, "sk": sort}).get("Item")

    def put(self, row: dict[str, Any]) -> None:
        """Write a row past the gateway, as an operator would."""
        self._table().put_item(Item=row)

    def change(self, partition: str, sort: str = "LINK", **values: object) -> None:
        """Set attributes of a row past the gateway, as time or an operator would."""
        self._table().update_item(
            Key={"pk": partition, "sk": sort},
            AttributeUpdates={n: {"Value": v, "Action": "PUT"} for n, v in values.items()},
        )

    def _table(self) -> Any:
        return _dynamodb(self.aws_endpoint).Table(self.table)

    def until(self, partition: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The row, once something holds for it; the test's own time limit ends a vain wait."""
        while True:
            row = self.row(partition)
            if row is not None and holds(row):
                return row


@cache
def _dynamodb(endpoint: str) -> Any:
    return boto3.resource("dynamodb", endpoint_url=endpoint, **LOCAL_AWS)


@contextmanager
def started(
    config: Path, ready: Path, *options: str, credentials: Mapping[str, str] = CREDENTIALS
) -> Iterator[Gateway]:
    """Run `antiphon local` until the block ends; it must end well, too."""
    command = [sys.executable, "-m", "infra.cli", "local", "--port", "0", "--rest-port", "0"]
    keys = ",".join(f"{name.partition("'")[0]}={key}" for name, key in KEYS.items())
    process = subprocess.Popen(
        [*command, "--config", str(config), "--ready-file", str(ready), *options],
        env={
            **_bare_environment(),
            **credentials,
            "ANTIPHON_LOCAL_KEYS": keys,
            "ANTIPHON_LOCAL_NOTES": str(notes(ready)),
        },
    )
    try:
        yield _when_ready(process, ready)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def notes(ready: Path) -> Path:
    """Where such a gateway leaves its note: not in the project, where it would pass for a user's."""
    return ready.with_name("notes")


def _bare_environment() -> dict[str, str]:
    """Without what a developer's shell may hold of providers and proxies."""
    foreign = ("OPENAI", "AZURE", "ANTIPHON", "AWS", "HTTP", "http", "NO_PROXY")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)}


def _when_ready(process: subprocess.Popen[bytes], ready: Path) -> Gateway:
    while not ready.exists():
        try:
            process.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
        raise AssertionError(f"antiphon local ended with {process.returncode}")
    found = json.loads(ready.read_text())
    return Gateway(*(found[name] for name in ("url", "rest", "aws_endpoint", "table")))
