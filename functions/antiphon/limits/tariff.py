"""What requests cost in whole nano-dollars: at most beforehand, and in truth afterwards."""

import math
from collections.abc import Iterator, Mapping
from decimal import Decimal

from cachetools import TTLCache

from antiphon.limits.meters import NANO
from antiphon.pricing import Bill, Prices
from antiphon.pricing.prices import Names
from antiphon.pricing.tokens import Usage
from antiphon.settings.targets import Target

OPENAI = "openai"
LONGEST_NAME = 256  # for names come from callers, and are remembered
REMEMBERED, SECONDS = 1_000, 3_600.0  # prices change from one day to another

type Pair = tuple[Decimal, Decimal]  # nano-dollars for a token in, and for one out


class Tariff:
    """The price list is loaded at the first question, so only callers with a budget wait for it."""

    def __init__(self, prices: Prices, targets: Mapping[str, Target]) -> None:
        self._prices = prices
        self._targets = targets
        self._provider = Bill(prices, targets).provider
        self._known: TTLCache[tuple[str, str | None, int], Pair | None]
        self._known = TTLCache(REMEMBERED, SECONDS)

    def most(self, model: str, input: int, output: int, tier: str | None) -> int | None:
        """With nothing from the cache; None where no price is known."""
        # Long inputs may cost more for each token: asked for at the next power of two.
        key = model, tier, input.bit_length()
        if len(model) + len(tier or "") > LONGEST_NAME:
            return None
        if key not in self._known:
            self._known[key] = self._rates(*key)
        rates = self._known[key]
        return None if rates is None else math.ceil(input * rates[0] + output * rates[1])

    def cost(self, model: Names, usage: Usage, target: str | None, tier: str | None) -> int | None:
        """As the target bills it, else as OpenAI would; None where no price is known."""
        provider = OPENAI if target is None else self._provider(target)
        for whose, at in ((provider, tier), (OPENAI, tier), (provider, None)):
            dollars = self._prices.cost(model, usage, whose, at)
            if dollars is not None:
                return math.ceil(dollars * NANO)
        return None

    def _rates(self, model: str, tier: str | None, bits: int) -> Pair | None:
        """The highest of those targets that may be asked."""
        found = [
            pair for pair in (self._pair(*at, tier, 1 << bits) for at in self._at(model)) if pair
        ]
        return (max(p[0] for p in found), max(p[1] for p in found)) if found else None

    def _at(self, model: str) -> Iterator[tuple[Names, str]]:
        """What the targets that have a model call it, and whose prices hold there."""
        for name, target in self._targets.items():
            upstream = target.upstream_model(model)
            if upstream is not None:
                yield (upstream, model), self._provider(name)

    def _pair(self, names: Names, provider: str, tier: str | None, input: int) -> Pair | None:
        def cost(output: int) -> Decimal | None:
            usage = {"input_tokens": input, "output_tokens": output}
            return self._prices.cost(names, usage, provider, tier)

        read, whole = cost(0), cost(1)
        if read is None or whole is None:
            return None
        return read * NANO / input, (whole - read) * NANO
