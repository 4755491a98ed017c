"""Limits as OpenAI's headers show them: https://platform.openai.com/docs/guides/rate-limits.

What a caller is told whose request goes beyond a limit: which one, whose, and until when.
"""

import math
from collections.abc import Iterable, Mapping
from typing import NoReturn

from antiphon.errors import (
    BodyTooLarge,
    BudgetSpent,
    InvalidRequest,
    LimitReached,
    PriceUnknown,
    RequestTooLong,
    TokenLimitReached,
    TooManyInFlight,
)
from antiphon.limits.counters import (
    IN_FLIGHT,
    MINUTE,
    REQUESTS,
    SPENT,
    TOKENS,
    LimitCounter,
    LimitScope,
    next_period,
)
from antiphon.limits.reservation import requested_output_tokens
from antiphon.schema.create import CreateResponse, ModelRequest

HEADER_NAMES = {REQUESTS: "requests", TOKENS: "tokens"}


def rate_limit_headers(
    meters: Iterable[LimitCounter], row: Mapping[str, int], now: float
) -> dict[str, str]:
    """Of a key's limit and a tenant's the one that has less left."""
    shown: dict[str, tuple[int, LimitCounter]] = {}
    for meter in meters:
        left = max(meter.most - row.get(meter.counter, 0), 0)
        if meter.kind in HEADER_NAMES and left <= shown.get(meter.kind, (left, meter))[0]:
            shown[meter.kind] = left, meter
    reset = format_duration(seconds_to_next_minute(now))
    told: dict[str, str] = {}
    for kind, (left, meter) in shown.items():
        told[f"x-ratelimit-limit-{HEADER_NAMES[kind]}"] = str(meter.most)
        told[f"x-ratelimit-remaining-{HEADER_NAMES[kind]}"] = str(left)
        told[f"x-ratelimit-reset-{HEADER_NAMES[kind]}"] = reset
    return told


def seconds_to_next_minute(now: float) -> int:
    """Until the next minute of the clock, when the counting begins anew."""
    return math.ceil(MINUTE - now % MINUTE)


def format_duration(seconds: int) -> str:
    minutes, rest = divmod(seconds, MINUTE)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def format_dollars(nano: int) -> str:
    """Rounded up to a millionth: $0.25, $10, $0.000001."""
    text = f"{math.ceil(nano / 1000) / 1_000_000:,.6f}".rstrip("0").rstrip(".")
    return f"${text}"


RATES = {
    REQUESTS: ("requests per min (RPM)", LimitReached),
    TOKENS: ("tokens per min (TPM)", TokenLimitReached),
}
MAX_NAME_CHARS = 64  # characters of a name that a caller has made up
USE_FEWER_TOKENS = "Set a smaller 'max_output_tokens'."


def check_size(scopes: Iterable[LimitScope], body: bytes) -> None:
    """Raise BodyTooLarge."""
    for scope in scopes:
        most = scope.limits.max_body_bytes
        if most is not None and len(body) > most:
            size = f"It has {len(body):,} bytes; the limit of {scope.whose} is {most:,}."
            raise BodyTooLarge(f"The request's body is too large. {size}")


def check_output(scopes: Iterable[LimitScope], ask: ModelRequest) -> None:
    """Raise InvalidRequest: where output is limited, a request has to say how much it wants."""
    asked = requested_output_tokens(ask)
    for scope in scopes:
        most = scope.limits.max_output_tokens
        if most is None or not isinstance(ask, CreateResponse):
            continue
        limit = f"The limit of {scope.whose} is {most:,} output tokens for each request"
        if asked is None:
            message = f"{limit}, and this one names none: set 'max_output_tokens' to that or less."
            raise InvalidRequest(message, param="max_output_tokens", code="max_output_tokens_unset")
        if asked > most:
            param = "max_tokens" if ask.max_output_tokens is None else "max_output_tokens"
            message = f"{limit}, and this one asks for {asked:,}."
            raise InvalidRequest(message, param=param, code="max_output_tokens_exceeded")


def raise_unpriced(model: str | None, tier: str | None) -> NoReturn:
    if model is None:
        message = "Under a budget a request has to name its model, for its price has to be known."
        raise PriceUnknown(message, param="model")
    at = f" at the service tier '{tier:.{MAX_NAME_CHARS}}'" if tier else ""
    name = model[:MAX_NAME_CHARS]
    raise PriceUnknown(
        f"The price of the model '{name}'{at} is not known, and this request is under a budget. "
        f'Those who run the gateway can give it one: [prices."{name}"] in gateway.toml.',
        param="model",
    )


def raise_exceeded(
    counted: Mapping[LimitCounter, int], row: Mapping[str, int], now: float
) -> NoReturn:
    """Name the first limit that `row` has no room in for what the request is counted with.

    An empty row is one that nobody has looked at: none of it is shown.
    """
    for meter, amount in counted.items():
        used = row.get(meter.counter, 0)
        if used + amount > meter.most:
            fault = _limit_error(meter, amount, used, now)
            fault.headers = {
                **(rate_limit_headers(counted, row, now) if row else {}),
                **fault.headers,
            }
            raise fault
    raise AssertionError("refused without a reason")


def _limit_error(meter: LimitCounter, amount: int, used: int, now: float) -> LimitReached:
    if meter.kind == SPENT:
        return _budget_error(meter, amount, used, now)
    if meter.kind == IN_FLIGHT:
        message = f"Limit {meter.most:,}. Try again when one of them has ended."
        told = f"Too many responses in flight for {meter.scope.whose}: {message}"
        return TooManyInFlight(told, headers={"retry-after": "1"})
    what, error = RATES[meter.kind]
    told = f"{meter.scope.whose} on {what}: Limit {meter.most}"
    if amount > meter.most:
        message = f"Request too large for {told}, Requested {amount}. {USE_FEWER_TOKENS}"
        return RequestTooLong(message)
    wait = seconds_to_next_minute(now)
    message = f"Limit {meter.most}, Used {used}, Requested {amount}. Please try again in {wait}s."
    return error(
        f"Rate limit reached for {meter.scope.whose} on {what}: {message}",
        headers={"retry-after": str(wait)},
    )


def _budget_error(meter: LimitCounter, amount: int, used: int, now: float) -> BudgetSpent:
    period = meter.scope.limits.budget_period
    renews = next_period(period, now)
    told = f"the budget of {meter.scope.whose} is {format_dollars(meter.most)} a {period}"
    if amount > meter.most:
        wanted = (
            f"{told}, and this request alone may cost {format_dollars(amount)}. {USE_FEWER_TOKENS}"
        )
        return BudgetSpent(f"You exceeded your current quota: {wanted}")
    return BudgetSpent(
        f"You exceeded your current quota: {told}, of which {format_dollars(used)} is used or "
        f"reserved, and this request may cost {format_dollars(amount)}. "
        f"It renews at {renews:%Y-%m-%d %H:%M} UTC."
    )
