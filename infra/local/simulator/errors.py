"""Error responses, independent of the provider, and raw HTTP responses."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

SERVER_ERROR_MESSAGE = "The server had an error while processing your request. Sorry about that!"
INVALID_REQUEST = "invalid_request_error"
HTML_TEMPLATE = (
    b"<html><head><title>%b</title></head><body><center><h1>%b</h1></center></body></html>\r\n"
)
_CONTENT_FILTER_ERROR = {
    "error": {
        "message": "The response was filtered due to the prompt triggering Azure OpenAI's content"
        " management policy. Please modify your prompt and retry.",
        "type": None,
        "param": "prompt",
        "code": "content_filter",
        "status": 400,
        "innererror": {
            "code": "ResponsibleAIPolicyViolation",
            "content_filter_result": {
                "hate": {"filtered": False, "severity": "safe"},
                "jailbreak": {"filtered": True, "detected": True},
            },
        },
    }
}


@dataclass(eq=False)
class ApiError(Exception):
    """An error response. Handlers and validation raise it; the provider defines its JSON."""

    status: int
    message: str
    code: str | None = None
    param: str | None = None
    type: str = INVALID_REQUEST
    headers: Mapping[str, str] = field(default_factory=dict)


class MissingResource(ApiError):
    """A file, a store or the like does not exist; Azure has one text for all of them."""

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(404, message, param=param)


def missing_parameter(param: str) -> ApiError:
    message = f"Missing required parameter: '{param}'."
    return ApiError(400, message, "missing_required_parameter", param)


def invalid_parameter(param: str, fault: str, code: str) -> ApiError:
    return ApiError(400, f"Invalid '{param}': {fault}", code, param)


def too_long(text: str, maximum: int) -> str:
    """Returns the fault of a text above a maximum length."""
    return (
        f"string too long. Expected a string with maximum length {maximum}, but got a string with"
        f" length {len(text)} instead."
    )


def resource_not_found(kind: str, id: str) -> ApiError:
    return ApiError(404, f"{kind} with id '{id}' not found.")


def model_not_found(name: str) -> ApiError:
    message = f"The model `{name}` does not exist or you do not have access to it."
    return ApiError(404, message, "model_not_found", "model")


@dataclass(frozen=True)
class RawResponse:
    """An HTTP response with any status and body, sent instead of a Responses API object."""

    status: int
    body: bytes = b""
    type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


def html_page(status: int, title: bytes) -> RawResponse:
    return RawResponse(status, HTML_TEMPLATE % (title, title), "text/html; charset=utf-8")


def server_error(
    status: int, message: str = SERVER_ERROR_MESSAGE, code: str | None = None
) -> ApiError:
    return ApiError(status, message, code, type="server_error")


def rate_limit_error(seconds: int) -> ApiError:
    message = (
        "Rate limit reached for the model on tokens per min (TPM): Limit 30000, Used 30000,"
        f" Requested 42. Please try again in {seconds}s."
    )
    headers = {
        "retry-after": str(seconds),
        "retry-after-ms": str(seconds * 1000),
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": f"{seconds}s",
    }
    return ApiError(429, message, "rate_limit_exceeded", type="tokens", headers=headers)


CONTENT_FILTER_RESPONSE = RawResponse(400, json.dumps(_CONTENT_FILTER_ERROR).encode())
QUOTA_EXCEEDED = ApiError(
    429,
    "You exceeded your current quota, please check your plan and billing details.",
    "insufficient_quota",
    type="insufficient_quota",
)
