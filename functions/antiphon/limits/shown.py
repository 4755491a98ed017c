"""Limits as OpenAI's headers show them: https://platform.openai.com/docs/guides/rate-limits."""

import math
from collections.abc import Iterable, Mapping

from antiphon.limits.meters import MINUTE, REQUESTS, TOKENS, Meter

NAMES = {REQUESTS: "requests", TOKENS: "tokens"}


def headers(meters: Iterable[Meter], row: Mapping[str, int], now: float) -> dict[str, str]:
    """Of a key's limit and a tenant's the one that has less left."""
    shown: dict[str, tuple[int, Meter]] = {}
    for meter in meters:
        left = max(meter.most - row.get(meter.counter, 0), 0)
        if meter.kind in NAMES and left <= shown.get(meter.kind, (left, meter))[0]:
            shown[meter.kind] = left, meter
    reset = duration(seconds_left(now))
    told: dict[str, str] = {}
    for kind, (left, meter) in shown.items():
        told[f"x-ratelimit-limit-{NAMES[kind]}"] = str(meter.most)
        told[f"x-ratelimit-remaining-{NAMES[kind]}"] = str(left)
        told[f"x-ratelimit-reset-{NAMES[kind]}"] = reset
    return told


def seconds_left(now: float) -> int:
    """Until the next minute of the clock, when the counting begins anew."""
    return math.ceil(MINUTE - now % MINUTE)


def duration(seconds: int) -> str:
    minutes, rest = divmod(seconds, MINUTE)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def dollars(nano: int) -> str:
    """Rounded up to a millionth: $0.25, $10, $0.000001."""
    text = f"{math.ceil(nano / 1000) / 1_000_000:,.6f}".rstrip("0").rstrip(".")
    return f"${text}"
