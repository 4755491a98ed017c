"""How much a key or a tenant may use, and what tokens cost where the price list does not know."""

from typing import Annotated, Literal

from pydantic import Field

from antiphon.settings.section import Section

type Period = Literal["day", "month"]

Count = Annotated[int, Field(ge=1)]
Dollars = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Limits(Section):
    """What is None is without a limit."""

    rpm: Count | None = None  # requests a minute
    tpm: Count | None = None  # tokens a minute
    streams: Count | None = None  # responses in flight at once
    max_body_bytes: Count | None = None
    max_output_tokens: Count | None = None  # that a request may ask for, and has to say then
    budget_usd: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    budget_period: Period = "month"  # calendar days and months, in UTC


UNLIMITED = Limits()


class Rate(Section):
    """US dollars for a million tokens."""

    input: Dollars
    cached_input: Dollars | None = None  # None: as `input`
    cache_write: Dollars | None = None  # the same
    output: Dollars


class Price(Rate):
    """What a model costs, and what it costs at service tiers with a price of their own."""

    tiers: dict[str, Rate] = Field(default_factory=dict)  # by their names: flex, priority, …
