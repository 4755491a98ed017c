"""Costs of tokens; comments give prices for a million tokens, and the arithmetic."""

import subprocess
import sys
from decimal import Decimal

import pytest

from antiphon.pricing import CostEstimator, Prices, provider_at
from antiphon.settings.config import parse_config
from antiphon.settings.targets import AzureTarget, BedrockTarget, OpenAITarget
from tests.support import limits
from tests.support.dynamodb import make_link

LISTED = Prices({})
AT = 1_795_305_600  # 2026-11-22, by the prices of that day
ESTIMATOR = CostEstimator(Prices(limits.OWN_PRICES), limits.TARGETS)
TARGETS = {"t": {"provider": "openai", "models": ["*"]}}


def usage(input=1000, output=100, cached=0, written=0, reasoning=0):
    return {
        "input_tokens": input,
        "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": written},
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": reasoning},
    }


def own(**prices):
    return Prices(parse_config({"targets": TARGETS, "prices": prices}).prices)


def usd(text):
    return Decimal(text)


@pytest.mark.parametrize(
    ("model", "tokens", "expected"),
    [
        # gpt-5: 1.25 in, 0.125 cached, 10 out
        ("gpt-5", usage(), "0.00225"),  # 1000 * 1.25 + 100 * 10 = 2250
        ("gpt-5", usage(cached=400), "0.0018"),  # 600 * 1.25 + 400 * 0.125 + 1000 = 1800
        ("gpt-5", usage(cached=1000, output=0), "0.000125"),
        ("gpt-5", usage(reasoning=60), "0.00225"),  # reasoning is output already
        ("gpt-5", usage(0, 0), "0"),
        ("gpt-5-2025-08-07", usage(), "0.00225"),
        ("GPT-5", usage(), "0.00225"),
        # gpt-5-mini: 0.25, 0.025, 2
        ("gpt-5-mini", usage(cached=1), "0.000449775"),  # 999 * 0.25 + 0.025 + 200 = 449.775
        # gpt-4o-2024-05-13 has a price of its own: 5, 15
        ("gpt-4o-2024-05-13", usage(), "0.0065"),
        ("gpt-4o", usage(), "0.0035"),  # 2.5, 10
        # gpt-5.6-sol: 4, cached 0.4, written 5, 20; all twice the price above 272,000
        ("gpt-5.6-sol", usage(cached=400, written=200), "0.00476"),  # 1600 + 160 + 1000 + 2000
        ("gpt-5.6-sol", usage(272_000, 0), "1.088"),
        ("gpt-5.6-sol", usage(272_001, 0), "2.176008"),
        # without a price for cached input, it is input: o1-pro is 150, 600
        ("o1-pro", usage(cached=400), "0.21"),  # 150,000 + 60,000
        ("ft:gpt-4o-mini-2024-07-18:acme::abc", usage(), "0.00042"),  # 0.3, 1.2: 300 + 120
    ],
)
def test_tokens_cost_the_listed_price(model, tokens, expected):
    assert LISTED.cost(model, tokens, at=AT) == usd(expected)


@pytest.mark.parametrize(
    ("model", "provider", "tier", "expected"),
    [
        ("gpt-5", "openai", None, "0.0018"),
        ("gpt-5", "openai", "auto", "0.0018"),
        ("gpt-5", "openai", "default", "0.0018"),
        ("gpt-5", "openai", "flex", "0.0009"),  # 0.625, 0.0625, 5: half of it
        ("gpt-5", "openai", "priority", "0.0036"),  # 2.5, 0.25, 20: twice
        ("gpt-5-mini", "openai", "priority", "0.000648"),  # 0.45, 0.045, 3.6: 270 + 18 + 360
        ("gpt-5", "openai", "scale", None),  # bought for a time, not for tokens
        ("gpt-5-pro", "openai", "flex", "0.0135"),  # half of 15 and 120: 7500 + 6000
        ("gpt-5", "azure", None, "0.0018"),
        ("gpt-5", "azure", "flex", "0.0009"),  # as Azure documents it
        ("gpt-5", "azure", "priority", None),  # Azure documents no figure
        ("llama-3.3-70b-versatile", "groq", "on_demand", "0.000669"),  # 0.59, 0.79: 590 + 79
    ],
)
def test_a_service_tier_costs_what_its_provider_bills(model, provider, tier, expected):
    cost = LISTED.cost(model, usage(cached=400), provider, tier, AT)
    assert cost == (expected and usd(expected))


def test_the_price_of_the_day_applies():
    """gpt-5.6-sol cost 5 and 30 until 2026-08-21, and 4 and 20 since then."""
    before = AT - 100 * 86_400  # 2026-08-14
    assert LISTED.cost("gpt-5.6-sol", usage(), at=before) == usd("0.008")
    assert LISTED.cost("gpt-5.6-sol", usage(), at=AT) == usd("0.006")


@pytest.mark.parametrize("model", ["sim-reasoning", "gpt-5-prod", "", "#", "x" * 5000])
@pytest.mark.parametrize("provider", ["openai", "azure", "unknown"])
def test_an_unknown_model_has_no_price(model, provider):
    assert LISTED.cost(model, usage(), provider) is None


@pytest.mark.parametrize(
    "tokens",
    [
        {},
        usage(cached=1001),
        usage(cached=600, written=600),
        usage(input=-1),
        usage(input="1000"),
        usage(output=1.5),
        usage(output=None),
        usage(input=True),
        {**usage(), "input_tokens_details": {"cached_tokens": "many"}},
    ],
)
def test_invalid_usage_has_no_cost(tokens):
    assert LISTED.cost("gpt-5", tokens) is None
    assert own(**{"gpt-5": {"input": 1, "output": 1}}).cost("gpt-5", tokens) is None


@pytest.mark.parametrize("details", [None, {}, [], {"cached_tokens": None}])
def test_missing_cache_details_count_as_zero(details):
    assert LISTED.cost("gpt-5", {**usage(), "input_tokens_details": details}) == usd("0.00225")


def test_own_prices_apply_before_the_list():
    prices = own(**{"gpt-5": {"input": 1.1, "cached_input": 0.1, "output": 3}})
    assert prices.cost("gpt-5", usage(cached=400)) == usd("0.001")  # 660 + 40 + 300
    assert prices.cost("gpt-5", usage(cached=400), "azure") == usd("0.001")
    assert prices.cost("gpt-5-mini", usage()) == usd("0.00045")


def test_own_prices_may_omit_those_of_the_cache():
    prices = own(tuned={"input": 2, "output": 4})
    assert prices.cost("tuned", usage(cached=500, written=300)) == usd("0.0024")
    prices = own(tuned={"input": 2, "output": 4, "cache_write": 3, "cached_input": 0})
    # 200 * 2 + 300 * 3 + 100 * 4
    assert prices.cost("tuned", usage(cached=500, written=300)) == usd("0.0017")


def test_own_prices_may_be_set_by_tier():
    tiers = {"flex": {"input": 0.5, "output": 2}}
    prices = own(tuned={"input": 1, "output": 4, "tiers": tiers})
    assert prices.cost("tuned", usage(), service_tier="flex") == usd("0.0007")
    assert prices.cost("tuned", usage(), service_tier="default") == usd("0.0014")
    assert prices.cost("tuned", usage(), service_tier="priority") == usd("0.0014")
    assert prices.cost("tuned", usage()) == usd("0.0014")


def test_own_prices_may_be_set_by_pattern():
    prices = own(**{"ft:*": {"input": 9, "output": 9}, "ft:mine": {"input": 1, "output": 1}})
    assert prices.cost("ft:mine", usage()) == usd("0.0011")
    assert prices.cost("ft:gpt-4o-mini-2024-07-18:acme::abc", usage()) == usd("0.0099")


def test_the_first_name_with_a_price_decides_and_own_prices_go_first():
    names = ["gpt-5-prod", None, "gpt-5"]
    assert LISTED.cost(names, usage(), "azure") == usd("0.00225")
    assert own(**{"gpt-5": {"input": 1, "output": 1}}).cost(names, usage()) == usd("0.0011")
    prices = own(mine={"input": 1, "output": 1})
    assert prices.cost(["gpt-5-2025-08-07", "mine"], usage()) == usd("0.0011")
    assert LISTED.cost([None], usage()) is None


def test_a_sum_of_many_costs_is_exact():
    total = sum((LISTED.cost("gpt-5-mini", usage(1, 1, cached=1)) for _ in range(1000)), Decimal(0))
    assert total == usd("0.002025")  # 1000 * (0.025 + 2)


@pytest.mark.parametrize(
    ("address", "provider"),
    [
        ("https://api.openai.com/v1", "openai"),
        ("https://eu.api.openai.com/v1", "openai"),
        ("https://api.groq.com/openai/v1", "groq"),
        ("http://127.0.0.1:9/v1", "openai"),
        ("https://proxy.acme.example/v1", "openai"),
    ],
)
def test_an_address_decides_the_provider(address, provider):
    assert provider_at(address) == provider


def test_the_list_is_not_loaded_before_the_first_price():
    code = (
        "import sys, antiphon.pricing as p; p.Prices({}); sys.exit('genai_prices' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("model", "input", "output", "tier", "nano"),
    [
        ("dear", 2, 3, None, 5 * 10**9),
        ("cheap", 9, 1, None, 1_000),
        ("gpt-5", 1_000, 100, None, 2_250_000),
        ("gpt-5", 1_000, 100, "priority", 4_500_000),
        ("gpt-5", 0, 0, None, 0),
        ("gpt-5.6-sol", 300_000, 0, None, 2_400_000_000),  # 8 a million, above 272,000
        ("gpt-5", 1_000, 100, "scale", None),
        ("sim-text", 1, 1, None, None),
        ("", 1, 1, None, None),
        ("gpt-5" + "x" * 300, 1, 1, None, None),
        ("public", 1_000, 100, None, 2_250_000),  # by the name that its only target has for it
        ("llama-3.3-70b-versatile", 1_000, 100, None, 669_000),  # listed for groq
    ],
)
def test_the_maximum_cost_of_a_request_is_known_before_it_is_sent(model, input, output, tier, nano):
    for _ in range(2):
        assert ESTIMATOR.max_cost(model, input, output, tier) == nano


def response(target, model, answered=None, tokens=None, **more):
    tokens = tokens or usage(1_000_000, 0)
    fields = {"created_ms": AT * 1000, "usage": tokens, "upstream_model": answered, **more}
    return make_link(target=target, model=model, **fields)


def test_a_cost_is_never_rounded_down():
    tokens = limits.make_usage(1, 0, cached=1)
    assert ESTIMATOR.budget_cost(response("gone", "gpt-5-mini", tokens=tokens)) == 25
    assert ESTIMATOR.max_cost("cheap", 0, 1, None) == 1_000


@pytest.mark.parametrize(
    ("target", "tier", "nano"),
    [("azure", "priority", 2_500_000), ("azure", "scale", 1_250_000), ("openai", None, 1_250_000)],
)
def test_a_tier_without_a_price_costs_what_openai_bills_or_the_standard_price(target, tier, nano):
    served = response(target, "gpt-5", tokens=usage(1_000, 0), service_tier=tier)
    assert ESTIMATOR.budget_cost(served) == nano


def test_without_any_price_there_is_no_cost():
    assert ESTIMATOR.budget_cost(response("gone", "sim-text")) is None


AZURE = {"gpt-5": "gpt-4o-mini", "gpt-5-nano": "o1-pro", "mine": "gpt-4.1", "ours": "prod"}
NAMES = CostEstimator(
    Prices({}),
    {
        "azure": AzureTarget(provider="azure", endpoint="https://acme.example", models=AZURE),
        "globs": AzureTarget(provider="azure", endpoint="https://acme.example", models=["gpt-*"]),
        "bedrock": BedrockTarget(
            provider="bedrock", region="us-east-1", models={"sol": "global.openai.gpt-6-sol"}
        ),
        "alias": OpenAITarget(provider="openai", models={"gpt-5": "gpt-4o-mini"}),
    },
)


@pytest.mark.parametrize(
    ("target", "model", "answered", "dollars"),
    [
        # A deployment's name is no model's name, whatever it looks like: gpt-5 is 1.25.
        ("azure", "gpt-5", "gpt-4o-mini", "1.25"),
        ("azure", "gpt-5", "GPT-4o-Mini", "1.25"),
        ("azure", "gpt-5", None, "1.25"),
        ("azure", "gpt-5-nano", "o1-pro", "0.05"),
        ("azure", "ours", "prod", None),
        # What is no deployment is the model that served.
        ("azure", "gpt-5", "gpt-5-mini-2025-08-07", "0.25"),
        ("azure", "gpt-4o", "gpt-4o-2024-05-13", "5"),
        ("globs", "gpt-4o", "gpt-4o-2024-05-13", "5"),
        ("globs", "gpt-4o", "gpt-4o", "2.5"),
        # Without a price for the public name, that of the deployment is the best guess.
        ("azure", "mine", "gpt-4.1", "2"),
        # A request without a model, by its prompt: the public name of the deployment.
        ("azure", None, "gpt-4o-mini", "1.25"),
        # OpenAI has no deployments: what a target sends in place of a name is the model.
        ("alias", "gpt-5", "gpt-4o-mini", "0.15"),
        ("alias", "gpt-5", "gpt-4o-mini-2024-07-18", "0.15"),
        ("alias", "gpt-5", None, "0.15"),
        # At Bedrock the name that is sent has the price; 4 is that of so many tokens in any Region.
        ("bedrock", "sol", "gpt-6-sol", "4"),
        ("bedrock", "sol", None, "4"),
        # A target that is gone had deployments, perhaps.
        ("gone", "gpt-5", "gpt-4o-mini", "1.25"),
        ("gone", "prod", "gpt-4o-mini", "0.15"),
    ],
)
def test_one_rule_chooses_the_name_that_is_priced(target, model, answered, dollars):
    served = response(target, model, answered)
    assert NAMES.cost(served) == (dollars and usd(dollars))
    assert NAMES.budget_cost(served) == (dollars and int(usd(dollars) * limits.NANO))


@pytest.mark.parametrize(("model", "nano"), [("gpt-5-nano", 50_000), ("mine", 2_000_000)])
def test_a_reservation_is_priced_by_the_same_names(model, nano):
    assert NAMES.max_cost(model, 1_000, 0, None) == nano
