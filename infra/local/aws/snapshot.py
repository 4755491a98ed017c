"""The file with the rows and messages of the local AWS, between two runs.

It is replaced as a whole, so a process that is killed leaves the previous one, which is a second
old at most. Secrets are not in it: each start gets them from its environment.
"""

import json
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from antiphon.settings.table import PARTITION_KEY, TTL

FILE, VERSION = "aws.json", 1

type Row = dict[str, dict[str, Any]]  # in DynamoDB's JSON
type Messages = Mapping[str, Sequence[Mapping[str, Any]]]  # by the name of the queue


class UnreadableSnapshot(Exception):
    """The file is not a snapshot that this version reads."""


@dataclass(frozen=True)
class Snapshot:
    rows: Sequence[Row] = ()
    messages: Messages = field(default_factory=dict)
    start_keys: Collection[str] = ()  # partition keys of the API keys that were given at the start

    def write(self, folder: Path) -> None:
        document = {"version": VERSION, **self.__dict__}
        _replace(folder / FILE, json.dumps(document, separators=(",", ":")))

    def valid_rows(self, start_keys: Collection[str], now: float) -> list[Row]:
        """Return the rows that have not expired, without keys that are not given any more."""
        ended = {*self.start_keys} - {*start_keys}
        return [
            row
            for row in self.rows
            if row[PARTITION_KEY]["S"] not in ended
            and (TTL not in row or float(row[TTL]["N"]) > now)
        ]


def read_snapshot(folder: Path) -> Snapshot:
    """Return an empty one where there is no file; raise UnreadableSnapshot."""
    path = folder / FILE
    try:
        document: Any = json.loads(path.read_text("utf-8"))
        version = document.pop("version")
        if version != VERSION:
            raise UnreadableSnapshot(f"{path} has version {version}, and this is {VERSION}.")
        return Snapshot(**document)
    except FileNotFoundError:
        return Snapshot()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
        raise UnreadableSnapshot(f"{path} cannot be read. Move it away to start anew.") from exc


def _replace(path: Path, text: str) -> None:
    """Write a file that only its owner can read; it is never incomplete, whatever happens."""
    temporary = path.with_name(f"{path.name}.new")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
