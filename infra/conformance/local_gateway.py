"""A gateway on this machine for one run, with all its models played by the simulator."""

import json
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.local.runtime_api.function import child_environment

CONFIG = '[targets.simulated]\nprovider = "openai"\nmodels = ["gpt-*", "sim-*"]\n'
POLL_SECONDS = 0.1
END_SECONDS = 30


class NotStarted(Exception):
    """`antiphon local` ended before it was ready."""


@contextmanager
def run_local_gateway() -> Iterator[tuple[str, str]]:
    """Run a gateway until the block ends; yield its base URL and a key."""
    key = secrets.token_urlsafe(24)
    with tempfile.TemporaryDirectory() as folder:
        config, ready = Path(folder) / "gateway.toml", Path(folder) / "ready.json"
        config.write_text(CONFIG)
        runtimes = ["--concurrency", "2", "--provisioned", "1"]
        options = ["--config", str(config), "--ready-file", str(ready), *runtimes]
        process = subprocess.Popen(  # noqa: S603  our own command
            [sys.executable, "-m", "infra.cli", "local", "--port=0", "--rest-port=0", *options],
            # Without the developer's credentials: no request may reach a provider.
            env={
                **child_environment(),
                "ANTIPHON_LOCAL_KEYS": f"conformance={key}",
                "ANTIPHON_LOCAL_NOTES": str(Path(folder) / "notes"),
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield _wait_for_url(process, ready), key
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(END_SECONDS)


def _wait_for_url(process: subprocess.Popen[bytes], ready: Path) -> str:
    while not ready.exists():
        if process.poll() is not None:
            raise NotStarted(f"antiphon local ended with {process.returncode}.")
        time.sleep(POLL_SECONDS)
    return str(json.loads(ready.read_text())["url"])
