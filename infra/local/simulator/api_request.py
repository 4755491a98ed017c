"""One request to the simulator, and the provider that it addresses.

A provider defines how a key is read, the shape of errors, and the response headers.
"""

import json
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from secrets import token_hex
from types import MappingProxyType
from typing import Any, Protocol
from uuid import uuid4

from aiohttp import web

from infra.local.simulator.errors import ApiError, MissingResource, RawResponse
from infra.local.simulator.items import Json
from infra.local.simulator.multipart import Form, parse_form
from infra.local.simulator.state import Account

RATE_LIMIT_HEADERS = {
    "x-ratelimit-limit-requests": "10000",
    "x-ratelimit-limit-tokens": "30000000",
    "x-ratelimit-remaining-requests": "9999",
    "x-ratelimit-remaining-tokens": "29999000",
    "x-ratelimit-reset-requests": "6ms",
    "x-ratelimit-reset-tokens": "2ms",
}
INVALID_KEY_PREFIX = "bad"  # a credential with this prefix is rejected
MISSING_KEY_MESSAGE = (
    "You didn't provide an API key. You need to provide your API key in an Authorization header"
    " using Bearer auth (i.e. Authorization: Bearer YOUR_KEY)."
)
INVALID_KEY_MESSAGE = (
    "Incorrect API key provided: {}. You can find your API key at the account page."
)
ACCESS_DENIED_MESSAGE = (
    "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a"
    " valid key for an active subscription and use a correct regional API endpoint."
)
DEPLOYMENT_NOT_FOUND_MESSAGE = (
    "The API deployment for this resource does not exist. If you created the deployment within"
    " the last 5 minutes, please wait a moment and try again."
)

CONTENT_FILTERS = ({"blocked": False, "source_type": "completion", "content_filter_results": {}},)
JSON_TYPE = "application/json"
INVALID_JSON_MESSAGE = (
    "We could not parse the JSON body of your request. (HINT: This likely means you aren't using"
    " your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was"
    " not valid JSON.)"
)


class Provider(Protocol):
    """What differs between OpenAI, Azure OpenAI and Amazon Bedrock."""

    @property
    def name(self) -> str: ...
    async def read_credential(self, request: web.Request) -> str: ...
    def error_body(self, error: ApiError) -> Json: ...
    def response_headers(self, milliseconds: int) -> dict[str, str]: ...
    def model_name(self, name: str) -> str: ...
    def file_id(self, purpose: str) -> str: ...
    def batch_id(self) -> str: ...
    @property
    def extra_fields(self) -> Mapping[str, object]: ...


class OpenAI:
    """See https://platform.openai.com/docs/api-reference."""

    name = "openai"
    extra_fields: Mapping[str, object] = MappingProxyType({})

    async def read_credential(self, request: web.Request) -> str:
        key = _bearer_token(request)
        if not key:
            raise ApiError(401, MISSING_KEY_MESSAGE)
        if key.startswith(INVALID_KEY_PREFIX):
            raise ApiError(401, INVALID_KEY_MESSAGE.format(key[:8]), "invalid_api_key")
        return key

    def error_body(self, error: ApiError) -> Json:
        fields = {"message": error.message, "type": error.type}
        return {"error": {**fields, "param": error.param, "code": error.code}}

    def response_headers(self, milliseconds: int) -> dict[str, str]:
        return {
            "x-request-id": f"req_{token_hex(16)}",
            "openai-processing-ms": str(milliseconds),
            "openai-version": "2020-10-01",
            "openai-organization": "org-simulator",
            "openai-project": "proj_simulator",
            **RATE_LIMIT_HEADERS,
        }

    def model_name(self, name: str) -> str:
        return name

    def file_id(self, purpose: str) -> str:
        del purpose
        return f"file-{token_hex(11)}"

    def batch_id(self) -> str:
        return f"batch_{token_hex(16)}"


class Azure:
    """See https://learn.microsoft.com/azure/ai-foundry/openai/latest."""

    name = "azure"
    extra_fields: Mapping[str, object] = MappingProxyType({"content_filters": CONTENT_FILTERS})

    def __init__(self, deployments: Mapping[str, str], *, legacy: bool = False) -> None:
        self._deployments = deployments
        self._legacy = legacy

    async def read_credential(self, request: web.Request) -> str:
        key = request.headers.get("api-key") or _bearer_token(request)
        if not key or key.startswith(INVALID_KEY_PREFIX):
            raise ApiError(401, ACCESS_DENIED_MESSAGE)
        if self._legacy and not request.query.get("api-version"):
            raise ApiError(404, "Resource not found")
        return key

    def error_body(self, error: ApiError) -> Json:
        code, message = error.code or str(error.status), error.message
        if code == "model_not_found":
            code, message = "DeploymentNotFound", DEPLOYMENT_NOT_FOUND_MESSAGE
        if isinstance(error, MissingResource):
            message = "Resource not found"
        return {"error": {"code": code, "message": message}}

    def response_headers(self, milliseconds: int) -> dict[str, str]:
        id = str(uuid4())
        return {
            "apim-request-id": id,
            "x-request-id": id,
            "x-ms-region": "Sweden Central",
            "x-ms-rai-invoked": "true",
            "x-envoy-upstream-service-time": str(milliseconds),
            **RATE_LIMIT_HEADERS,
        }

    def model_name(self, name: str) -> str:
        """Returns the model of a deployment; an unknown deployment is its own model."""
        return self._deployments.get(name, name)

    def file_id(self, purpose: str) -> str:
        return f"assistant-{token_hex(12)}" if purpose == "assistants" else f"file-{uuid4().hex}"

    def batch_id(self) -> str:
        return f"batch_{uuid4()}"


def _bearer_token(request: web.Request) -> str:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


@dataclass(frozen=True)
class ApiRequest:
    """A request with its provider and its account; builds the replies to it."""

    http_request: web.Request
    provider: Provider
    account: Account
    started: float = field(default_factory=time.monotonic)

    @property
    def query(self) -> Mapping[str, str]:
        return self.http_request.query

    def path_parameter(self, name: str) -> str:
        """Returns a variable of the path, such as the id."""
        return self.http_request.match_info[name]

    async def read_json(self) -> Json:
        """Returns the body, which must be a JSON object. Raises ApiError otherwise."""
        content_type = self.http_request.content_type
        if content_type != JSON_TYPE:
            message = (
                f"Unsupported content type: '{content_type}'. This API method only accepts"
                f" '{JSON_TYPE}' requests. Please try again with a supported content type."
            )
            raise ApiError(400, message, "unsupported_content_type")
        return _parse_object(await self.http_request.read())

    async def read_optional_json(self) -> Json:
        return await self.read_json() if await self.http_request.read() else {}

    async def read_form(self) -> Form:
        """Returns the body, which must be multipart/form-data. Raises ApiError otherwise."""
        content_type = self.http_request.headers.get("content-type", "")
        return parse_form(content_type, await self.http_request.read())

    def headers(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        milliseconds = int((time.monotonic() - self.started) * 1000)
        return {**self.provider.response_headers(milliseconds), **(extra or {})}

    def reply(self, body: Any, headers: Mapping[str, str] | None = None) -> web.Response:
        return self._build_response(RawResponse(200, encode_json(body), headers=headers or {}))

    def reply_with(self, replacement: RawResponse | ApiError) -> web.Response:
        return (
            self._build_response(replacement)
            if isinstance(replacement, RawResponse)
            else self.reply_error(replacement)
        )

    def reply_error(self, error: ApiError) -> web.Response:
        body = encode_json(self.provider.error_body(error))
        return self._build_response(RawResponse(error.status, body, headers=error.headers))

    def _build_response(self, response: RawResponse) -> web.Response:
        headers = self.headers({"content-type": response.type, **response.headers})
        return web.Response(status=response.status, body=response.body, headers=headers)


type RouteHandler = Callable[[ApiRequest], Awaitable[web.StreamResponse]]
type Route = tuple[str, str, RouteHandler]  # method, path below the provider's prefix, handler


def encode_json(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False, indent=2).encode()


def _parse_object(raw: bytes) -> Json:
    try:
        body = json.loads(raw.decode(), parse_float=_parse_finite, parse_constant=_parse_finite)
        if b"\\u" in raw:
            encode_json(body)  # raises UnicodeEncodeError for half of a surrogate pair
    except (ValueError, RecursionError) as exc:
        raise ApiError(400, INVALID_JSON_MESSAGE) from exc
    if not isinstance(body, dict):
        raise ApiError(400, "Invalid type for request body: expected an object.", "invalid_type")
    return body


def _parse_finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number
