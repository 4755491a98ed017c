"""Where a gateway of this machine is: it leaves a note while it serves, for the other commands."""

import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

import click

from infra.local.processes import ROOT

VARIABLE = "ANTIPHON_LOCAL_NOTES"
SECONDS_TO_ANSWER = 2.0


@dataclass(frozen=True)
class Note:
    """One gateway; a killed one leaves its note behind."""

    url: str
    rest: str
    aws_endpoint: str
    table: str
    key_cache_seconds: float
    pid: int

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0

    @property
    def serves(self) -> bool:
        """Whether the process still lives and its AWS takes connections."""
        aws = urlsplit(self.aws_endpoint)
        try:
            os.kill(self.pid, 0)
            socket.create_connection((aws.hostname, aws.port), SECONDS_TO_ANSWER).close()
        except OSError:
            return False
        return True


def folder(env: Mapping[str, str]) -> Path:
    """Where the notes are: in the project, so that commands find them without being told."""
    named = env.get(VARIABLE)
    return Path(named) if named else ROOT / ".build" / "local"


@contextmanager
def left(note: Note, where: Path) -> Iterator[None]:
    """Leave the note until the block ends; by its port, so that the next gateway there takes it."""
    path = where / f"{note.port}.json"
    try:
        where.mkdir(parents=True, exist_ok=True)
        write(path, asdict(note))
    except OSError as exc:  # no reason for the gateway not to serve
        click.echo(f"Commands with --local will not find this gateway: {exc}", err=True)
    try:
        yield
    finally:
        with suppress(OSError):  # it could not be written, or someone has tidied up
            path.unlink()


def found(where: Path) -> list[Note]:
    """All notes there are, those of killed gateways too."""
    notes = []
    for path in sorted(where.glob("*.json")):
        with suppress(FileNotFoundError):  # it ends just now
            notes.append(Note(**json.loads(path.read_text("utf-8"))))
    return notes


def write(path: Path, document: Mapping[str, object]) -> None:
    """Write it whole or not at all: whoever waits for the file may read it at once."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    unfinished.touch(mode=0o600)  # it may hold keys
    unfinished.write_text(json.dumps(document, indent=2) + "\n", "utf-8")
    unfinished.replace(path)
