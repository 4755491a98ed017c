"""The command `antiphon cost`: what requests cost at AWS, line for line."""

import math
from pathlib import Path
from typing import Any

import click

from antiphon.settings.config import ConfigError, load_config
from infra.cost_model import (
    Charge,
    Load,
    count_secrets,
    list_charges,
    list_monthly_charges,
)
from infra.operator.output import create_console, json_option, print_json, print_rows_or_blocks
from infra.prices import AS_OF, DEFAULT_REGION, PRICES
from infra.project import find_local_config

MAX_REQUESTS = 1e12
MAX_SECONDS = 900  # Lambda's time limit
MIN_MB, MAX_MB, DEFAULT_MB = 128, 10_240, 512
# A month of AWS's own guidance with LiteLLM on ECS, before any request, by its README of July 2026:
# https://github.com/aws-solutions-library-samples/guidance-for-multi-provider-generative-ai-gateway-on-aws
GUIDANCE_DOLLARS = 378.10
COLUMNS = ("what", "quantity", "price", "dollars")
MILLION = 1_000_000


class Number(click.FloatRange):
    """A finite number within a range; also with an exponent, as 1e6."""

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a number.", param, ctx)
        return number

    def _describe_range(self) -> str:
        return f"{self.min:g}<=x<={self.max:g}"


class Region(click.ParamType):
    """A Region with known prices."""

    name = "REGION"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        if value not in PRICES:
            known = " and ".join(PRICES)
            self.fail(
                f"The prices of {value!r} are not known here; those of {known} are.", param, ctx
            )
        return str(value)


@click.command()
@click.option(
    "--requests",
    type=Number(1, MAX_REQUESTS),
    default=MILLION,
    show_default=True,
    help="Responses that are created in a month.",
)
@click.option(
    "--seconds",
    type=Number(0, MAX_SECONDS),
    default=10,
    show_default=True,
    help="How long a response takes at its provider.",
)
@click.option(
    "--memory",
    type=click.IntRange(MIN_MB, MAX_MB),
    default=DEFAULT_MB,
    show_default=True,
    help="MB of the API function.",
)
@click.option(
    "--door",
    type=click.Choice(["url", "rest"]),
    default="url",
    show_default=True,
    help="The Function URL, or the REST API of API Gateway.",
)
@click.option(
    "--region",
    type=Region(),
    default=DEFAULT_REGION,
    show_default=True,
    help="Whose prices.",
)
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    default=find_local_config,
    help="The configuration, which decides how many secrets there are.  [default: gateway.toml]",
)
@json_option
def cost(region: str, config: Path, *, as_json: bool, **given: Any) -> None:
    """Print what a month costs at AWS.

    Each line is a quantity times its price, without free tiers and discounts. A stream has 64 KB,
    and its rows stay for 30 days. The provider's own prices are not part of it, nor are the options
    in cdk.json: see docs/costs.md.
    """
    load = _to_load(region, config, **given)
    fixed, charges = list(list_monthly_charges(load)), list_charges(load)
    break_even = compute_break_even(load)
    if as_json:
        print_json(_to_json(load, region, [*charges, *fixed], break_even))
        return
    rows = [_to_row(charge) for charge in (*charges, *fixed)]
    total = _dollars([*charges, *fixed])
    rows.append(("together", "", "", f"{total:,.2f}"))
    print_rows_or_blocks(COLUMNS, rows, ("what", "dollars"))
    create_console().print(f"\nPrices of {region}, as of {AS_OF}. {_describe(break_even)}")


def _to_load(region: str, config: Path, **given: Any) -> Load:
    return Load(
        given["requests"],
        given["seconds"],
        given["memory"],
        given["door"],
        PRICES[region],
        _count_secrets(config),
    )


def _count_secrets(config: Path) -> int:
    try:
        return count_secrets(load_config(config))
    except ConfigError as exc:
        raise click.ClickException(str(exc)) from exc


def compute_break_even(load: Load) -> float:
    """Return the requests of a month that cost as much as AWS's guidance does without any."""
    each = _dollars(list_charges(load)) / load.requests
    return max(GUIDANCE_DOLLARS - _dollars(list_monthly_charges(load)), 0) / each


def _describe(break_even: float) -> str:
    return (
        f"AWS's guidance with LiteLLM costs ${GUIDANCE_DOLLARS:.2f} a month before any request. "
        f"This costs as much at {break_even:,.0f} requests a month."
    )


def _dollars(charges: Any) -> float:
    return math.fsum(charge.dollars for charge in charges)


def _to_row(charge: Charge) -> tuple[str, str, str, str]:
    per = " a million" if charge.per == MILLION else ""
    quantity = f"{charge.quantity:,.2f}".rstrip("0").rstrip(".")
    return (
        charge.label,
        f"{quantity} {charge.unit}",
        f"${_format_price(charge.price)}{per}",
        f"{charge.dollars:,.2f}",
    )


def _format_price(price: float) -> str:
    return f"{price:.2f}" if round(price, 2) == price else f"{price:g}"


def _to_json(
    load: Load, region: str, charges: list[Charge], break_even: float
) -> dict[str, object]:
    return {
        "region": region,
        "prices_as_of": AS_OF,
        "requests": load.requests,
        "seconds": load.seconds,
        "memory_mb": load.memory_mb,
        "door": load.door,
        "lines": [
            {
                "what": charge.label,
                "quantity": charge.quantity,
                "unit": charge.unit,
                "price_usd": charge.price,
                "per": charge.per,
                "usd": charge.dollars,
            }
            for charge in charges
        ],
        "usd": _dollars(charges),
        "guidance_usd": GUIDANCE_DOLLARS,
        "break_even_requests": break_even,
    }
