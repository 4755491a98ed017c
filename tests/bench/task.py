"""What the function is started from: the asset as Lambda gets it, or the source tree."""

import asyncio
import os
import platform
import re
import sys
from asyncio.subprocess import DEVNULL, PIPE
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.local.processes import Processes
from infra.project import PROJECT

ARCHES = {"x86_64": "x86_64", "aarch64": "arm64"}  # by the names that Linux has for them
SECONDS_TO_BUILD = 120.0
SIZES = re.compile(r"(\d+) files, ([\d.]+) MB, ([\d.]+) MB zipped")


@dataclass(frozen=True)
class Task:
    root: Path
    python: str
    about: str
    sizes: dict[str, Any] = field(default_factory=dict)  # of the asset


def source(why: str) -> Task:
    """With all that is installed for development, which costs some time and memory."""
    return Task(PROJECT / "functions", sys.executable, f"the source tree: {why}")


async def packed(processes: Processes, folder: Path) -> Task:
    """The asset, built for this machine; the source tree where that cannot be."""
    arch = ARCHES.get(platform.machine()) if sys.platform == "linux" else None
    if arch is None:
        return source("the asset is for Linux")
    place = folder / "asset"
    found = SIZES.search(await _built(processes, arch, place))
    if found is None:
        return source("the asset could not be built")
    sizes = {"files": int(found[1]), "mb": float(found[2]), "zipped_mb": float(found[3])}
    python = str(_bare_python(folder))
    return Task(
        place, python, f"the asset for {arch}, and no other package", {"arch": arch} | sizes
    )


async def _built(processes: Processes, arch: str, place: Path) -> str:
    """What the command says, which is nothing where it fails; the reason is on standard error."""
    command = (sys.executable, "-m", "infra.bundle", "--arch", arch, "--out", str(place))
    # With the whole environment: it is uv that builds, with its own cache, index and proxy.
    process = await processes.start(
        *command, cwd=PROJECT, env=os.environ, stdin=DEVNULL, stdout=PIPE
    )
    try:
        async with asyncio.timeout(SECONDS_TO_BUILD):
            output, _ = await process.communicate()
            return output.decode()
    except TimeoutError:
        return ""
    finally:
        await processes.end(process)


def _bare_python(folder: Path) -> Path:
    """An interpreter that knows the standard library and no installed package, as on Lambda."""
    python = folder / "python3"
    python.write_text(f'#!/bin/sh\nexec "{sys._base_executable}" -S "$@"\n')
    python.chmod(0o755)
    return python
