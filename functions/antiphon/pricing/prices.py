"""The prices of `gateway.toml`, and behind them those of the list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from antiphon.pricing import listed
from antiphon.pricing.tokens import Tokens, Usage
from antiphon.settings.limits import Price, Rate
from antiphon.settings.targets import fits

MILLION = Decimal(1_000_000)

type Names = str | Sequence[str | None]  # of one model; what is None is not known


@dataclass(frozen=True)
class Rates:
    """US dollars for one token."""

    input: Decimal
    cached_input: Decimal
    output: Decimal


class Prices:
    """`own` are the prices of `gateway.toml`, by a model's name or a pattern with one `*`."""

    def __init__(self, own: Mapping[str, Price]) -> None:
        self._own = own

    def cost(
        self,
        model: Names,
        usage: Usage,
        provider: str = "openai",
        service_tier: str | None = None,
        at: float | None = None,
    ) -> Decimal | None:
        """US dollars for the tokens of one response, exactly; None where no price is known.

        Of a model's names the first that has a price counts. `at` is in epoch seconds, now if None.
        """
        tokens = Tokens.read(usage)
        if tokens is None:
            return None
        names = [model] if isinstance(model, str) else [name for name in model if name]
        for name in names:
            price = self._price(name)
            if price is not None:
                return _sum(price.tiers.get(service_tier or "", price), tokens)
        when = datetime.now(UTC) if at is None else datetime.fromtimestamp(at, UTC)
        costs = (listed.cost(name, tokens, provider, service_tier, when) for name in names)
        return next((cost for cost in costs if cost is not None), None)

    def rates(self, model: Names, provider: str = "openai", input_tokens: int = 1) -> Rates | None:
        """What a token costs at the standard tier where a request's input is as long as this."""
        n = max(input_tokens, 1)

        def cost(cached: int, output: int) -> Decimal | None:
            details = {"cached_tokens": cached}
            usage = {"input_tokens": n, "output_tokens": output, "input_tokens_details": details}
            return self.cost(model, usage, provider)

        fresh, cached, whole = cost(0, 0), cost(n, 0), cost(0, 1)
        if fresh is None or cached is None or whole is None:
            return None
        return Rates(fresh / n, cached / n, whole - fresh)

    def _price(self, name: str) -> Price | None:
        patterns = (price for glob, price in self._own.items() if fits(glob, name))
        return self._own.get(name) or next(patterns, None)


def _sum(rate: Rate, tokens: Tokens) -> Decimal:
    cached = rate.input if rate.cached_input is None else rate.cached_input
    written = rate.input if rate.cache_write is None else rate.cache_write
    counts = (tokens.input - tokens.cached - tokens.written, tokens.cached, tokens.written)
    prices = (rate.input, cached, written, rate.output)
    pairs = zip((*counts, tokens.output), prices, strict=True)
    # By way of text: a float's own digits are not those that stand in the file.
    return sum((count * Decimal(str(price)) for count, price in pairs), Decimal(0)) / MILLION
