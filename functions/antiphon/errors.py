"""The errors that the gateway itself answers with, in OpenAI's error envelope.

GatewayError                    500
├── InvalidRequest              400
│   ├── PreviousResponseMissing 400
│   ├── TargetGone              400
│   ├── PriceUnknown            400
│   ├── BodyTooLarge            413
│   ├── UnsupportedEncoding     415
│   ├── IdempotencyKeyReused    422
│   ├── IdempotencyKeyInFlight  409
│   └── OutcomeNotStored        409
├── Unauthenticated             401
├── NotFound                    404
│   └── ModelNotFound           404
├── UpgradeRequired             426
├── LimitReached                429
│   ├── TokenLimitReached       429
│   │   └── RequestTooLong      429
│   ├── TooManyInFlight         429
│   └── BudgetSpent             429
├── Unavailable                 503
│   ├── LinkNotWritten          503
│   └── CredentialMissing       503
└── UpstreamFailed              502
    ├── UpstreamRefusedUs       502
    ├── UpstreamNotReached      502
    └── UpstreamTimeout         504

A provider's own error is no exception: it is a `Reply`, passed on.
Statuses, types and codes: https://platform.openai.com/docs/guides/error-codes
"""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class GatewayError(Exception):
    """A refusal; `retry` says whether the client's SDK may send the request again by itself."""

    status: ClassVar[int] = 500
    type: ClassVar[str] = "server_error"
    code: str | None = "gateway_error"
    retry: bool | None = False
    headers: Mapping[str, str] = NO_HEADERS

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> None:
        super().__init__(message)
        self.headers = {**self.headers, **headers}
        self.param = param
        if code is not None:
            self.code = code

    def error(self) -> dict[str, str | None]:
        """Give the value of `error` in OpenAI's envelope."""
        return {
            "message": str(self),
            "type": self.type,
            "param": self.param,
            "code": self.code,
        }

    def body(self) -> bytes:
        return json.dumps({"error": self.error()}, ensure_ascii=False).encode()


class InvalidRequest(GatewayError):
    status = 400
    type = "invalid_request_error"
    code: str | None = None
    retry: bool | None = None


class PreviousResponseMissing(InvalidRequest):
    code = "previous_response_not_found"


class TargetGone(InvalidRequest):
    """What the request continues lives at a target that is configured no more."""

    code = "target_not_configured"
    retry = False


class BodyTooLarge(InvalidRequest):
    status = 413
    code = "request_too_large"


class UnsupportedEncoding(InvalidRequest):
    status = 415
    code = "unsupported_content_encoding"


class IdempotencyKeyReused(InvalidRequest):
    """The key stands for another request: this one can never have it."""

    status = 422
    code = "idempotency_key_reused"
    retry = False


class IdempotencyKeyInFlight(InvalidRequest):
    """The first request with this key has not ended: trying again is how to get its outcome."""

    status = 409
    code = "idempotency_key_in_flight"
    retry = True


class OutcomeNotStored(InvalidRequest):
    """The first request with this key was answered with what nobody has kept."""

    status = 409
    code = "idempotency_outcome_not_stored"
    retry = False


class Unauthenticated(GatewayError):
    status = 401
    type = "invalid_request_error"
    code = "invalid_api_key"
    retry = None


class NotFound(GatewayError):
    status = 404
    type = "invalid_request_error"
    code: str | None = None
    retry = None


class ModelNotFound(NotFound):
    code = "model_not_found"


class UpgradeRequired(GatewayError):
    """A WebSocket is wanted, which no Lambda function can serve: 426 lets clients fall back."""

    status = 426
    type = "invalid_request_error"
    code = "websocket_not_supported"


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


class Unavailable(GatewayError):
    """Something of ours is out of reach and nothing was sent: trying again is right."""

    status = 503
    code = "gateway_unavailable"
    retry: bool | None = None
    headers: Mapping[str, str] = MappingProxyType({"retry-after": "1"})


class CredentialMissing(Unavailable):
    code = "target_credential_missing"


class LinkNotWritten(Unavailable):
    """The response was started but could not be owned: trying again would pay again."""

    code = "link_not_written"
    retry = False
    headers: Mapping[str, str] = NO_HEADERS


class UpstreamFailed(GatewayError):
    """The outcome at the provider is not known: trying again may pay again."""

    status = 502
    code = "upstream_failed"


class UpstreamNotReached(UpstreamFailed):
    """Nothing was sent, so trying again is safe."""

    code = "upstream_not_reached"
    retry = None


class UpstreamRefusedUs(UpstreamFailed):
    """The provider does not take the gateway's own credential; the caller's key is in order."""

    code = "upstream_auth"


class UpstreamTimeout(UpstreamFailed):
    status = 504
    code = "upstream_timeout"
