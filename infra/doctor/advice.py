"""What to do about an answer, or an error, that should not be."""

import socket
import ssl
from collections.abc import Iterator, Mapping

import httpx

from infra.doctor.answer import Answer, Json

BUFFERED = (
    "What only AWS should read is in the body: nobody streams here. The Function URL's InvokeMode "
    "must be RESPONSE_STREAM, the REST integration's ResponseTransferMode STREAM: deploy again."
)
LOG = "Read the log group of the api function"
BY_CODE: Mapping[str, str] = {
    "invalid_api_key": "The gateway does not know this key, or it was revoked: see "
    "`antiphon keys list`, or make one with `antiphon keys create`.",
    "target_credential_missing": "Put the provider's key, alone and as plain text, into the "
    "target's secret with `aws secretsmanager put-secret-value`; the stack's output SecretNames "
    "has its name.",
    "upstream_auth": "The provider refuses what is in the target's secret: put its key there with "
    "`aws secretsmanager put-secret-value`; it is used within 300 seconds.",
    "model_not_found": "Name a model that is served with --model; GET /models lists them.",
    "upstream_not_reached": "Is the target's address in gateway.toml right? " + LOG + ".",
    "insufficient_quota": "The provider's account has no credit left.",
    "rate_limit_exceeded": "Try again later: a rate limit was reached.",
    "gateway_unavailable": "The function does not reach its table: " + LOG + ".",
    "gateway_error": LOG + " for this request's id.",
}
BY_STATUS: Mapping[int, str] = {
    301: "Give the URL that it redirects to.",
    302: "Give the URL that it redirects to.",
    308: "Give the URL that it redirects to.",
    403: "AWS itself refuses. A Function URL needs permissions for lambda:InvokeFunctionUrl and "
    "lambda:InvokeFunction; a REST API's URL has its stage in it. The stack's outputs name both.",
    404: "Nothing of the gateway is at this address. The stack's outputs RestUrl and FunctionUrl "
    "name its base URLs.",
    429: "Lambda, API Gateway or the provider turns calls away: look at the Throttles alarm, at "
    "antiphon:throttle_rate and at the provider's limits.",
    500: LOG + ".",
    502: "The function did not start, or failed. " + LOG + ". (A REST API answers so, too, where "
    "its integration does not stream.)",
    503: LOG + ", and the provider's status page.",
    504: "The provider, or the function, was silent for too long. " + LOG + ".",
}
TLS = (
    "The certificate is not trusted. Behind a proxy that has one of its own, name its authority in "
    "SSL_CERT_FILE; for a domain name of your own, look at antiphon:certificate_arn."
)
NO_SUCH_HOST = (
    "No such host is known. Take the base URL from the stack's outputs; a name of your own needs "
    "its DNS record."
)
NOBODY_LISTENS = "Nobody answers there. Is it deployed, and is this its URL? Is there a proxy?"
SLOW = f"Raise --timeout; where that does not help, {LOG.lower()}."


def of(answer: Answer) -> str | None:
    """The error's code says more than the status."""
    if answer.shows_prelude:
        return BUFFERED
    return of_error(answer.error) or BY_STATUS.get(answer.status)


def of_error(error: Json) -> str | None:
    return BY_CODE.get(str(error.get("code")))


def of_failure(exc: httpx.HTTPError) -> str:
    """For a call that got no answer."""
    causes = list(_causes(exc))
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return TLS
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return NO_SUCH_HOST
    if isinstance(exc, httpx.TimeoutException) and not isinstance(exc, httpx.ConnectTimeout):
        return SLOW
    return NOBODY_LISTENS if isinstance(exc, httpx.ConnectError | httpx.ConnectTimeout) else LOG


def _causes(exc: BaseException | None) -> Iterator[BaseException]:
    while exc is not None:
        yield exc
        exc = exc.__cause__ or exc.__context__
