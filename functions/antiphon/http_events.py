"""Between Lambda's events and our Request and Reply; payload v1 and v2 meet here."""

import base64
import binascii
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from antiphon.errors import BodyTooLarge, GatewayError, InvalidRequest, UnsupportedEncoding
from antiphon.http import FiniteBody, Reply, Request, RequestMetrics
from antiphon.observability import logger

PREFIXES = ("/v1", "/openai/v1", "/openai")

type LambdaEvent = Mapping[str, Any]


@dataclass(frozen=True)
class RequestReader:
    """Reads the current event of a router."""

    max_body_bytes: int

    def __call__(self, router: Router) -> Request:
        """Raise InvalidRequest and its kin for what cannot be a request."""
        event, context = router.current_event.raw_event, router.lambda_context
        method, _ = method_and_path(event)
        headers = _headers(event)
        return Request(
            id=context.aws_request_id,
            method=method,
            query=_query(event),
            headers=headers,
            body=self._body(event, headers),
            ends_at=time.monotonic() + context.get_remaining_time_in_millis() / 1000,
            metrics=router.context.get("metrics") or RequestMetrics(),
        )

    def _body(self, event: LambdaEvent, headers: Mapping[str, str]) -> bytes:
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise UnsupportedEncoding("Send the body as it is: no content encoding is taken.")
        body = _decode_body(event.get("body") or "", is_base64=bool(event.get("isBase64Encoded")))
        if len(body) > self.max_body_bytes:
            size = f"It has {len(body):,} bytes; the limit is {self.max_body_bytes:,}."
            raise BodyTooLarge(f"The request's body is too large. {size}")
        return body


type Endpoint = Callable[..., Reply]  # takes the Request, and the path's ids by their names


def build_router(receive: RequestReader, *endpoints: tuple[str, str, Endpoint]) -> Router:
    """A router for (method, path, endpoint) rows."""
    routes = Router()

    def serve(endpoint: Endpoint) -> Callable[..., Response[Any]]:
        def call(**ids: str) -> Response[Any]:
            return to_response(endpoint(receive(routes), **ids))

        return call

    for method, path, endpoint in endpoints:
        routes.route(path, method=method)(serve(endpoint))
    return routes


def without_empty_headers(event: LambdaEvent) -> dict[str, Any]:
    """The event without headers that have no value, which Powertools cannot read."""
    given = {name: event.get(name) or {} for name in ("headers", "multiValueHeaders")}
    kept = {
        name: {k: v for k, v in some.items() if v not in (None, [])} for name, some in given.items()
    }
    return {**event, **kept}


def method_and_path(event: LambdaEvent) -> tuple[str, str]:
    """Method and path of either payload, the stage of API Gateway not in it."""
    if event.get("version") == "2.0":
        return event["requestContext"]["http"]["method"], event["rawPath"]
    return event["httpMethod"], event["path"]


def to_response(reply: Reply) -> Response[Any]:
    """Header names stay in lower case: Powertools serialises what it takes for JSON."""
    body = FiniteBody((reply.body,)) if isinstance(reply.body, bytes) else reply.body
    return Response(reply.status, headers=dict(reply.headers), body=body)


def error_response(fault: GatewayError) -> Response[Any]:
    """Our own refusal in OpenAI's envelope, with what an SDK should know about trying again."""
    # Not the param: its path is made of the caller's own keys.
    logger.info("refused", extra={"error": type(fault).__name__, "code": fault.code})
    headers = {"content-type": "application/json", "cache-control": "no-store", **fault.headers}
    if fault.retry is not None:
        headers["x-should-retry"] = str(fault.retry).lower()
    return to_response(Reply(fault.status, headers, fault.body()))


def add_headers(answer: dict[str, Any], extra: Mapping[str, str]) -> dict[str, Any]:
    """Add headers that the answer, in either payload's form, has not got yet."""
    if "headers" in answer:
        answer["headers"] = {**extra, **answer["headers"]}
    else:
        lists = {name: [value] for name, value in extra.items()}
        answer["multiValueHeaders"] = {**lists, **answer["multiValueHeaders"]}
    return answer


def _headers(event: LambdaEvent) -> dict[str, str]:
    """Names in lower case; a header given more than once is joined by commas (RFC 9110, 5.3)."""
    many = event.get("multiValueHeaders")
    if many:
        return {name.lower(): ",".join(values) for name, values in many.items()}
    return {name.lower(): value for name, value in event["headers"].items()}


def _query(event: LambdaEvent) -> str:
    if event.get("version") == "2.0":
        return event.get("rawQueryString") or ""
    return urlencode(event.get("multiValueQueryStringParameters") or {}, doseq=True)


def _decode_body(body: str, *, is_base64: bool) -> bytes:
    try:
        return base64.b64decode(body, validate=True) if is_base64 else body.encode()
    except (binascii.Error, UnicodeEncodeError) as exc:
        raise InvalidRequest("The request's body could not be decoded.", param="body") from exc
