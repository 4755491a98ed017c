"""The project's files: in its folder, or copies of a few of them in the installed package.

The wheel has functions/, gateway.toml and cdk.json in infra/installed (see pyproject.toml). It has
neither the lock files nor the CDK, so that a stack is built in the project's folder only.
"""

from pathlib import Path

_COPIES = Path(__file__).parent / "installed"
IS_INSTALLED = _COPIES.is_dir()
PROJECT = _COPIES if IS_INSTALLED else Path(__file__).parents[1]
FUNCTIONS = PROJECT / "functions"
# The configuration that is deployed. With an installed package it is the one of the user's folder.
CONFIG = Path("gateway.toml") if IS_INSTALLED else PROJECT / "gateway.toml"
NEEDS_PROJECT = (
    "A stack is built from the project's folder: an installed antiphon has neither the lock files "
    "nor the CDK. Get the project's source, and there run `make {}`."
)


def find_local_config() -> Path:
    """Return the configuration of a local gateway: CONFIG, else the one in the package."""
    return CONFIG if CONFIG.is_file() else PROJECT / CONFIG.name
