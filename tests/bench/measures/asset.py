"""How large the functions' asset is, as a deployment would build it for this machine."""

from typing import Any

from tests.bench.progress import Report
from tests.bench.rig import Rig
from tests.bench.scale import Scale


async def measure(rig: Rig, scale: Scale, report: Report) -> dict[str, Any]:  # noqa: ARG001  it is built
    """Megabytes, the trimmed boto3 among them."""
    return rig.task.sizes or {"not_measured": rig.task.about}
