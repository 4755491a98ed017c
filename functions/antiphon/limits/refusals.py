"""What a caller is told whose request goes beyond a limit: which one, whose, and until when."""

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
from antiphon.limits.demand import asked_output
from antiphon.limits.meters import IN_FLIGHT, REQUESTS, SPENT, TOKENS, Meter, Scope, renewal
from antiphon.limits.shown import dollars, headers, seconds_left
from antiphon.schema import Continuing, CreateResponse

RATES = {
    REQUESTS: ("requests per min (RPM)", LimitReached),
    TOKENS: ("tokens per min (TPM)", TokenLimitReached),
}
SHOWN = 64  # characters of a name that a caller has made up
ASK_FOR_LESS = "Set a smaller 'max_output_tokens'."


def check_size(scopes: Iterable[Scope], body: bytes) -> None:
    """Raise BodyTooLarge."""
    for scope in scopes:
        most = scope.limits.max_body_bytes
        if most is not None and len(body) > most:
            size = f"It has {len(body):,} bytes; the limit of {scope.whose} is {most:,}."
            raise BodyTooLarge(f"The request's body is too large. {size}")


def check_output(scopes: Iterable[Scope], ask: Continuing) -> None:
    """Raise InvalidRequest: where output is limited, a request has to say how much it wants."""
    asked = asked_output(ask)
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


def refuse_unpriced(model: str | None, tier: str | None) -> NoReturn:
    if model is None:
        message = "Under a budget a request has to name its model, for its price has to be known."
        raise PriceUnknown(message, param="model")
    at = f" at the service tier '{tier:.{SHOWN}}'" if tier else ""
    name = model[:SHOWN]
    raise PriceUnknown(
        f"The price of the model '{name}'{at} is not known, and this request is under a budget. "
        f'Those who run the gateway can give it one: [prices."{name}"] in gateway.toml.',
        param="model",
    )


def refuse(counted: Mapping[Meter, int], row: Mapping[str, int], now: float) -> NoReturn:
    """Name the first limit that `row` has no room in for what the request is counted with.

    An empty row is one that nobody has looked at: none of it is shown.
    """
    for meter, amount in counted.items():
        used = row.get(meter.counter, 0)
        if used + amount > meter.most:
            fault = _fault(meter, amount, used, now)
            fault.headers = {**(headers(counted, row, now) if row else {}), **fault.headers}
            raise fault
    raise AssertionError("refused without a reason")


def _fault(meter: Meter, amount: int, used: int, now: float) -> LimitReached:
    if meter.kind == SPENT:
        return _budget(meter, amount, used, now)
    if meter.kind == IN_FLIGHT:
        message = f"Limit {meter.most:,}. Try again when one of them has ended."
        told = f"Too many responses in flight for {meter.scope.whose}: {message}"
        return TooManyInFlight(told, headers={"retry-after": "1"})
    what, error = RATES[meter.kind]
    told = f"{meter.scope.whose} on {what}: Limit {meter.most}"
    if amount > meter.most:
        message = f"Request too large for {told}, Requested {amount}. {ASK_FOR_LESS}"
        return RequestTooLong(message)
    wait = seconds_left(now)
    message = f"Limit {meter.most}, Used {used}, Requested {amount}. Please try again in {wait}s."
    return error(
        f"Rate limit reached for {meter.scope.whose} on {what}: {message}",
        headers={"retry-after": str(wait)},
    )


def _budget(meter: Meter, amount: int, used: int, now: float) -> BudgetSpent:
    period = meter.scope.limits.budget_period
    renews = renewal(period, now)
    told = f"the budget of {meter.scope.whose} is {dollars(meter.most)} a {period}"
    if amount > meter.most:
        wanted = f"{told}, and this request alone may cost {dollars(amount)}. {ASK_FOR_LESS}"
        return BudgetSpent(f"You exceeded your current quota: {wanted}")
    return BudgetSpent(
        f"You exceeded your current quota: {told}, of which {dollars(used)} is used or reserved, "
        f"and this request may cost {dollars(amount)}. It renews at {renews:%Y-%m-%d %H:%M} UTC."
    )
