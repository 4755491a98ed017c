"""Converts Lambda's HTTP events, payload v1 and v2, to Request, and Reply to Lambda's response."""

import binascii
import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlencode

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from antiphon.errors import GatewayError, InvalidRequest, UnsupportedEncoding, retry_header
from antiphon.http import FiniteBody, Reply, Request, RequestMetrics
from antiphon.observability import logger
from antiphon.schema.body_size import body_too_large

PIECE_BYTES = 1 << 20  # of a large body, which is copied as it is sent
ASCII = "".join(map(chr, range(128)))
PREFIXES = ("/v1", "/openai/v1", "/openai")

type LambdaEvent = Mapping[str, Any]
type LambdaResponse = dict[str, Any]
type Endpoint = Callable[..., Reply]  # takes the Request, and the ids in the path by their names


@dataclass(frozen=True, eq=False, repr=False)
class RequestReader:
    """Reads the request from a router's current event."""

    max_body_bytes: int
    rest_answer_seconds: float  # in which an answer at API Gateway must begin

    def __call__(self, router: Router) -> Request:
        """Raise InvalidRequest, BodyTooLarge or UnsupportedEncoding for a body that is refused."""
        event, context = current_event(router), router.lambda_context
        method, _ = method_and_path(event)
        headers = read_headers(event)
        return Request(
            id=context.aws_request_id,
            method=method,
            query=_read_query(event),
            headers=headers,
            body=self._read_body(event, headers),
            ends_at=time.monotonic() + context.get_remaining_time_in_millis() / 1000,
            answers_by=self._answers_by(event),
            metrics=router.context.get("metrics") or RequestMetrics(),
        )

    def _answers_by(self, event: LambdaEvent) -> float:
        is_rest = event.get("version") != "2.0"
        return time.monotonic() + self.rest_answer_seconds if is_rest else math.inf

    def _read_body(self, event: LambdaEvent, headers: Mapping[str, str]) -> bytes:
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise UnsupportedEncoding(
                "The gateway accepts no content encoding. Send the body uncompressed."
            )
        body = _decode_body(event.get("body") or "", is_base64=bool(event.get("isBase64Encoded")))
        if len(body) > self.max_body_bytes:
            raise body_too_large(headers, body, self.max_body_bytes)
        return body


def build_router(reader: RequestReader, *endpoints: tuple[str, str, Endpoint]) -> Router:
    """Build a router from rows of method, path and endpoint."""
    router = Router()

    def handler_for(endpoint: Endpoint) -> Callable[..., Response[Any]]:
        def handle(**ids: str) -> Response[Any]:
            decoded = {name: unquote(id) for name, id in ids.items()}
            return to_response(endpoint(reader(router), **decoded))

        return handle

    for method, path, endpoint in endpoints:
        router.route(path, method=method)(handler_for(endpoint))
    return router


def current_event(router: Router) -> LambdaEvent:
    """Return the event that a router's endpoint is called for: Powertools has no headers of it."""
    event: LambdaEvent = router.context["event"]
    return event


def method_and_path(event: LambdaEvent) -> tuple[str, str]:
    """Return method and path of either payload; the path without the stage of API Gateway."""
    if event.get("version") == "2.0":
        return event["requestContext"]["http"]["method"], event["rawPath"]
    return event["httpMethod"], event["path"]


def source_address(event: LambdaEvent) -> str | None:
    """Return the IP address that called the endpoint: that of a proxy in front of it, if any."""
    context = event["requestContext"]
    caller = context.get("http" if event.get("version") == "2.0" else "identity") or {}
    address: str | None = caller.get("sourceIp")
    return address


def readable_event(event: LambdaEvent) -> dict[str, Any]:
    """Return the event without what Powertools or a log cannot take.

    That is headers without a value, and lone surrogates in the path.
    """
    copied = dict(event)
    for field in event.keys() & {"path", "rawPath"}:
        copied[field] = _encodable(event[field])
    for field in ("headers", "multiValueHeaders"):
        headers = event.get(field) or {}
        if not all(headers.values()):
            headers = {name: value for name, value in headers.items() if value not in (None, [])}
        copied[field] = headers
    return copied


def to_response(reply: Reply) -> Response[Any]:
    """Convert a reply. Header names must be in lower case: else Powertools serialises JSON."""
    body = FiniteBody(_pieces(reply.body)) if isinstance(reply.body, bytes) else reply.body
    return Response(reply.status, headers=dict(reply.headers), body=body)


def error_response(error: GatewayError, *, pays_again: bool) -> Response[Any]:
    """Build a response in OpenAI's error envelope, and log it as `refused`.

    `pays_again`: whether a repetition could do again what the provider may have done.
    """
    # `param` is not logged: it may contain keys of the caller's JSON.
    logger.info("refused", extra={"error": type(error).__name__, "code": error.code})
    headers = {
        "content-type": "application/json",
        "cache-control": "no-store",
        **error.headers,
        **retry_header(error, pays_again=pays_again),
    }
    return to_response(Reply(error.status, headers, error.body()))


def add_headers(response: LambdaResponse, headers: Mapping[str, str]) -> LambdaResponse:
    """Add the headers that a response, in the form of either payload, does not have yet."""
    if "headers" in response:
        return {**response, "headers": {**headers, **response["headers"]}}
    lists = {name: [value] for name, value in headers.items()}
    return {**response, "multiValueHeaders": {**lists, **response["multiValueHeaders"]}}


def _pieces(body: bytes) -> Iterable[bytes]:
    if len(body) <= PIECE_BYTES:
        return (body,)
    return (body[at : at + PIECE_BYTES] for at in range(0, len(body), PIECE_BYTES))


def read_headers(event: LambdaEvent) -> dict[str, str]:
    """Return headers by names in lower case; repeated ones joined by commas (RFC 9110, 5.3)."""
    lists = event.get("multiValueHeaders")
    if lists:
        return {name.lower(): _encodable(",".join(values)) for name, values in lists.items()}
    return {name.lower(): _encodable(value) for name, value in event["headers"].items()}


def _encodable(text: str) -> str:
    """Replace lone surrogates, which JSON can express and no encoding can."""
    return text if text.isascii() else text.encode(errors="replace").decode()


def _read_query(event: LambdaEvent) -> str:
    if event.get("version") == "2.0":
        # A URL is ASCII, also where a client sends its query as it is.
        return quote(event.get("rawQueryString") or "", safe=ASCII, errors="replace")
    parameters = event.get("multiValueQueryStringParameters") or {}
    return urlencode(parameters, doseq=True, errors="replace")


def _decode_body(body: str, *, is_base64: bool) -> bytes:
    try:
        # Not base64.b64decode, which copies the text first: memory for one more body.
        return binascii.a2b_base64(body, strict_mode=True) if is_base64 else body.encode()
    except ValueError as exc:
        raise InvalidRequest("The request body could not be decoded.", param="body") from exc
