"""What is wrong with a request, or with whoever sends it."""

from antiphon.errors.refusal import GatewayError


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
