"""The errors that the gateway itself answers with, in OpenAI's error envelope.

GatewayError                    500
├── InvalidRequest              400
│   ├── PreviousResponseMissing 400
│   ├── TargetGone              400
│   ├── PriceUnknown            400
│   ├── DownloadTooLarge        400
│   ├── WebhookNotDelivered     400
│   ├── PolicyViolation         403
│   ├── BodyTooLarge            413
│   ├── UnsupportedEncoding     415
│   ├── IdempotencyKeyReused    422
│   ├── IdempotencyKeyInFlight  409
│   └── OutcomeNotStored        409
├── Unauthenticated             401
│   └── WebhookNotVerified      401
├── NotFound                    404
│   ├── ModelNotFound           404
│   └── EndpointNotServed       404
├── MethodNotAllowed            405
├── UpgradeRequired             426
├── LimitReached                429
│   ├── TokenLimitReached       429
│   │   └── RequestTooLong      429
│   ├── TooManyInFlight         429
│   ├── BudgetSpent             429
│   └── StorageLimitReached     429
├── Unavailable                 503
│   ├── LinkNotWritten          503
│   └── CredentialMissing       503
└── UpstreamFailed              502
    ├── UpstreamRefusedUs       502
    ├── UpstreamNotReached      502
    │   └── NoTimeLeft          504
    ├── UpstreamTimeout         504
    └── AnswerTooLarge          502

A provider's own error is not an exception: it is an `UpstreamResponse`, passed on as it came.
Statuses, types and codes: https://platform.openai.com/docs/guides/error-codes
"""

import copy
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Literal, Self

NO_HEADERS: Mapping[str, str] = MappingProxyType({})

MAX_MESSAGE_CHARS, MAX_PARAM_CHARS = 2_000, 200  # both may contain what the caller sent

type Processed = Literal["no", "unknown", "yes"]


class GatewayError(Exception):
    """An error response of the gateway.

    `processed`: whether a provider may have processed the request when this error is raised.
    `retry`: the value of `x-should-retry`; None leaves the decision to the client's SDK.
    """

    status: ClassVar[int] = 500
    type: ClassVar[str] = "server_error"
    code: str | None = "gateway_error"
    processed: ClassVar[Processed] = "no"
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
        super().__init__(_without_middle(message))
        self.headers = {**self.headers, **headers}
        self.param = param and param[:MAX_PARAM_CHARS]
        if code is not None:
            self.code = code

    def error(self) -> dict[str, str | None]:
        """Return the value of `error` in OpenAI's envelope."""
        return {
            "message": str(self),
            "type": self.type,
            "param": self.param,
            "code": self.code,
        }

    def body(self) -> bytes:
        return json.dumps({"error": self.error()}, ensure_ascii=False).encode(errors="replace")

    def with_headers(self, headers: Mapping[str, str]) -> Self:
        """Return a copy of this error that has more response headers."""
        changed = copy.copy(self)
        changed.headers = {**self.headers, **headers}
        return changed


class InvalidRequest(GatewayError):
    status = 400
    type = "invalid_request_error"
    code: str | None = None
    retry: bool | None = None


class PreviousResponseMissing(InvalidRequest):
    code = "previous_response_not_found"


class TargetGone(InvalidRequest):
    """What the request continues is stored at a target that is no longer configured."""

    code = "target_not_configured"
    retry = False


class NotSupportedByTarget(InvalidRequest):
    """No target that may serve the request has what it needs; nothing was sent."""

    code = "not_supported_by_target"
    retry = False


class DownloadTooLarge(InvalidRequest):
    """A file of more bytes than one response of Lambda may have."""

    code = "download_too_large"
    retry = False


class WebhookNotDelivered(InvalidRequest):
    """A webhook endpoint gave no answer to a test."""

    code = "webhook_not_delivered"
    retry = False


class PolicyViolation(InvalidRequest):
    """The operators of the gateway do not allow what the request contains."""

    status = 403
    code = "policy_violation"
    retry = False


class BodyTooLarge(InvalidRequest):
    status = 413
    code = "request_too_large"


class UnsupportedEncoding(InvalidRequest):
    status = 415
    code = "unsupported_content_encoding"


class IdempotencyKeyReused(InvalidRequest):
    """The key belongs to another request, so this request can never use it."""

    status = 422
    code = "idempotency_key_reused"
    retry = False


class IdempotencyKeyInFlight(InvalidRequest):
    """The first request with this key has not ended; a later retry gets its outcome."""

    status = 409
    code = "idempotency_key_in_flight"
    retry = True


class OutcomeNotStored(InvalidRequest):
    """The outcome of the first request with this key is not stored anywhere."""

    status = 409
    code = "idempotency_outcome_not_stored"
    retry = False


class Unauthenticated(GatewayError):
    status = 401
    type = "invalid_request_error"
    code = "invalid_api_key"
    retry = None


class WebhookNotVerified(Unauthenticated):
    """A webhook that its target's provider has not signed, or too long ago."""

    code = "invalid_webhook_signature"


class NotFound(GatewayError):
    status = 404
    type = "invalid_request_error"
    code: str | None = None
    retry = None


class ModelNotFound(NotFound):
    code = "model_not_found"


class EndpointNotServed(NotFound):
    """No endpoint has this path. Not `model_not_found`, as clients read a 404 without a code."""

    code = "endpoint_not_served"


class MethodNotAllowed(GatewayError):
    """The path exists, but not with this method; `allow` has those with which it does."""

    status = 405
    type = "invalid_request_error"
    code = "endpoint_not_served"
    retry = None


class UpgradeRequired(GatewayError):
    """A Lambda function cannot serve a WebSocket; after this status clients use HTTP."""

    status = 426
    type = "invalid_request_error"
    code = "websocket_not_supported"


class LimitReached(GatewayError):
    """A rate limit of a key or a tenant, in the form of OpenAI's own.

    https://platform.openai.com/docs/guides/rate-limits
    """

    status = 429
    type = "requests"
    code = "rate_limit_exceeded"
    retry: bool | None = True


class TokenLimitReached(LimitReached):
    type = "tokens"


class RequestTooLong(TokenLimitReached):
    """One request with more tokens than the limit of a minute: a retry cannot succeed."""

    retry = False


class TooManyInFlight(LimitReached):
    code = "concurrency_limit_exceeded"


class BudgetSpent(LimitReached):
    """The budget renews with the next day or month; no SDK should wait for that."""

    type = "insufficient_quota"
    code = "insufficient_quota"
    retry = False


class StorageLimitReached(LimitReached):
    """There is room again when something is deleted; no SDK should wait for that."""

    type = "insufficient_quota"
    code = "storage_limit_reached"
    retry = False


class ContentRefused(InvalidRequest):
    """The guardrail of the operator refuses the text of the request; nothing was sent."""

    code = "content_policy"
    retry = False


class PriceUnknown(InvalidRequest):
    """Under a budget, a request whose price is unknown is not sent."""

    code = "model_without_price"
    retry = False


class Unavailable(GatewayError):
    """A service of the gateway's own is unavailable and nothing was sent, so a retry is safe."""

    status = 503
    code = "gateway_unavailable"
    retry: bool | None = None
    headers: Mapping[str, str] = MappingProxyType({"retry-after": "1"})


class CredentialMissing(Unavailable):
    code = "target_credential_missing"


class GuardrailUnavailable(Unavailable):
    """The guardrail gave no verdict, and the configuration refuses what was not judged."""

    code = "guardrail_unavailable"


class LinkNotWritten(Unavailable):
    """The response exists but its owner could not be recorded: a retry would pay again."""

    code = "link_not_written"
    processed = "yes"
    retry = False
    headers: Mapping[str, str] = NO_HEADERS


class UpstreamFailed(GatewayError):
    """The outcome at the provider is unknown: a retry may pay again."""

    status = 502
    code = "upstream_failed"
    processed: ClassVar[Processed] = "unknown"


class UpstreamNotReached(UpstreamFailed):
    """No connection was made and nothing was sent, so a retry is safe."""

    code = "upstream_not_reached"
    processed = "no"
    retry = None


class NoTimeLeft(UpstreamNotReached):
    """The gateway's own time limit was reached before the request was sent."""

    status = 504
    code = "gateway_deadline"


class UpstreamRefusedUs(UpstreamFailed):
    """The provider refuses the gateway's own credential; the caller's key is valid."""

    code = "upstream_auth"
    processed = "no"


class UpstreamTimeout(UpstreamFailed):
    status = 504
    code = "upstream_timeout"


class AnswerTooLarge(UpstreamFailed):
    """The provider's answer is larger than `max_answer_bytes`; it was read and recorded."""

    code = "upstream_answer_too_large"
    processed = "yes"


def retry_header(error: GatewayError, *, pays_again: bool) -> Mapping[str, str]:
    """Return the header `x-should-retry`, if any.

    `pays_again`: whether a repetition could do again what the provider may have done.
    """
    is_harmless = error.processed == "unknown" and not pays_again
    if error.retry is None or is_harmless:
        return NO_HEADERS
    return {"x-should-retry": str(error.retry).lower()}


def _without_middle(message: str) -> str:
    """Return at most MAX_MESSAGE_CHARS; what the caller sent is in the middle."""
    half = (MAX_MESSAGE_CHARS - 1) // 2
    return message if len(message) <= MAX_MESSAGE_CHARS else f"{message[:half]}…{message[-half:]}"
