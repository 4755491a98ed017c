"""The result of a check, and advice on what to do about an error."""

import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import httpx

from infra.doctor.responses import ApiResponse, Json

type Verdict = Literal["ok", "fails", "skipped"]

BUFFERED = (
    "The body contains the metadata that a streaming function sends to Lambda: the response is not "
    "streamed. The Function URL's InvokeMode must be RESPONSE_STREAM, and the REST integration's "
    "ResponseTransferMode must be STREAM: deploy again."
)
READ_LOG = "Read the log group of the api function"
ADVICE_BY_CODE: Mapping[str, str] = {
    "invalid_api_key": "The gateway does not know this key, or the key was revoked: see "
    "`antiphon keys list`, or create one with `antiphon keys create`.",
    "target_credential_missing": "Put the provider's key, as plain text and without anything else, "
    "into the target's secret with `antiphon secrets put TARGET`.",
    "upstream_auth": "The provider rejects the credential in the target's secret: put a valid key "
    "there with `antiphon secrets put TARGET`; the gateway uses it within 300 seconds.",
    "model_not_found": "Name a model that the gateway serves with --model; GET /models lists them.",
    "upstream_not_reached": f"Is the target's address in gateway.toml correct? {READ_LOG}.",
    "insufficient_quota": "The provider's account has no credit left.",
    "rate_limit_exceeded": "Try again later: a rate limit was reached.",
    "gateway_unavailable": f"The function does not reach its table: {READ_LOG}.",
    "gateway_error": f"{READ_LOG}; search for the id of this request.",
}
ADVICE_BY_STATUS: Mapping[int, str] = {
    301: "Use the URL that it redirects to.",
    302: "Use the URL that it redirects to.",
    308: "Use the URL that it redirects to.",
    403: "AWS itself denies access. A Function URL needs permissions for lambda:InvokeFunctionUrl "
    "and lambda:InvokeFunction; the URL of a REST API contains its stage. The stack's outputs "
    "contain both URLs.",
    404: "There is no gateway at this address. The stack's outputs RestUrl and FunctionUrl contain "
    "its base URLs.",
    429: "Lambda, API Gateway or the provider throttles requests: check the Throttles alarm, "
    "antiphon:throttle_rate and the provider's limits.",
    500: f"{READ_LOG}.",
    502: f"The function did not start, or it failed. {READ_LOG}. (A REST API also responds with "
    "502 if its integration does not stream.)",
    503: f"{READ_LOG}, and check the provider's status page.",
    504: f"The provider or the function sent nothing for too long. {READ_LOG}.",
}
NOT_SUPPORTED = "not_supported_by_target"
NOT_SERVED = "No target for this request serves it, as the sections of gateway.toml say."
TLS = (
    "The certificate is not trusted. If a proxy uses its own certificate, set SSL_CERT_FILE to a "
    "file with its authority; if you use your own domain name, check antiphon:certificate_arn."
)
UNKNOWN_HOST = (
    "The host name does not exist. Take the base URL from the stack's outputs; your own domain "
    "name needs a DNS record."
)
NO_CONNECTION = (
    "Nothing accepts connections there. Is it deployed, is the URL correct, is there a proxy?"
)
SLOW = f"Raise --timeout; if that does not help, {READ_LOG[0].lower()}{READ_LOG[1:]}."


@dataclass(frozen=True)
class Finding:
    verdict: Verdict
    seen: str  # what the check observed
    advice: str | None = None  # what to do, or what to know
    commands: tuple[str, ...] = ()  # that mend it, to be copied


def ok(seen: str, advice: str | None = None) -> Finding:
    return Finding("ok", seen, advice)


def fails(seen: str, advice: str | None = None, *commands: str) -> Finding:
    return Finding("fails", seen, advice, commands)


def skipped(reason: str, advice: str | None = None) -> Finding:
    return Finding("skipped", reason, advice)


def refused(response: ApiResponse) -> Finding:
    """Return the finding for an error; what a target does not serve is no fault."""
    if response.error.get("code") == NOT_SUPPORTED:
        return skipped(response.summary, NOT_SERVED)
    return fails(response.summary, advise_on_response(response))


def advise_on_response(response: ApiResponse) -> str | None:
    """Return advice by the error's code, else by the status."""
    if response.contains_metadata:
        return BUFFERED
    return advise_on_error(response.error) or ADVICE_BY_STATUS.get(response.status)


def advise_on_error(error: Json) -> str | None:
    """Return advice for an error object of the API, by its code."""
    return ADVICE_BY_CODE.get(str(error.get("code")))


def advise_on_exception(exc: httpx.HTTPError) -> str:
    """Return advice for a request without a response."""
    causes = list(_list_causes(exc))
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return TLS
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return UNKNOWN_HOST
    if isinstance(exc, httpx.TimeoutException) and not isinstance(exc, httpx.ConnectTimeout):
        return SLOW
    if isinstance(exc, httpx.ConnectError | httpx.ConnectTimeout):
        return NO_CONNECTION
    return READ_LOG


def _list_causes(exc: BaseException | None) -> Iterator[BaseException]:
    while exc is not None:
        yield exc
        exc = exc.__cause__ or exc.__context__
