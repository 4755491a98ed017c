"""The folder in which a local gateway keeps what it has, until it is started again.

| file | content |
|---|---|
| `lock` | is locked by the gateway that uses the folder |
| `keys.json` | the random key, so that it stays the same |
| `aws.json` | rows of the table and messages of the queues: see `infra.local.aws.snapshot` |
"""

import fcntl
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infra.local.aws.snapshot import UnreadableSnapshot, read_snapshot
from infra.local.instance_file import write_private_json
from infra.local.options import LocalKey

VERSION = 1  # of keys.json
LOCK, KEYS = "lock", "keys.json"


class KeepFailed(Exception):
    """The folder cannot be used; the message states why."""


@contextmanager
def use_folder(folder: Path | None) -> Iterator[None]:
    """Lock the folder, if any, and check what is in it, until the block ends; raise KeepFailed."""
    if folder is None:
        yield
        return
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (folder / LOCK).open("a")
    except OSError as exc:
        raise KeepFailed(f"--keep {folder}: {exc.strerror}.") from exc
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # until the file is closed
        except OSError as exc:
            raise KeepFailed(f"--keep {folder}: another gateway uses it now.") from exc
        try:
            read_snapshot(folder)
        except UnreadableSnapshot as exc:
            raise KeepFailed(f"--keep {folder}: {exc}") from exc
        yield


def keep_keys(folder: Path, create: Callable[[None], list[LocalKey]]) -> list[LocalKey]:
    """Return the keys of an earlier run, or new ones, which the next run has; raise KeepFailed."""
    path = folder / KEYS
    if path.exists():
        return _read_keys(path)
    keys = create(None)
    document = {"version": VERSION, "keys": [each.__dict__ for each in keys]}
    write_private_json(path, document)
    return keys


def _read_keys(path: Path) -> list[LocalKey]:
    try:
        document: Any = json.loads(path.read_text("utf-8"))
        if document["version"] == VERSION:
            return [LocalKey(each["tenant"], each["key"]) for each in document["keys"]]
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise KeepFailed(f"{path} cannot be read. Move it away to get a new key.") from exc
    raise KeepFailed(f"{path} was written by another version of antiphon.")
