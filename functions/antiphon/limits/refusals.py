"""Refusals of requests that exceed a limit, and the rate limit headers.

Messages, codes and headers have OpenAI's form: https://platform.openai.com/docs/guides/rate-limits
"""

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from antiphon.errors import (
    NO_HEADERS,
    BudgetSpent,
    InvalidRequest,
    LimitReached,
    PriceUnknown,
    RequestTooLong,
    TokenLimitReached,
    TooManyInFlight,
)
from antiphon.http import Request
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
from antiphon.schema.body_size import body_too_large
from antiphon.schema.create import CreateResponse, ModelRequest

HEADER_NAMES = {REQUESTS: "requests", TOKENS: "tokens"}
RATE_LIMITS = {
    REQUESTS: ("requests per min (RPM)", LimitReached),
    TOKENS: ("tokens per min (TPM)", TokenLimitReached),
}
MAX_QUOTED_CHARS = 64  # characters of a caller's text that a message repeats
USE_FEWER_TOKENS = "Set a smaller 'max_output_tokens'."

type Headers = Mapping[str, str]


class ExceededLimit(NamedTuple):
    """A limit without room for a request that needs `amount` when `used` is counted already."""

    limit: LimitCounter
    amount: int
    used: int

    @property
    def is_too_large(self) -> bool:
        """Whether this request alone exceeds the limit."""
        return self.amount > self.limit.maximum


def rate_limit_headers(
    limits: Iterable[LimitCounter], row: Mapping[str, int], now: float
) -> dict[str, str]:
    """Return `x-ratelimit-*`, of the limits of key and tenant for the one with less remaining."""
    lowest: dict[str, tuple[int, LimitCounter]] = {}
    for limit in limits:
        remaining = max(limit.maximum - row.get(limit.name, 0), 0)
        if limit.kind in HEADER_NAMES and remaining <= lowest.get(limit.kind, (remaining,))[0]:
            lowest[limit.kind] = remaining, limit
    reset = format_duration(seconds_to_next_minute(now))
    headers: dict[str, str] = {}
    for kind, (remaining, limit) in lowest.items():
        headers[f"x-ratelimit-limit-{HEADER_NAMES[kind]}"] = str(limit.maximum)
        headers[f"x-ratelimit-remaining-{HEADER_NAMES[kind]}"] = str(remaining)
        headers[f"x-ratelimit-reset-{HEADER_NAMES[kind]}"] = reset
    return headers


def check_size(scopes: Iterable[LimitScope], request: Request) -> None:
    """Raise BodyTooLarge."""
    for scope in scopes:
        maximum = scope.limits.max_body_bytes
        if maximum is not None and len(request.body) > maximum:
            raise body_too_large(request.headers, request.body, maximum, scope.label)


def check_output(scopes: Iterable[LimitScope], body: ModelRequest) -> None:
    """Raise InvalidRequest if output is limited and the request sets no limit, or a higher one."""
    if not isinstance(body, CreateResponse):
        return
    tokens = requested_output_tokens(body)
    for scope in scopes:
        maximum = scope.limits.max_output_tokens
        if maximum is None:
            continue
        limit = f"The limit of {scope.label} is {maximum:,} output tokens for each request"
        if tokens is None:
            message = f"{limit}, and this one sets none: set 'max_output_tokens' to that or less."
            raise InvalidRequest(message, param="max_output_tokens", code="max_output_tokens_unset")
        if tokens > maximum:
            param = "max_tokens" if body.max_output_tokens is None else "max_output_tokens"
            message = f"{limit}, and this one sets {tokens:,}."
            raise InvalidRequest(message, param=param, code="max_output_tokens_exceeded")


def requested_output_tokens(body: ModelRequest) -> int | None:
    """Return the request's own limit of output tokens."""
    if not isinstance(body, CreateResponse):
        return None
    return body.max_output_tokens or body.max_tokens


def price_unknown(model: str | None, service_tier: str | None) -> PriceUnknown:
    if model is None:
        message = "A request under a budget must name its model, because its price must be known."
        return PriceUnknown(message, param="model")
    tier = f" at the service tier '{service_tier:.{MAX_QUOTED_CHARS}}'" if service_tier else ""
    name = model[:MAX_QUOTED_CHARS]
    return PriceUnknown(
        f"The price of the model '{name}'{tier} is not known, and this request is under a budget. "
        f'The operator of the gateway can set a price: [prices."{name}"] in gateway.toml.',
        param="model",
    )


def limit_reached(
    amounts: Mapping[LimitCounter, int], row: Mapping[str, int] | None, now: float
) -> LimitReached:
    """Return the error for the first limit that has no room for what the request needs.

    `row` is None if it was not read: then the error has no rate limit headers.
    """
    used = row or {}
    exceeded = next(
        ExceededLimit(limit, amount, used.get(limit.name, 0))
        for limit, amount in amounts.items()
        if used.get(limit.name, 0) + amount > limit.maximum
    )
    headers = rate_limit_headers(amounts, row, now) if row else NO_HEADERS
    if exceeded.limit.kind == SPENT:
        return _budget_error(exceeded, headers, now)
    if exceeded.limit.kind == IN_FLIGHT:
        return _concurrency_error(exceeded, headers)
    return _rate_error(exceeded, headers, now)


def seconds_to_next_minute(now: float) -> int:
    return math.ceil(MINUTE - now % MINUTE)


def format_duration(seconds: int) -> str:
    """Format seconds as OpenAI's headers do: 59s, 1m0s, 6m0s."""
    minutes, seconds = divmod(seconds, MINUTE)
    return f"{minutes}m{seconds}s" if minutes else f"{seconds}s"


def format_dollars(nano: int) -> str:
    """Format nano-dollars, rounded up to a millionth of a dollar: $0.25, $10, $0.000001."""
    text = f"{math.ceil(nano / 1000) / 1_000_000:,.6f}".rstrip("0").rstrip(".")
    return f"${text}"


def _budget_error(exceeded: ExceededLimit, headers: Headers, now: float) -> BudgetSpent:
    limit = exceeded.limit
    period = limit.scope.limits.budget_period
    budget = f"the budget of {limit.scope.label} is {format_dollars(limit.maximum)} a {period}"
    cost = format_dollars(exceeded.amount)
    if exceeded.is_too_large:
        reason = f"{budget}, and this request alone may cost {cost}. {USE_FEWER_TOKENS}"
    else:
        reason = (
            f"{budget}, of which {format_dollars(exceeded.used)} is used or reserved, and this "
            f"request may cost {cost}. It renews at {next_period(period, now):%Y-%m-%d %H:%M} UTC."
        )
    return BudgetSpent(f"You exceeded your current quota: {reason}", headers=headers)


def _concurrency_error(exceeded: ExceededLimit, headers: Headers) -> TooManyInFlight:
    limit = exceeded.limit
    return TooManyInFlight(
        f"Too many responses in flight for {limit.scope.label}: Limit {limit.maximum:,}. "
        "Try again when one of them has ended.",
        headers={**headers, "retry-after": "1"},
    )


def _rate_error(exceeded: ExceededLimit, headers: Headers, now: float) -> LimitReached:
    limit, amount, used = exceeded
    name, error = RATE_LIMITS[limit.kind]
    subject = f"{limit.scope.label} on {name}: Limit {limit.maximum}"
    if exceeded.is_too_large:
        message = f"Request too large for {subject}, Requested {amount}. {USE_FEWER_TOKENS}"
        return RequestTooLong(message, headers=headers)
    wait = seconds_to_next_minute(now)
    return error(
        f"Rate limit reached for {subject}, Used {used}, Requested {amount}. "
        f"Please try again in {wait}s.",
        headers={**headers, "retry-after": str(wait)},
    )
