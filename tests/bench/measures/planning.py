"""What it costs to know who calls and to plan, in this process: microseconds of CPU."""

import time
from collections.abc import Callable
from statistics import median
from typing import Any

from antiphon.auth import Auth
from antiphon.http import Request
from antiphon.ownership import Ownership
from antiphon.routing import Routing
from antiphon.schema.create import CreateResponse
from antiphon.settings import config
from antiphon.store import keys
from tests.bench.policies import judge_us
from tests.bench.progress import Report
from tests.bench.request import HEADERS, KEY, MODEL, WHOLE
from tests.bench.rig import Rig
from tests.bench.scale import Scale

TARGETS = 20
REPEATS = 5


class Nothing:
    """Has no rows: the request continues nothing."""


class OneKey:
    def get(self, key: str) -> keys.ApiKey | None:
        return keys.key_of_row(keys.key_row(key, "bench")) if key == KEY else None


async def measure(rig: Rig, scale: Scale, report: Report) -> dict[str, Any]:  # noqa: ARG001  in this process
    report(f"planning with {TARGETS} targets")
    auth, router = Auth(OneKey(), 300), _router()
    request = Request("bench", "POST", "", _headers(), WHOLE.body, time.monotonic() + 60)
    ask, caller = CreateResponse.parse(request.body), auth.identify(request)
    steps = router.route(ask, caller).candidates
    return {
        "targets": len(steps),
        "plan_us": _us(lambda: router.route(ask, caller), scale.plans),
        "auth_and_plan_us": _us(lambda: router.route(ask, auth.identify(request)), scale.plans),
        "parse_us": _us(lambda: CreateResponse.parse(request.body), scale.plans),
        "policies_us": judge_us(scale.plans),
    }


def _router() -> Routing:
    section = {"provider": "openai", "models": [MODEL, "gpt-*"]}
    targets = {f"target-{number}": section for number in range(TARGETS)}
    made = config.parse_config({"targets": targets}).targets
    return Routing(made, Ownership(Nothing(), Nothing(), Nothing()))


def _headers() -> dict[str, str]:
    return {name.lower(): value for name, value in HEADERS}


def _us(do: Callable[[], object], times: int) -> float:
    """The median of a few repeats."""
    return round(median(_once(do, times) for _ in range(REPEATS)), 2)


def _once(do: Callable[[], object], times: int) -> float:
    begun = time.process_time_ns()
    for _ in range(times):
        do()
    return (time.process_time_ns() - begun) / times / 1000
