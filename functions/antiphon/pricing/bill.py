"""What responses have cost, by what is on record of them."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Protocol

from antiphon.pricing import listed
from antiphon.pricing.prices import Prices
from antiphon.pricing.tokens import Usage
from antiphon.settings.targets import OpenAITarget, Target


class Spent(Protocol):
    """What is on record of a response that has cost something."""

    @property
    def target(self) -> str: ...
    @property
    def model(self) -> str | None: ...
    @property
    def upstream_model(self) -> str | None: ...
    @property
    def usage(self) -> Usage | None: ...
    @property
    def service_tier(self) -> str | None: ...
    @property
    def created_at(self) -> int: ...


class Bill:
    """Prices responses by the targets that served them."""

    def __init__(self, prices: Prices, targets: Mapping[str, Target]) -> None:
        self._prices = prices
        self._targets = targets
        self._providers: dict[str, str] = {}

    def __call__(self, spent: Spent) -> Decimal | None:
        """US dollars; None where no price is known. The provider's own name of a model counts."""
        if spent.usage is None:
            return None
        names = (spent.upstream_model, spent.model)
        provider = self.provider(spent.target)
        return self._prices.cost(names, spent.usage, provider, spent.service_tier, spent.created_at)

    def provider(self, name: str) -> str:
        """Whose prices hold at a target, which may be configured no more."""
        if name not in self._providers:
            self._providers[name] = _provider_of(self._targets.get(name))
        return self._providers[name]


def _provider_of(target: Target | None) -> str:
    if isinstance(target, OpenAITarget):
        return listed.provider_at(target.base_url)
    return "openai" if target is None else "azure"
