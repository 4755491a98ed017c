"""The error responses: one for each status, with every code that the gateway itself returns."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from antiphon.errors import GatewayError
from antiphon.schema.unserved import endpoint_not_served, method_not_served
from infra.example_models import EXAMPLE_MODEL
from infra.reference import headers
from infra.reference.schemas import Schema, ref


@dataclass(frozen=True)
class Sample:
    """An example of an error: its message, its parameter, and its code where no class has it."""

    message: str
    param: str | None = None
    code: str | None = None


FROM_PROVIDER = "Any other status of the provider passes unchanged, with its body."
DESCRIPTIONS = {
    400: "The request is invalid; `param` names the field. The most frequent of the provider's own "
    "are `conversation_locked` and `context_length_exceeded`.",
    401: "No key, an unknown or a revoked one; it belongs into `Authorization` or `api-key`. Or a "
    "webhook that the provider of a target has not signed.",
    403: "A policy of the operators does not allow what the request contains; `param` names the "
    "member, the message also the rule. Nothing was sent.",
    404: "Not found for this caller. A foreign, unknown, malformed, deleted or expired id gets "
    "the same answer, and no provider is called.",
    405: "The path exists, but not with this method.",
    409: "The first request with this `Idempotency-Key` has not ended, and `retry-after` is the "
    "time until a retry; or, with `x-should-retry: false`, its outcome is not stored.",
    413: "The body is larger than `max_body_bytes`; the message shows how to send a large file. "
    "What makes a Lambda event of more than 6 MB gets AWS's own 413, without this envelope.",
    415: "The body is compressed; send it as it is.",
    422: "The `Idempotency-Key` belongs to another request, or an error of the provider.",
    426: "The request asks for a WebSocket. Create a response with `stream: true` instead.",
    429: "A rate limit of the gateway or of the provider; `retry-after` is the time until a retry.",
    500: "The gateway failed.",
    502: "The provider could not be reached, or its answer is incomplete. `x-should-retry: false` "
    "where the request may have been processed.",
    503: "A service of the gateway is unavailable; or, with `x-should-retry: false`, the response "
    "was created but its owner could not be recorded.",
    504: "The provider did not answer in time, or the gateway's own time limit was reached.",
}
BY_CLASS = {
    "GatewayError": Sample("The gateway failed."),
    "InvalidRequest": Sample("The request body could not be decoded.", "body"),
    "PreviousResponseMissing": Sample(
        "Previous response with id 'resp_68a1' not found.", "previous_response_id"
    ),
    "TargetGone": Sample(
        "What the request continues is stored at the target 'azure-east', which is no longer "
        "configured. Start again without it."
    ),
    "WebhookNotDelivered": Sample("The endpoint did not answer: timeout."),
    "PolicyViolation": Sample(
        "'tools[3].server_url' violates the policy [policies.acme] mcp_hosts: the host "
        "'evil.example' is not allowed; allowed: *.acme.com.",
        "tools[3].server_url",
    ),
    "NotSupportedByTarget": Sample(
        "No target for this request serves background responses. Considered: local-models. Send "
        "the request without 'background'."
    ),
    "PriceUnknown": Sample(
        "The price of the model 'my-model' is not known, and this request is under a budget.",
        "model",
    ),
    "ContentRefused": Sample(
        "The guardrail of this gateway refuses the input: it asks for medical advice"
    ),
    "GuardrailUnavailable": Sample(
        "The guardrail of this gateway did not answer, so nothing was sent."
    ),
    "BodyTooLarge": Sample(
        "The request body is too large. It has 4,700,000 bytes; the limit is 4,500,000. Send no "
        "file as base64: name its address as `file_url` or `image_url`, or upload it and name it "
        'by its `file_id`: client.uploads.upload_file_chunked(file="report.pdf", '
        'mime_type="application/pdf", purpose="assistants", part_size=4 * 1024 * 1024).file.id'
    ),
    "UnsupportedEncoding": Sample(
        "The gateway accepts no content encoding. Send the body uncompressed."
    ),
    "IdempotencyKeyReused": Sample(
        "This Idempotency-Key belongs to another request. Use a new one for this request.",
        "Idempotency-Key",
    ),
    "IdempotencyKeyInFlight": Sample(
        "The first request with this Idempotency-Key has not ended. Retry when it has.",
        "Idempotency-Key",
    ),
    "OutcomeNotStored": Sample(
        "The outcome of the first request with this Idempotency-Key is not stored: 'resp_68a1' "
        "was created with 'store' set to false. Use a new key to send the request again.",
        "Idempotency-Key",
    ),
    "LimitReached": Sample(
        "Rate limit reached for this key on requests per min (RPM): Limit 60, Used 60, "
        "Requested 1. Please try again in 12s."
    ),
    "TokenLimitReached": Sample(
        "Rate limit reached for this key on tokens per min (TPM): Limit 90000, Used 89000, "
        "Requested 4000. Please try again in 12s."
    ),
    "RequestTooLong": Sample(
        "Request too large for this key on tokens per min (TPM): Limit 90000, Requested 120000. "
        "Set a smaller 'max_output_tokens'."
    ),
    "TooManyInFlight": Sample(
        "Too many responses in flight for this key: Limit 8. Try again when one of them has ended."
    ),
    "BudgetSpent": Sample(
        "You exceeded your current quota: the budget of this key is $50 a month, of which $49.99 "
        "is used or reserved."
    ),
    "StorageLimitReached": Sample(
        "You exceeded your current quota: the limit of this key is 20 files ('max_files'), of "
        "which 20 are stored or being made. Delete some with DELETE /v1/files/{file_id}, which "
        "counts within seconds, or ask the operator of the gateway for more."
    ),
    "Unauthenticated": Sample("Incorrect API key provided."),
    "WebhookNotVerified": Sample("The signature of this webhook is missing, wrong or too old."),
    "NotFound": Sample("Response with id 'resp_68a1' not found."),
    "ModelNotFound": Sample(
        "The model 'gtp-6.1' does not exist or you do not have access to it. Did you mean "
        f"'{EXAMPLE_MODEL}'?",
        "model",
    ),
    "EndpointNotServed": Sample(str(endpoint_not_served("POST", "/v1/chat/completions"))),
    "MethodNotAllowed": Sample(str(method_not_served("PUT", "/v1/responses", "GET, POST"))),
    "Unavailable": Sample("The gateway cannot reach its own storage."),
    "CredentialMissing": Sample("The target 'azure-east' has no credential yet."),
    "LinkNotWritten": Sample(
        "It was created, but the gateway could not record its owner, so its id is not returned."
    ),
    "UpgradeRequired": Sample(
        "The gateway does not serve WebSockets. Send POST /responses over HTTP, with 'stream': "
        "true for server-sent events."
    ),
    "UpstreamFailed": Sample(
        "The connection to the provider broke before its answer was complete."
    ),
    "UpstreamNotReached": Sample(
        "The provider could not be reached: the connection is refused. Nothing was sent."
    ),
    "UpstreamRefusedUs": Sample(
        "The provider refuses the gateway's own credential. Your key is valid; contact the "
        "operators of the gateway."
    ),
    "UpstreamTimeout": Sample("The provider did not answer in time."),
}

# Codes without a class of their own, and types that differ from the usual one of their status.
TYPES = {429: "rate_limit_error", 502: "server_error", 504: "server_error"}
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
            "Invalid 'input': at most 2,000 ids may be referred to.",
            "input",
            "array_above_max_length",
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
            "The file has 390,000,000 bytes, and the gateway can send 200,000,000 in one response. "
            "Get it in parts by the header Range, in Python: "
            'client.files.content(id, extra_headers={"Range": "bytes=0-99999999"})',
            code="download_too_large",
        ),
        Sample(
            "The form could not be read: it has the field 'file_id' twice. Send it once.",
            "file_id",
            "invalid_form",
        ),
        Sample(
            "The request refers to objects that are stored at different targets of the gateway: "
            "'azure-east', 'openai'. No single target has all of them.",
            code="targets_differ",
        ),
        Sample(
            "Invalid 'input_file_id': line 3: it must be a POST to /v1/responses.",
            "input_file_id",
            "invalid_batch_line",
        ),
        Sample(
            "Batches are not served under a budget: what they cost is known only at their end. "
            "Send the requests one by one.",
            code="batches_not_under_budget",
        ),
        Sample(
            "Links cannot be found by metadata 'colour'. This gateway indexes: team "
            "('metadata_index' in its configuration).",
            "metadata[colour]",
            "metadata_not_indexed",
        ),
        Sample(
            "No target for this request serves the Conversations API. Considered: azure-east. "
            "Chain responses with 'previous_response_id' instead.",
            code="conversations_not_supported_by_target",
        ),
    ),
    429: (Sample(f"Rate limit reached for {EXAMPLE_MODEL}.", code="rate_limit_exceeded"),),
    502: (
        Sample(
            "An event of the provider's stream has more than 16,777,216 bytes, the limit of the "
            "gateway's setting 'max_event_bytes'.",
            code="event_too_large",
        ),
    ),
    504: (
        Sample("The gateway's time limit for one call is reached.", code="gateway_deadline"),
        Sample("The gateway is shutting down.", code="gateway_stopped"),
    ),
}


WAITS = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}


@dataclass(frozen=True)
class ErrorExample:
    """One example."""

    name: str
    status: int
    error: Schema

    @property
    def example(self) -> Schema:
        return {"summary": self.error["code"] or self.name, "value": {"error": self.error}}


def response_ref(status: int | str) -> Schema:
    return {"$ref": f"#/components/responses/{_name(status)}"}


def error_responses() -> dict[str, Schema]:
    """Return a component for each status, and one for every other status of a provider."""
    by_status: dict[int, list[ErrorExample]] = {}
    for error_example in error_examples():
        by_status.setdefault(error_example.status, []).append(error_example)
    ours = {
        _name(status): _response(_description(status), _headers(status), error_examples)
        for status, error_examples in sorted(by_status.items())
    }
    return {**ours, _name("default"): _response(FROM_PROVIDER, headers.PASSED)}


def error_classes(root: type[GatewayError] = GatewayError) -> Iterator[type[GatewayError]]:
    """Yield every class of antiphon.errors."""
    yield root
    for child in root.__subclasses__():
        if child.__module__ == "antiphon.errors":
            yield from error_classes(child)


def error_examples() -> Iterator[ErrorExample]:
    """Yield an example of every error class, and of every code without a class of its own."""
    for cls in error_classes():
        sample = BY_CLASS.get(cls.__name__, Sample(cls.__doc__ or f"{cls.__name__}."))
        fault = cls(sample.message, param=sample.param)
        yield ErrorExample(cls.__name__, cls.status, dict(fault.error()))
    for status, samples in CODES.items():
        kind = TYPES.get(status, "invalid_request_error")
        for sample in samples:
            error = {
                "message": sample.message,
                "type": kind,
                "param": sample.param,
                "code": sample.code,
            }
            yield ErrorExample(str(sample.code), status, error)


def _response(
    description: str, names: Iterable[str], error_examples: Sequence[ErrorExample] = ()
) -> Schema:
    examples = {error_example.name: error_example.example for error_example in error_examples}
    content = {"schema": ref("Error"), **({"examples": examples} if examples else {})}
    header_refs = headers.header_refs(names)
    return {
        "description": description,
        "headers": header_refs,
        "content": {"application/json": content},
    }


def _headers(status: int) -> Iterator[str]:
    yield "x-antiphon-request-id"
    if status in WAITS:
        yield "retry-after"
    if any(cls.status == status and cls.retry is not None for cls in error_classes()):
        yield "x-should-retry"


def _description(status: int) -> str:
    return DESCRIPTIONS.get(status, HTTPStatus(status).phrase)


def _name(status: int | str) -> str:
    if isinstance(status, str):
        return "FromProvider"
    return HTTPStatus(status).name.title().replace("_", "")
