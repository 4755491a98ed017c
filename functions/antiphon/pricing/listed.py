"""The price list of genai-prices: offline data, by model, day, length of input and service tier.

It takes 0.1 s and 7 MB to load, so it is loaded at the first question, and not where nobody asks.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from antiphon.pricing.tokens import Tokens

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, PriceCalculation, Provider

    type Found = tuple[Provider, ModelInfo]

STANDARD = {None, "auto", "default", "standard"}  # service tiers billed at the price itself
# Tiers by providers who say what part of their standard price each takes; the list goes before.
# https://developers.openai.com/api/docs/guides/flex-processing: at the rates of the Batch API,
# https://learn.microsoft.com/azure/foundry/openai/how-to/flex-processing: at a discount of 50%.
PARTS = {
    "openai": {"flex": Decimal("0.5")},
    "azure": {"flex": Decimal("0.5")},
}


def load() -> None:
    """Have the list ready before the first question."""
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415  slow, see above

    get_snapshot()


def cost(
    name: str, tokens: Tokens, provider: str, service_tier: str | None, when: datetime
) -> Decimal | None:
    """US dollars; None for a model or a tier that the list does not know."""
    found = _found(provider, name)
    if found is None:
        return None
    standard = _priced(found, tokens, when, {})
    if service_tier in STANDARD or provider not in PARTS:
        return standard.total_price
    tier = _priced(found, tokens, when, {"service_tier": str(service_tier)})
    if tier.model_price.__dict__ != standard.model_price.__dict__:
        return tier.total_price
    part = PARTS[provider].get(str(service_tier))
    return None if part is None else standard.total_price * part


@lru_cache(1000)  # the list's own memory has no bounds, and names come from callers
def _found(provider: str, name: str) -> "Found | None":
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415  slow, see above

    snapshot = get_snapshot()
    try:
        seller = snapshot.find_provider(None, provider, None)
    except LookupError:
        return None
    model = seller.find_model(name, all_providers=snapshot.providers)
    return None if model is None else (seller, model)


def _priced(
    found: "Found", tokens: Tokens, when: datetime, context: Mapping[str, str]
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
