"""What a key or a tenant may not use: https://platform.openai.com/docs/guides/rate-limits."""

from antiphon.errors.refusal import GatewayError
from antiphon.errors.requests import InvalidRequest


class LimitReached(GatewayError):
    """The limit of a key or a tenant, told as OpenAI tells of its own: it is gone in a while."""

    status = 429
    type = "requests"
    code = "rate_limit_exceeded"
    retry: bool | None = True


class TokenLimitReached(LimitReached):
    type = "tokens"


class RequestTooLong(TokenLimitReached):
    """It alone has more tokens than a minute may have: waiting is in vain."""

    retry = False


class TooManyInFlight(LimitReached):
    code = "concurrency_limit_exceeded"


class BudgetSpent(LimitReached):
    """It comes back with the next day or month, for which no SDK should wait."""

    type = "insufficient_quota"
    code = "insufficient_quota"
    retry = False


class PriceUnknown(InvalidRequest):
    """Under a budget nothing is sent whose price is not known."""

    code = "model_without_price"
    retry = False
