"""Words for refusals: what a status means here, and what an error says."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """A message as a caller may read it, its parameter, and a code where no class has it."""

    message: str
    param: str | None = None
    code: str | None = None


PASSED = "Any other status of the provider passes as it came, body and all."
ABOUT = {
    400: "The request cannot be what it says; `param` names the field. Of the provider's own, "
    "`conversation_locked` and `context_length_exceeded` are the most frequent.",
    401: "No key, an unknown or a revoked one; or it stands in neither `Authorization` nor "
    "`api-key`.",
    404: "There is no such thing for this caller. A foreign, unknown, malformed, deleted or "
    "expired id is told alike, and the provider is not asked.",
    405: "The path exists, but not with this method.",
    409: "The first request with this `Idempotency-Key` is still under way, and `retry-after` says "
    "when to ask again; or, with `x-should-retry: false`, what it was answered is not stored.",
    413: "The body is larger than the gateway takes (`max_body_bytes`).",
    415: "The body is compressed; send it as it is.",
    422: "The `Idempotency-Key` stands for another request. A provider's own passes as it came.",
    426: "The request asks for a WebSocket. Create a response with `stream: true` instead.",
    429: "Too many requests, the gateway's or the provider's limit; `retry-after` says when to "
    "come back.",
    500: "The gateway failed.",
    502: "The provider could not be reached, or its answer broke. `x-should-retry: false` where it "
    "may have been processed.",
    503: "Something that the gateway needs is out of reach; or, with `x-should-retry: false`, the "
    "response was started but cannot be owned.",
    504: "The provider, or the gateway's own time limit, was too slow.",
}
BY_CLASS = {
    "GatewayError": Sample("The gateway failed."),
    "InvalidRequest": Sample("The request's body could not be decoded.", "body"),
    "PreviousResponseMissing": Sample(
        "Previous response with id 'resp_68a1' not found.", "previous_response_id"
    ),
    "TargetGone": Sample(
        "What the request continues lives at the target 'azure-east', which is not configured now. "
        "Start anew without it."
    ),
    "BodyTooLarge": Sample(
        "The request's body is too large. It has 4,700,000 bytes; the limit is 4,500,000."
    ),
    "UnsupportedEncoding": Sample("Send the body as it is: no content encoding is taken."),
    "IdempotencyKeyReused": Sample(
        "This Idempotency-Key stands for another request. Use a new one for this request.",
        "Idempotency-Key",
    ),
    "IdempotencyKeyInFlight": Sample(
        "The first request with this Idempotency-Key is still under way. Try again when it has "
        "ended.",
        "Idempotency-Key",
    ),
    "OutcomeNotStored": Sample(
        "What the first request with this Idempotency-Key was answered is not stored: 'resp_68a1' "
        "was made with 'store' set to false. Use a new key to ask anew.",
        "Idempotency-Key",
    ),
    "Unauthenticated": Sample("Incorrect API key provided."),
    "NotFound": Sample("Response with id 'resp_68a1' not found."),
    "ModelNotFound": Sample(
        "The model 'gtp-5' does not exist or you do not have access to it. Did you mean 'gpt-5'?",
        "model",
    ),
    "Unavailable": Sample("The gateway cannot reach its own storage."),
    "CredentialMissing": Sample("The target 'azure-east' has no credential yet."),
    "LinkNotWritten": Sample("The response was started, but the gateway could not store its link."),
    "UpgradeRequired": Sample(
        "The gateway serves no WebSockets. Send POST /responses over HTTP, with 'stream': true for "
        "server-sent events."
    ),
    "UpstreamFailed": Sample(
        "The connection to the provider broke before its answer was complete."
    ),
    "UpstreamNotReached": Sample("The provider could not be reached; nothing was sent."),
    "UpstreamRefusedUs": Sample(
        "The provider refuses the gateway's own credential. Your key is in order; tell those who "
        "run the gateway."
    ),
    "UpstreamTimeout": Sample("The provider did not answer in time."),
}

# Codes that are given where they arise, and types that are not the usual one for their status.
TYPES = {429: "rate_limit_error", 504: "server_error"}
CODES: dict[int, tuple[Sample, ...]] = {
    400: (
        Sample("Missing required parameter: 'model'.", "model", "missing_required_parameter"),
        Sample("Invalid 'tools': Input should be an array.", "tools", "invalid_type"),
        Sample(
            "'stream_options' is only allowed when 'stream' is true.",
            "stream_options",
            "invalid_value",
        ),
        Sample(
            "Invalid 'temperature': Input should be less than or equal to 2.",
            "temperature",
            "above_max_value",
        ),
        Sample(
            "Invalid 'top_p': Input should be greater than or equal to 0.",
            "top_p",
            "below_min_value",
        ),
        Sample(
            "Invalid 'metadata.team': String should have at most 512 characters.",
            "metadata.team",
            "string_above_max_length",
        ),
        Sample(
            "Invalid 'model': String should have at least 1 character.",
            "model",
            "string_below_min_length",
        ),
        Sample(
            "Invalid 'context_management': Array should not be empty.",
            "context_management",
            "array_below_min_length",
        ),
        Sample(
            "Invalid 'metadata': Input should have at most 16 pairs.",
            "metadata",
            "object_above_max_properties",
        ),
        Sample(
            "Give only one of 'previous_response_id' and 'conversation'.",
            "previous_response_id",
            "mutually_exclusive_parameters",
        ),
        Sample(
            "Unknown parameter: 'colour'. Known here: after, limit, order.",
            "colour",
            "unknown_parameter",
        ),
        Sample(
            "The limit of this key is 4,096 output tokens for each request, and this one sets "
            "8,192.",
            "max_output_tokens",
            "max_output_tokens_exceeded",
        ),
        Sample(
            "The limit of this key is 4,096 output tokens for each request, and this one sets "
            "none: set 'max_output_tokens' to that or less.",
            "max_output_tokens",
            "max_output_tokens_unset",
        ),
        Sample("The JSON body could not be read: it is empty.", "body", "invalid_json"),
        Sample(
            "The request refers to things that live at different targets of the gateway: "
            "'azure-east', 'openai'. No one of them holds them all.",
            code="targets_differ",
        ),
        Sample(
            "Links cannot be found by metadata 'colour'. This gateway indexes: team "
            "('metadata_index' in its configuration).",
            "metadata[colour]",
            "metadata_not_indexed",
        ),
        Sample(
            "No target of this gateway has the Conversations API. Chain responses with "
            "'previous_response_id' instead.",
            code="conversations_not_supported_by_target",
        ),
    ),
    429: (Sample("Rate limit reached for gpt-5.", code="rate_limit_exceeded"),),
    504: (Sample("The gateway's time limit for one call is reached.", code="gateway_deadline"),),
}
