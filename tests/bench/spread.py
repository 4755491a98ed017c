"""Many measurements of one thing in a few figures."""

from collections.abc import Sequence
from statistics import quantiles

PERCENTILES = (50, 90, 99)
DIGITS = 4

type Spread = dict[str, float]


def spread(values: Sequence[float]) -> Spread:
    """The percentiles p50, p90 and p99, and `n`."""
    cuts = quantiles(values, n=100, method="inclusive") if len(values) > 1 else [*values] * 99
    return {**{f"p{p}": round(cuts[p - 1], DIGITS) for p in PERCENTILES}, "n": len(values)}


def added(more: Spread, less: Spread) -> Spread:
    """Percentile less percentile."""
    return {f"p{p}": round(more[f"p{p}"] - less[f"p{p}"], DIGITS) for p in PERCENTILES}


def median(values: Sequence[float | None]) -> float | None:
    """None where one of them is not known."""
    known = [value for value in values if value is not None]
    return spread(known)["p50"] if known and len(known) == len(values) else None
