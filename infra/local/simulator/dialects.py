"""The two providers: how each knows its callers, words its errors, and marks its answers."""

from collections.abc import Mapping
from secrets import token_hex
from types import MappingProxyType
from typing import Protocol
from uuid import uuid4

from aiohttp import web

from infra.local.simulator.items import Json
from infra.local.simulator.refusals import Refusal

LIMITS = {
    "x-ratelimit-limit-requests": "10000",
    "x-ratelimit-limit-tokens": "30000000",
    "x-ratelimit-remaining-requests": "9999",
    "x-ratelimit-remaining-tokens": "29999000",
    "x-ratelimit-reset-requests": "6ms",
    "x-ratelimit-reset-tokens": "2ms",
}
REFUSED_KEY = "bad"  # a credential that begins so is refused
NO_KEY = (
    "You didn't provide an API key. You need to provide your API key in an Authorization header"
    " using Bearer auth (i.e. Authorization: Bearer YOUR_KEY)."
)
WRONG_KEY = "Incorrect API key provided: {}. You can find your API key at the account page."
DENIED = (
    "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a"
    " valid key for an active subscription and use a correct regional API endpoint."
)
NO_DEPLOYMENT = (
    "The API deployment for this resource does not exist. If you created the deployment within"
    " the last 5 minutes, please wait a moment and try again."
)

UNFILTERED = ({"blocked": False, "source_type": "completion", "content_filter_results": {}},)


class Dialect(Protocol):
    @property
    def name(self) -> str: ...
    def credential(self, request: web.Request) -> str: ...
    def error(self, refusal: Refusal) -> Json: ...
    def headers(self, milliseconds: int) -> dict[str, str]: ...
    def model(self, asked: str) -> str: ...
    @property
    def extras(self) -> Mapping[str, object]: ...


class OpenAI:
    """As in https://platform.openai.com/docs/api-reference."""

    name = "openai"
    extras: Mapping[str, object] = MappingProxyType({})

    def credential(self, request: web.Request) -> str:
        key = _bearer(request)
        if not key:
            raise Refusal(401, NO_KEY)
        if key.startswith(REFUSED_KEY):
            raise Refusal(401, WRONG_KEY.format(key[:8]), "invalid_api_key")
        return key

    def error(self, refusal: Refusal) -> Json:
        told = {"message": refusal.message, "type": refusal.type}
        return {"error": {**told, "param": refusal.param, "code": refusal.code}}

    def headers(self, milliseconds: int) -> dict[str, str]:
        return {
            "x-request-id": f"req_{token_hex(16)}",
            "openai-processing-ms": str(milliseconds),
            "openai-version": "2020-10-01",
            "openai-organization": "org-simulator",
            "openai-project": "proj_simulator",
            **LIMITS,
        }

    def model(self, asked: str) -> str:
        return asked


class Azure:
    """As in https://learn.microsoft.com/azure/ai-foundry/openai/latest."""

    name = "azure"
    extras: Mapping[str, object] = MappingProxyType({"content_filters": UNFILTERED})

    def __init__(self, deployments: Mapping[str, str], *, legacy: bool = False) -> None:
        self._deployments = deployments
        self._legacy = legacy

    def credential(self, request: web.Request) -> str:
        key = request.headers.get("api-key") or _bearer(request)
        if not key or key.startswith(REFUSED_KEY):
            raise Refusal(401, DENIED)
        if self._legacy and not request.query.get("api-version"):
            raise Refusal(404, "Resource not found")
        return key

    def error(self, refusal: Refusal) -> Json:
        code, message = refusal.code or str(refusal.status), refusal.message
        if code == "model_not_found":
            code, message = "DeploymentNotFound", NO_DEPLOYMENT
        return {"error": {"code": code, "message": message}}

    def headers(self, milliseconds: int) -> dict[str, str]:
        id = str(uuid4())
        return {
            "apim-request-id": id,
            "x-request-id": id,
            "x-ms-region": "Sweden Central",
            "x-ms-rai-invoked": "true",
            "x-envoy-upstream-service-time": str(milliseconds),
            **LIMITS,
        }

    def model(self, asked: str) -> str:
        """The model that a deployment serves; its own name, where nobody said otherwise."""
        return self._deployments.get(asked, asked)


def _bearer(request: web.Request) -> str:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""
