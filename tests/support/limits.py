"""Callers with limits, a table in this process and a clock that does not move by itself."""

from dataclasses import dataclass
from typing import Any

import pytest

from antiphon.auth import Caller
from antiphon.errors import GatewayError, Unavailable
from antiphon.http import Request
from antiphon.limits.admission import Admission
from antiphon.limits.counters import is_stale
from antiphon.limits.reservation import Reservation
from antiphon.pricing import CostEstimator, Prices
from antiphon.schema.create import CreateResponse
from antiphon.settings.config import Limits, Price
from antiphon.settings.targets import AzureTarget, OpenAITarget
from antiphon.store.dynamodb import Table
from antiphon.store.limit_rows import LimitRows
from antiphon.store.moved_reservations import has_ends
from antiphon.store.queue import Queue
from tests.support.dynamodb import make_link

NOON = 1_795_348_800.0  # 2026-11-22 12:00:00 UTC, a Sunday
HOUR, DAY = 3_600.0, 86_400.0
NANO = 10**9  # nano-dollars in a dollar
# Counters of `key_1` at noon.
SPENT, MINUTE, IN_FLIGHT = "key_1_u202611", "key_1_t29922480", "key_1_n"
# A dollar for each token, so that sums are easy to read.
DOLLAR = Price(input=1_000_000, output=1_000_000)
OWN_PRICES = {"dear": DOLLAR, "cheap": Price(input=0, output=1)}
TARGETS = {
    "openai": OpenAITarget(provider="openai", models=["*"]),
    "azure": AzureTarget(
        provider="azure", endpoint="https://acme.example", models={"public": "gpt-5"}
    ),
    "groq": OpenAITarget(
        provider="openai", base_url="https://api.groq.com/openai/v1", models=["llama-*"]
    ),
}
BODY = b"x" * 29  # estimated as ten tokens
ALL_LIMITS = Caller("acme", "key_1", None, Limits(tpm=9_999, streams=3, budget_usd=9_999.0))
RESERVED = 100  # tokens that `reserve` reserves, and dollars


@dataclass
class Clock:
    now: float = NOON

    def __call__(self) -> float:
        return self.now


def make_admission(
    table: Table, clock: Any = None, tenants: dict[str, Limits] | None = None, **more: Any
) -> Admission:
    """`more`: `default_output_tokens`, `settle_seconds` and `queue`; without a queue it fails."""
    rows = LimitRows(table, more.get("settle_seconds", DAY), is_stale, clock or Clock())
    costs = CostEstimator(Prices(OWN_PRICES), TARGETS)
    queue = more.get("queue") or Queue(_no_queue, "")
    return Admission(rows, queue, costs, tenants or {}, more.get("default_output_tokens", 1_000))


def _no_queue() -> Any:
    raise Unavailable("There is no queue.")


def make_caller(key_id: str = "key_1", tenant: str = "acme", **limits: Any) -> Caller:
    return Caller(tenant, key_id, None, Limits(**limits))


def make_create(model: str | None = "dear", **more: Any) -> CreateResponse:
    return CreateResponse.of({"model": model, "input": "x", **more})


def make_request(id: str = "req_1", body: bytes = BODY, **more: Any) -> Request:
    return Request(id, "POST", body=body, **more)


def reserve(
    admission: Admission, caller: Caller = ALL_LIMITS, id: str = "req_1", **more: Any
) -> Reservation:
    """Admit a request of RESERVED tokens."""
    return admission.admit(make_create(max_output_tokens=90), caller, make_request(id, **more))


def refuse[E: GatewayError](
    admission: Admission, error: type[E], caller: Caller, body: CreateResponse | None = None
) -> E:
    """Return the error of one more request."""
    with pytest.raises(error) as refused:
        admission.admit(body or make_create(), caller, make_request("more"))
    return refused.value


def make_usage(input: int, output: int, cached: int = 0) -> dict[str, Any]:
    return {
        "input_tokens": input,
        "input_tokens_details": {"cached_tokens": cached},
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": input + output,
    }


def settle(reservation: Reservation, usage: Any = None, **more: Any) -> bool:
    """Settles as a link with this usage does; without usage it has not ended. `more`: of the link."""
    fields = {"created_ms": int(NOON * 1000), "model": "dear", "usage": usage, **more}
    status = "in_progress" if usage is None else "completed"
    return reservation.settle_for(make_link(status=status, **fields))


def read_settled(table: Table, row: str) -> dict[str, Any]:
    """Reads a row of counters after all ends in it are counted."""
    while has_ends(found := table.get(row, "LIMITS") or {}):
        LimitRows(table, DAY, is_stale, Clock()).moved.tidy(found)
    return found


def count_held(row: dict[str, Any]) -> int:
    """How many reservations there are, in the row or in rows of their own."""
    return sum(name.startswith("held_") for name in row) + row.get("moved", 0)
