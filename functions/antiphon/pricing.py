"""The figures of a response that have prices of their own.

The price list of genai-prices: offline data, by model, day, length of input and service tier.

It takes 0.1 s and 7 MB to load, so it is loaded at the first question, and not where nobody asks.


The prices of `gateway.toml`, and behind them those of the list.

What responses have cost, by what is on record of them.

What requests cost in whole nano-dollars: at most beforehand, and in truth afterwards.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from cachetools import TTLCache

from antiphon.settings.config import OpenAITarget, Price, Rate, Target, matches_pattern

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, PriceCalculation, Provider

    type ListedModel = tuple[Provider, ModelInfo]


NANO = 1_000_000_000  # US dollars are counted in whole nano-dollars
CACHE_WRITE_TOKENS = "cache_write_tokens"

type UsageObject = Mapping[str, Any]  # as a provider tells it in a response


@dataclass(frozen=True)
class PricedTokens:
    """What is priced apart; all input is `input`, cached or not, and reasoning is output."""

    input: int
    cached: int
    written: int  # to the cache, at a price of its own
    output: int

    @classmethod
    def read(cls, usage: UsageObject) -> "PricedTokens | None":
        """None where the figures are no figures, or contradict each other."""
        details = usage.get("input_tokens_details")
        details = details if isinstance(details, Mapping) else {}
        cached, written = (details.get(name) or 0 for name in ("cached_tokens", CACHE_WRITE_TOKENS))
        figures: tuple[Any, ...] = (
            usage.get("input_tokens"),
            cached,
            written,
            usage.get("output_tokens"),
        )
        if not all(type(figure) is int and figure >= 0 for figure in figures):
            return None
        tokens = cls(*figures)
        return tokens if tokens.cached + tokens.written <= tokens.input else None


STANDARD_TIERS = {None, "auto", "default", "standard"}  # service tiers billed at the price itself
# Tiers by providers who say what part of their standard price each takes; the list goes before.
# https://developers.openai.com/api/docs/guides/flex-processing: at the rates of the Batch API,
# https://learn.microsoft.com/azure/foundry/openai/how-to/flex-processing: at a discount of 50%.
TIER_SHARES = {
    "openai": {"flex": Decimal("0.5")},
    "azure": {"flex": Decimal("0.5")},
}


def load_price_list() -> None:
    """Have the list ready before the first question."""
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415  slow, see above

    get_snapshot()


def listed_cost(
    name: str, tokens: PricedTokens, provider: str, service_tier: str | None, when: datetime
) -> Decimal | None:
    """US dollars; None for a model or a tier that the list does not know."""
    found = _find_model(provider, name)
    if found is None:
        return None
    standard = _calculate(found, tokens, when, {})
    if service_tier in STANDARD_TIERS or provider not in TIER_SHARES:
        return standard.total_price
    tier = _calculate(found, tokens, when, {"service_tier": str(service_tier)})
    if tier.model_price.__dict__ != standard.model_price.__dict__:
        return tier.total_price
    part = TIER_SHARES[provider].get(str(service_tier))
    return None if part is None else standard.total_price * part


@lru_cache(1000)  # the list's own memory has no bounds, and names come from callers
def _find_model(provider: str, name: str) -> "ListedModel | None":
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415  slow, see above

    snapshot = get_snapshot()
    try:
        seller = snapshot.find_provider(None, provider, None)
    except LookupError:
        return None
    model = seller.find_model(name, all_providers=snapshot.providers)
    return None if model is None else (seller, model)


def _calculate(
    found: "ListedModel", tokens: PricedTokens, when: datetime, context: Mapping[str, str]
) -> "PriceCalculation":
    from genai_prices import Usage  # noqa: PLC0415  slow, see above

    seller, model = found
    usage = Usage(
        input_tokens=tokens.input,
        cache_read_tokens=tokens.cached,
        cache_write_tokens=tokens.written,
        output_tokens=tokens.output,
    )
    return model.calc_price(usage, seller, genai_request_timestamp=when, price_context=context)


def provider_at(address: str) -> str:
    """Whose prices hold at a target's address: OpenAI's, if the list does not know it."""
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415  slow, see above

    try:
        return get_snapshot().find_provider(None, None, address).id
    except LookupError:
        return "openai"


MILLION = Decimal(1_000_000)

type ModelNames = str | Sequence[str | None]  # of one model; what is None is not known


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
        model: ModelNames,
        usage: UsageObject,
        provider: str = "openai",
        service_tier: str | None = None,
        at: float | None = None,
    ) -> Decimal | None:
        """US dollars for the tokens of one response, exactly; None where no price is known.

        Of a model's names the first that has a price counts. `at` is in epoch seconds, now if None.
        """
        tokens = PricedTokens.read(usage)
        if tokens is None:
            return None
        names = [model] if isinstance(model, str) else [name for name in model if name]
        for name in names:
            price = self._price(name)
            if price is not None:
                return _total_price(price.tiers.get(service_tier or "", price), tokens)
        when = datetime.now(UTC) if at is None else datetime.fromtimestamp(at, UTC)
        costs = (listed_cost(name, tokens, provider, service_tier, when) for name in names)
        return next((cost for cost in costs if cost is not None), None)

    def rates(
        self, model: ModelNames, provider: str = "openai", input_tokens: int = 1
    ) -> Rates | None:
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
        patterns = (price for glob, price in self._own.items() if matches_pattern(glob, name))
        return self._own.get(name) or next(patterns, None)


def _total_price(rate: Rate, tokens: PricedTokens) -> Decimal:
    cached = rate.input if rate.cached_input is None else rate.cached_input
    written = rate.input if rate.cache_write is None else rate.cache_write
    counts = (tokens.input - tokens.cached - tokens.written, tokens.cached, tokens.written)
    prices = (rate.input, cached, written, rate.output)
    pairs = zip((*counts, tokens.output), prices, strict=True)
    # By way of text: a float's own digits are not those that stand in the file.
    return sum((count * Decimal(str(price)) for count, price in pairs), Decimal(0)) / MILLION


class PricedResponse(Protocol):
    """What is on record of a response that has cost something."""

    @property
    def target(self) -> str: ...
    @property
    def model(self) -> str | None: ...
    @property
    def upstream_model(self) -> str | None: ...
    @property
    def usage(self) -> UsageObject | None: ...
    @property
    def service_tier(self) -> str | None: ...
    @property
    def created_at(self) -> int: ...


class UsageCost:
    """Prices responses by the targets that served them."""

    def __init__(self, prices: Prices, targets: Mapping[str, Target]) -> None:
        self._prices = prices
        self._targets = targets
        self._providers: dict[str, str] = {}

    def __call__(self, spent: PricedResponse) -> Decimal | None:
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
        return provider_at(target.base_url)
    return "openai" if target is None else "azure"


OPENAI = "openai"
MAX_NAME_CHARS = 256  # for names come from callers, and are remembered
CACHED_RATES, CACHE_SECONDS = 1_000, 3_600.0  # prices change from one day to another

type TokenRates = tuple[Decimal, Decimal]  # nano-dollars for a token in, and for one out


class CostEstimator:
    """The price list is loaded at the first question, so only callers with a budget wait for it."""

    def __init__(self, prices: Prices, targets: Mapping[str, Target]) -> None:
        self._prices = prices
        self._targets = targets
        self._provider = UsageCost(prices, targets).provider
        self._known: TTLCache[tuple[str, str | None, int], TokenRates | None]
        self._known = TTLCache(CACHED_RATES, CACHE_SECONDS)

    def most(self, model: str, input: int, output: int, tier: str | None) -> int | None:
        """With nothing from the cache; None where no price is known."""
        # Long inputs may cost more for each token: asked for at the next power of two.
        key = model, tier, input.bit_length()
        if len(model) + len(tier or "") > MAX_NAME_CHARS:
            return None
        if key not in self._known:
            self._known[key] = self._rates(*key)
        rates = self._known[key]
        return None if rates is None else math.ceil(input * rates[0] + output * rates[1])

    def cost(
        self, model: ModelNames, usage: UsageObject, target: str | None, tier: str | None
    ) -> int | None:
        """As the target bills it, else as OpenAI would; None where no price is known."""
        provider = OPENAI if target is None else self._provider(target)
        for whose, at in ((provider, tier), (OPENAI, tier), (provider, None)):
            dollars = self._prices.cost(model, usage, whose, at)
            if dollars is not None:
                return math.ceil(dollars * NANO)
        return None

    def _rates(self, model: str, tier: str | None, bits: int) -> TokenRates | None:
        """The highest of those targets that may be asked."""
        found = [
            pair for pair in (self._pair(*at, tier, 1 << bits) for at in self._at(model)) if pair
        ]
        return (max(p[0] for p in found), max(p[1] for p in found)) if found else None

    def _at(self, model: str) -> Iterator[tuple[ModelNames, str]]:
        """What the targets that have a model call it, and whose prices hold there."""
        for name, target in self._targets.items():
            upstream = target.upstream_model(model)
            if upstream is not None:
                yield (upstream, model), self._provider(name)

    def _pair(
        self, names: ModelNames, provider: str, tier: str | None, input: int
    ) -> TokenRates | None:
        def cost(output: int) -> Decimal | None:
            usage = {"input_tokens": input, "output_tokens": output}
            return self._prices.cost(names, usage, provider, tier)

        read, whole = cost(0), cost(1)
        if read is None or whole is None:
            return None
        return read * NANO / input, (whole - read) * NANO
