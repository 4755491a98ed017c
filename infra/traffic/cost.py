"""What a request costs, computed from the tokens that its log line has.

The functions count costs when usage is settled, which is after the line: `antiphon usage` has
those. Both use the same prices.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from antiphon.pricing import CostEstimator, Prices
from antiphon.settings.config import Config
from infra.traffic.record import RequestRecord


@dataclass(frozen=True)
class _Priced:
    """A request as the estimator reads it."""

    target: str
    model: str | None
    usage: Mapping[str, Any]
    service_tier: str | None
    created_at: int
    upstream_model: str | None = None


class RequestCosts:
    """Adds its cost to a request whose tokens are known."""

    def __init__(self, config: Config) -> None:
        self._estimator = CostEstimator(Prices(config.prices), config.targets)

    def add_to(self, record: RequestRecord) -> RequestRecord:
        if record.target is None or record.input_tokens is None or record.output_tokens is None:
            return record
        usage = {
            "input_tokens": record.input_tokens,
            "input_tokens_details": {"cached_tokens": record.cached_tokens or 0},
            "output_tokens": record.output_tokens,
        }
        cost = self._estimator.cost(
            _Priced(record.target, record.model, usage, record.service_tier, int(record.time))
        )
        return record if cost is None else replace(record, cost_usd=float(cost))
