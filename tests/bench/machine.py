"""What the figures were measured on, for they mean little elsewhere."""

import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from tests.bench.processor import model

PACKAGES = ("httpx", "httpcore", "h11", "starlette", "uvicorn", "botocore", "moto")


def machine() -> dict[str, Any]:
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": model(),
        "processors": os.cpu_count(),
        "load": [round(load, 2) for load in os.getloadavg()],  # before we added to it
        "system": platform.platform(),
        "python": sys.version.split()[0],
        "packages": {name: version(name) for name in PACKAGES},
    }
