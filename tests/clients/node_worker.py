"""openai-node in a process of its own that runs scripts of tests/clients/node, one after the other."""

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from infra.local.runtime_api.function import child_environment
from infra.node import build_command
from tests.support.gateway import KEYS

ROOT = Path(__file__).parents[2]
WORKER = Path(__file__).parent / "node" / "worker.mjs"

type RunScript = Callable[..., Any]  # base URL, script, arguments; returns what the script prints


@contextmanager
def run_node(log: Path) -> Iterator[RunScript]:
    """Import the SDK once, for all scripts of the block; what goes to stderr is an error."""
    if not (ROOT / "node_modules" / "openai").is_dir():
        pytest.fail("There is no node_modules/openai: run `make test`, which installs it.")
    with (
        log.open("w") as stderr,
        subprocess.Popen(
            build_command("node", str(WORKER)),
            cwd=ROOT,
            env={**child_environment(), "ANTIPHON_KEY": KEYS["acme"]},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        ) as process,
    ):

        def run(base: str, script: str, *arguments: str) -> Any:
            line = json.dumps({"script": script, "base": base, "args": arguments})
            process.stdin.write(f"{line}\n")
            process.stdin.flush()
            printed = process.stdout.readline()
            assert printed, log.read_text()  # the process has ended
            seen = json.loads(printed)
            assert "raised" not in seen, seen
            return seen

        yield run
    assert (process.returncode, log.read_text()) == (0, "")
