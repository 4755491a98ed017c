"""Callers with limits, over a table in this process and a clock that stands still."""

from dataclasses import dataclass
from typing import Any

from antiphon.auth import Caller
from antiphon.http import Request
from antiphon.limits.admission import Admission
from antiphon.limits.counters import is_stale
from antiphon.limits.reservation import Settlement
from antiphon.pricing import CostEstimator, Prices
from antiphon.schema.create import CreateResponse
from antiphon.settings.config import AzureTarget, Limits, OpenAITarget, Price
from antiphon.store.dynamodb import Table
from antiphon.store.reservations import LimitRows

NOON = 1_795_348_800.0  # 2026-11-22 12:00:00 UTC, a Sunday
HOUR, DAY = 3_600.0, 86_400.0
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


@dataclass
class Clock:
    now: float = NOON

    def __call__(self) -> float:
        return self.now


def make_admission(
    table: Table, clock: Any = None, tenants: dict[str, Limits] | None = None, **more: Any
) -> Admission:
    """`more`: `usual_output`, the estimate of output tokens, and `patience` in seconds."""
    clock = clock or Clock()
    rows = LimitRows(table, more.get("patience", DAY), is_stale, clock)
    settlement = Settlement(rows, CostEstimator(Prices(OWN_PRICES), TARGETS), clock)
    return Admission(settlement, tenants or {}, more.get("usual_output", 1_000))


def make_caller(key_id: str = "key_1", tenant: str = "acme", **limits: Any) -> Caller:
    return Caller(tenant, key_id, None, Limits(**limits))


def make_create(model: str | None = "dear", **more: Any) -> CreateResponse:
    return CreateResponse.of({"model": model, "input": "x", **more})


def make_request(id: str = "req_1", body: bytes = BODY, **more: Any) -> Request:
    return Request(id, "POST", body=body, **more)


def make_usage(input: int, output: int, cached: int = 0) -> dict[str, Any]:
    return {
        "input_tokens": input,
        "input_tokens_details": {"cached_tokens": cached},
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": input + output,
    }
