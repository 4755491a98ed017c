"""How a long run reports its progress."""

from collections.abc import Callable

type Report = Callable[[str], None]


def with_prefix(report: Report, prefix: str) -> Report:
    """For a part of the run, which need not know what it is a part of."""
    return lambda text: report(f"{prefix}: {text}")
