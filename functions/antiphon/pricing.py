"""Prices of models, and costs of requests in US dollars.

A price in `gateway.toml` applies before the one of the package genai-prices, which has offline data
by model, day, length of input and service tier. That list takes 0.1 s and 7 MB to load, so it is
loaded when the first price is needed.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol, Self

from cachetools import TTLCache

from antiphon.settings.config import Price, Rate
from antiphon.settings.targets import BedrockTarget, OpenAITarget, Target, matches_pattern

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, PriceCalculation, Provider

    type ListedModel = tuple[Provider, ModelInfo]

NANO = 1_000_000_000  # nano-dollars in a US dollar
MILLION = Decimal(1_000_000)  # prices are for a million tokens
OPENAI, AZURE, BEDROCK = "openai", "azure", "aws"  # providers, as the list names them
MAX_CACHED_CHARS = 256  # of names that callers choose, because their rates are cached
CACHED_MODELS = 1_000
CACHED_RATES, CACHE_SECONDS = 1_000, 3_600.0  # prices change from one day to another
STANDARD_TIERS = {None, "auto", "default", "standard"}  # service tiers billed at the price itself
# Tiers of providers that document the share of the standard price; a price in the list applies
# first. https://developers.openai.com/api/docs/guides/flex-processing: at the rates of the Batch
# API; https://learn.microsoft.com/azure/foundry/openai/how-to/flex-processing: a discount of 50%.
TIER_SHARES = {
    OPENAI: {"flex": Decimal("0.5"), "batch": Decimal("0.5")},
    AZURE: {"flex": Decimal("0.5"), "batch": Decimal("0.5")},
}

type UsageObject = Mapping[str, Any]  # `usage` of a provider's response
type ModelNames = str | Sequence[str | None]  # names of one model; None is an unknown name
type TokenRates = tuple[Decimal, Decimal]  # nano-dollars for one token of input, and of output


@dataclass(frozen=True)
class PricedTokens:
    """Tokens with a price of their own; cached tokens are input too, reasoning is output."""

    input: int
    cached: int
    cache_write: int
    output: int

    @classmethod
    def read(cls, usage: UsageObject) -> Self | None:
        """Return None where the numbers are invalid or contradict each other."""
        details = usage.get("input_tokens_details")
        details = details if isinstance(details, Mapping) else {}
        numbers: tuple[Any, ...] = (
            usage.get("input_tokens"),
            details.get("cached_tokens") or 0,
            details.get("cache_write_tokens") or 0,
            usage.get("output_tokens"),
        )
        if not all(type(number) is int and number >= 0 for number in numbers):
            return None
        tokens = cls(*numbers)
        return tokens if tokens.cached + tokens.cache_write <= tokens.input else None


class Prices:
    """Computes the cost of one response by prices of `gateway.toml` and of the list."""

    def __init__(self, own: Mapping[str, Price]) -> None:
        """`own`: the prices of `gateway.toml` by the name of a model, or a pattern with a `*`."""
        self._own = own

    def cost(
        self,
        model: ModelNames,
        usage: UsageObject,
        provider: str = OPENAI,
        service_tier: str | None = None,
        at: float | None = None,
    ) -> Decimal | None:
        """Return the exact cost of the tokens in US dollars; None if no price is known.

        The first of the model's names that has a price decides. `at` is in epoch seconds, now
        if None.
        """
        tokens = PricedTokens.read(usage)
        if tokens is None:
            return None
        names = [model] if isinstance(model, str) else [name for name in model if name]
        for name in names:
            price = self._own_price(name)
            if price is not None:
                return _total_cost(price.tiers.get(service_tier or "", price), tokens)
        when = datetime.now(UTC) if at is None else datetime.fromtimestamp(at, UTC)
        costs = (listed_cost(name, tokens, provider, service_tier, when) for name in names)
        return next((cost for cost in costs if cost is not None), None)

    def _own_price(self, name: str) -> Price | None:
        matching = (price for glob, price in self._own.items() if matches_pattern(glob, name))
        return self._own.get(name) or next(matching, None)


class PricedResponse(Protocol):
    """What must be recorded of a response to compute its cost."""

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


class CostEstimator:
    """Chooses model name and service tier for every cost: reserved, settled, and reported."""

    def __init__(self, prices: Prices, targets: Mapping[str, Target]) -> None:
        self._prices = prices
        self._targets = targets
        self._providers: dict[str, str] = {}
        self._cached: TTLCache[tuple[str, str | None, int], TokenRates | None]
        self._cached = TTLCache(CACHED_RATES, CACHE_SECONDS)

    def cost(self, response: PricedResponse) -> Decimal | None:
        """Return what the target bills in US dollars; None if no price is known."""
        provider = self._provider(response.target)
        return self._cost(response, provider, response.service_tier)

    def budget_cost(self, response: PricedResponse) -> int | None:
        """Return the cost that counts against a budget; None if no price is known.

        A tier without a price at the target costs what OpenAI bills for it, or the standard price.
        """
        provider, tier = self._provider(response.target), response.service_tier
        for name, billed_tier in ((provider, tier), (OPENAI, tier), (provider, None)):
            dollars = self._cost(response, name, billed_tier)
            if dollars is not None:
                return math.ceil(dollars * NANO)
        return None

    def max_cost(self, model: str, input: int, output: int, service_tier: str | None) -> int | None:
        """Return the cost without cached tokens, at the target with the highest price.

        None if no price is known. Long inputs may cost more for each token, so the price is that
        of the next power of two.
        """
        if len(model) + len(service_tier or "") > MAX_CACHED_CHARS:
            return None
        key = model, service_tier, input.bit_length()
        if key not in self._cached:
            self._cached[key] = self._highest_rates(*key)
        rates = self._cached[key]
        return None if rates is None else math.ceil(input * rates[0] + output * rates[1])

    def _highest_rates(self, model: str, service_tier: str | None, bits: int) -> TokenRates | None:
        """Return the highest rates of all targets that have the model."""
        candidates = (
            self._rates(names, provider, service_tier, 1 << bits)
            for names, provider in self._providers_of(model)
        )
        found = [rates for rates in candidates if rates is not None]
        return (max(r[0] for r in found), max(r[1] for r in found)) if found else None

    def _providers_of(self, model: str) -> Iterator[tuple[ModelNames, str]]:
        """Yield the names of the model and the provider at each target that has it."""
        for name, target in self._targets.items():
            if target.upstream_model(model) is not None:
                yield model_names(target, model), self._provider(name)

    def _rates(
        self, names: ModelNames, provider: str, service_tier: str | None, input: int
    ) -> TokenRates | None:
        def cost(output: int) -> Decimal | None:
            usage = {"input_tokens": input, "output_tokens": output}
            return self._prices.cost(names, usage, provider, service_tier)

        input_cost, total_cost = cost(output=0), cost(output=1)
        if input_cost is None or total_cost is None:
            return None
        return input_cost * NANO / input, (total_cost - input_cost) * NANO

    def _cost(
        self, response: PricedResponse, provider: str, service_tier: str | None
    ) -> Decimal | None:
        if response.usage is None:
            return None
        target = self._targets.get(response.target)
        names = model_names(target, response.model, response.upstream_model)
        return self._prices.cost(names, response.usage, provider, service_tier, response.created_at)

    def _provider(self, target: str) -> str:
        """Return the provider that bills a target, which may not be configured any more."""
        if target not in self._providers:
            self._providers[target] = _provider_of(self._targets.get(target))
        return self._providers[target]


def model_names(
    target: Target | None, model: str | None, answered: str | None = None
) -> tuple[str | None, ...]:
    """Return the names of one model, those first that are certain to be a model's.

    `model` is the public name, `answered` the one in the provider's answer: what served, such as
    a dated snapshot. But Azure repeats the name of the deployment, which may be any word, also the
    name of another model: it prices nothing as long as the public name has a price. Nothing is
    certain of a target that is not configured any more.
    """
    own = target.upstream_model(model) if target is not None and model else None
    if isinstance(target, OpenAITarget):
        return answered, own, model
    if isinstance(target, BedrockTarget):  # where the name also says in which Regions it is served
        return own, answered, model
    if target is None or answered is None:
        return model, answered, own
    # Where patterns name the models, a deployment has the public name itself.
    public = target.public_models(answered) if isinstance(target.models, dict) else ()
    return (model, *public, answered) if public else (answered, model, own)


def to_dollars(cost: Decimal) -> str:
    """Return an exact cost without an exponent: 0.00225."""
    return format(cost.normalize(), "f")


def load_price_list() -> None:
    """Load the list before the first price is needed."""
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415  slow, see above

    get_snapshot()


def listed_cost(
    name: str, tokens: PricedTokens, provider: str, service_tier: str | None, when: datetime
) -> Decimal | None:
    """Return US dollars; None if the list does not know the model or the tier."""
    listed = _find_model(provider, name)
    if listed is None:
        return None
    standard = _calculate(listed, tokens, when, {})
    if service_tier in STANDARD_TIERS or provider not in TIER_SHARES:
        return standard.total_price
    tier = _calculate(listed, tokens, when, {"service_tier": str(service_tier)})
    if tier.model_price.__dict__ != standard.model_price.__dict__:
        return tier.total_price
    share = TIER_SHARES[provider].get(str(service_tier))
    return None if share is None else standard.total_price * share


def provider_at(address: str) -> str:
    """Return the provider at a target's address; OpenAI if the list does not know it."""
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415  slow, see above

    try:
        return get_snapshot().find_provider(None, None, address).id
    except LookupError:
        return OPENAI


@lru_cache(CACHED_MODELS)  # the list's own cache has no limit, and names come from callers
def _find_model(provider: str, name: str) -> "ListedModel | None":
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415  slow, see above

    snapshot = get_snapshot()
    try:
        listed_provider = snapshot.find_provider(None, provider, None)
    except LookupError:
        return None
    model = listed_provider.find_model(name, all_providers=snapshot.providers)
    return None if model is None else (listed_provider, model)


def _calculate(
    listed: "ListedModel", tokens: PricedTokens, when: datetime, context: Mapping[str, str]
) -> "PriceCalculation":
    from genai_prices import Usage  # noqa: PLC0415  slow, see above

    provider, model = listed
    usage = Usage(
        input_tokens=tokens.input,
        cache_read_tokens=tokens.cached,
        cache_write_tokens=tokens.cache_write,
        output_tokens=tokens.output,
    )
    return model.calc_price(usage, provider, genai_request_timestamp=when, price_context=context)


def _total_cost(rate: Rate, tokens: PricedTokens) -> Decimal:
    cached = rate.input if rate.cached_input is None else rate.cached_input
    cache_write = rate.input if rate.cache_write is None else rate.cache_write
    uncached = tokens.input - tokens.cached - tokens.cache_write
    pairs = (
        (uncached, rate.input),
        (tokens.cached, cached),
        (tokens.cache_write, cache_write),
        (tokens.output, rate.output),
    )
    # Converted as text, because a float may have other digits than the file.
    return sum((count * Decimal(str(price)) for count, price in pairs), Decimal(0)) / MILLION


def _provider_of(target: Target | None) -> str:
    if isinstance(target, OpenAITarget):
        return provider_at(target.base_url)
    if isinstance(target, BedrockTarget):
        return BEDROCK
    return OPENAI if target is None else AZURE
