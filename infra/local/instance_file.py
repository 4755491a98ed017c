"""The file by which commands find a local gateway: it exists while the gateway is ready."""

import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from infra.project import IS_INSTALLED, PROJECT

FOLDER_VARIABLE = "ANTIPHON_LOCAL_NOTES"
CONNECT_TIMEOUT_SECONDS = 2.0


@dataclass(frozen=True)
class Instance:
    """A local gateway; the file of a killed one remains."""

    url: str
    rest: str
    aws_endpoint: str
    table: str
    key_cache_seconds: float
    pid: int
    targets: list[str]
    key_settings: dict[str, Any] = field(default_factory=dict)  # what commands for keys need
    requests_port: int = 0  # where its requests are read
    configuration: str = ""  # the path of the effective configuration

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0

    @property
    def is_running(self) -> bool:
        """Whether the process exists and its AWS accepts connections."""
        aws = urlsplit(self.aws_endpoint)
        try:
            os.kill(self.pid, 0)
            socket.create_connection((aws.hostname, aws.port), CONNECT_TIMEOUT_SECONDS).close()
        except OSError:
            return False
        return True


def instance_folder(env: Mapping[str, str]) -> Path:
    """The folder of the files, where commands find them without an option.

    It is in the project; the folder of an installed package may not be writable.
    """
    if folder := env.get(FOLDER_VARIABLE):
        return Path(folder)
    return Path(click.get_app_dir("antiphon")) if IS_INSTALLED else PROJECT / ".build" / "local"


@contextmanager
def publish_instance(instance: Instance, folder: Path) -> Iterator[None]:
    """Write the file, and remove it when the block ends.

    Its name is the port, so that the next gateway on this port replaces the file of a killed one.
    """
    path = folder / f"{instance.port}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_private_json(path, asdict(instance))
    except OSError as exc:  # the gateway itself works without the file
        click.echo(f"Commands with --local will not find this gateway: {exc}", err=True)
    try:
        yield
    finally:
        with suppress(OSError):  # not written, or removed by someone else
            path.unlink()


def find_instances(folder: Path) -> list[Instance]:
    """Read all files of the folder, also those of killed gateways."""
    instances = []
    for path in sorted(folder.glob("*.json")):
        with suppress(FileNotFoundError):  # the gateway ended just now
            instances.append(Instance(**json.loads(path.read_text("utf-8"))))
    return instances


def write_private_json(path: Path, document: Mapping[str, object]) -> None:
    """Write a file atomically, readable by its owner only: it may contain API keys."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.touch(mode=0o600)
    temporary.write_text(json.dumps(document, indent=2) + "\n", "utf-8")
    temporary.replace(path)
