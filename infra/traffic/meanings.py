"""What a code of the gateway's errors means, for lines of a log that has no messages.

Functions do not log the message of an error, because it may quote the request. These sentences
quote nothing.
"""

from http import HTTPStatus

MEANINGS = {
    "above_max_value": "A value is larger than allowed.",
    "array_above_max_length": "A list has too many elements.",
    "array_below_min_length": "A list has too few elements.",
    "batches_not_under_budget": "A key with a budget cannot create batches.",
    "below_min_value": "A value is smaller than allowed.",
    "concurrency_limit_exceeded": "Too many responses in flight for this key.",
    "content_policy": "The guardrail refuses the input.",
    "conversations_not_supported_by_target": "No target has the Conversations API.",
    "download_too_large": "The file is too large for one response; get it in parts.",
    "endpoint_not_served": "The gateway does not serve this path or method.",
    "event_too_large": "An event of the provider is larger than max_event_bytes.",
    "function_failed": "The function timed out, or its process ended.",
    "gateway_deadline": "The time limit of the gateway was reached.",
    "gateway_error": "The gateway failed: see its log for the exception.",
    "gateway_stopped": "The gateway shut down during the request.",
    "gateway_unavailable": "The gateway did not reach its own storage.",
    "guardrail_unavailable": "The guardrail did not answer; nothing was sent.",
    "idempotency_key_in_flight": "The first request with this Idempotency-Key has not ended.",
    "idempotency_key_reused": "This Idempotency-Key belongs to another request.",
    "idempotency_outcome_not_stored": "The first response with this Idempotency-Key is not stored.",
    "insufficient_quota": "The budget of the key or its tenant is used or reserved.",
    "invalid_api_key": "No key, or an unknown, expired or revoked one.",
    "invalid_batch_line": "A line of the batch's input is not a valid request.",
    "invalid_form": "The form of an upload could not be read.",
    "invalid_json": "The body is not valid JSON.",
    "invalid_type": "A value has the wrong type.",
    "invalid_value": "A value is not allowed.",
    "invalid_webhook_signature": "The signature of a webhook is missing, wrong or too old.",
    "link_not_written": "It was created, but its owner could not be recorded.",
    "max_output_tokens_exceeded": "max_output_tokens is larger than the key's limit.",
    "max_output_tokens_unset": "The key's limit needs max_output_tokens, and none is set.",
    "metadata_not_indexed": "This metadata key is not in metadata_index.",
    "missing_required_parameter": "A required parameter is missing.",
    "model_not_found": "No target serves this model, or the key may not use it.",
    "model_without_price": "The model has no price, and the key has a budget.",
    "mutually_exclusive_parameters": "Two parameters exclude each other.",
    "not_supported_by_target": "No target for the request serves what it needs.",
    "object_above_max_properties": "An object has too many properties.",
    "policy_violation": "A policy of gateway.toml does not allow what the request contains.",
    "previous_response_not_found": "The caller has no such previous response.",
    "rate_limit_exceeded": "A rate limit of the key, its tenant or the provider is reached.",
    "request_too_large": "The body is larger than max_body_bytes.",
    "storage_limit_reached": "The key's limit of stored objects is reached.",
    "string_above_max_length": "A string is too long.",
    "string_below_min_length": "A string is too short.",
    "target_credential_missing": "The target has no credential yet: antiphon secrets put.",
    "target_not_configured": "What is continued is at a target that is no longer configured.",
    "targets_differ": "The request refers to objects at different targets.",
    "unknown_parameter": "A query parameter is not known here.",
    "unsupported_content_encoding": "The body is compressed.",
    "upstream_answer_too_large": "The provider's answer is larger than max_answer_bytes.",
    "upstream_auth": "The provider refuses the target's credential.",
    "upstream_failed": "The provider's answer was incomplete or could not be read.",
    "upstream_not_reached": "The provider could not be reached; nothing was sent.",
    "upstream_timeout": "The provider did not answer in time.",
    "webhook_not_delivered": "The webhook endpoint did not answer the test.",
    "websocket_not_supported": "The gateway does not serve WebSockets.",
}


def explain(code: str | None, status: int | None) -> str:
    """Return why a request was refused, without a word of the request: its code and the meaning.

    A code of the provider is its own explanation, and so is a status without a code.
    """
    if code is None:
        return _phrase(status)
    meaning = MEANINGS.get(code)
    return code if meaning is None else f"{code}: {meaning}"


def _phrase(status: int | None) -> str:
    try:
        return "" if status is None else HTTPStatus(status).phrase
    except ValueError:  # a status that no RFC names
        return ""
