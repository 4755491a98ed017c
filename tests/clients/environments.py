"""`python -m tests.clients.environments [--all]`: installs the clients that have an environment of
their own, from lock files; with --all also those that `make clients` alone runs."""

import subprocess
import sys

from infra.node import build_environment
from tests.clients.matrix import CLIENTS


def main() -> None:
    wanted = [c for c in CLIENTS.values() if "--all" in sys.argv or not c.heavy]
    for client in wanted:
        command = client.install_command()
        if command is not None:
            subprocess.run(command, check=True, env=build_environment())


if __name__ == "__main__":
    main()
