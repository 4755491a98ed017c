"""Handles the API function's events: API Gateway (payload v1) and Function URL (payload v2)."""

import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeGuard

from aws_lambda_powertools.event_handler import (
    ApiGatewayResolver,
    LambdaFunctionUrlResolver,
    Response,
)
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.utilities.typing import LambdaContext

from antiphon.api.cors import Cors
from antiphon.errors import GatewayError, InvalidRequest, NotFound
from antiphon.http import FiniteBody, OnCloseBody, Reply, RequestMetrics, may_pay_again
from antiphon.http_events import (
    PREFIXES,
    LambdaEvent,
    LambdaResponse,
    add_headers,
    error_response,
    method_and_path,
    read_headers,
    readable_event,
    source_address,
)
from antiphon.observability import OTHER, failure_fields, log_request, logger, metrics
from antiphon.schema.unserved import endpoint_not_served, method_not_served
from antiphon.settings.metrics import ADDED, ANSWER, ERRORS, FIRST_EVENT, REQUESTS, SERVER_ERRORS
from antiphon.store.dynamodb import CallTime
from antiphon.upstream.outcome import fault_to_report

NAME = re.compile(r"[!-~]{1,900}")  # of a model, an id, a code: without spaces
# The second one only where the provider sent none.
REQUEST_ID_HEADERS = ("x-antiphon-request-id", "x-request-id")
NO_BODY = FiniteBody(())
# Powertools copies all headers of a request, for one that says whether it may compress the answer,
# which takes as long as to find the route. Our endpoints compress, if at all, by themselves.
WITHOUT_HEADERS: LambdaEvent = {"headers": {}, "multiValueHeaders": {}}
# Powertools compiles one pattern for each route: with three prefixes that would take three times as
# long at each start, and so would the search for the route of a request.
ANY_PREFIX = f"(?:{'|'.join(PREFIXES)})"


class ApiHandler:
    """Finds the endpoint of an event, and turns every GatewayError into a response."""

    def __init__(
        self,
        routers: Sequence[Router],
        public_routers: Sequence[Router],
        times: Sequence[CallTime] = (),
    ) -> None:
        """`public_routers` need no key; their paths exist without a prefix too.

        Each request has each of the `times`.
        """
        self._times = times
        prefixed = [(ANY_PREFIX, router) for router in routers]
        prefixed += [(prefix, router) for router in public_routers for prefix in ("", ANY_PREFIX)]
        # No debug mode, whatever the environment says: it prints events, and with them content.
        # The plain resolver reads payload v1; the one for REST APIs accepts trailing slashes.
        self._rest = _with_routes(ApiGatewayResolver(debug=False), prefixed)
        self._url = _with_routes(LambdaFunctionUrlResolver(debug=False), prefixed)
        # A router sees only the context of the resolver that included it last, so both share one.
        self._rest.context = self._url.context

    def __call__(self, event: LambdaEvent, context: LambdaContext) -> LambdaResponse:
        started = time.perf_counter()
        event = readable_event(event)
        request_id = context.aws_request_id
        for time_limit in self._times:
            time_limit.renew()
        metrics.flush()  # of an invocation that Lambda ended early
        logger.append_keys(request_id=request_id)
        request_metrics = RequestMetrics()
        resolver = self._url if event.get("version") == "2.0" else self._rest
        resolver.append_context(metrics=request_metrics, event=event)
        response = resolver.resolve({**event, **WITHOUT_HEADERS}, context)
        _count_response(response, _ms_since(started), request_metrics)
        ms = _ms_since(started)
        log_request("answered", request_id, _response_fields(event, response, ms, request_metrics))
        response = add_headers(response, dict.fromkeys(REQUEST_ID_HEADERS, request_id))
        return _report_at_end(response, request_id, started, request_metrics)


def _with_routes[R: ApiGatewayResolver](resolver: R, routers: Iterable[tuple[str, Router]]) -> R:
    for prefix, router in routers:
        resolver.include_router(router, prefix=prefix)

    def reply_not_found(_: NotFoundError) -> Response[Any]:
        event = resolver.current_event
        method, path = event.http_method, event.path
        allowed = _allowed_methods(resolver, path)
        if allowed:
            return reply(method_not_served(method, path, allowed))
        return reply(endpoint_not_served(method, path))

    def reply_failure(exc: Exception) -> Response[Any]:
        logger.error("failed", extra=failure_fields(exc))
        return reply(GatewayError("The gateway failed."))

    def reply(error: GatewayError) -> Response[Any]:
        request_metrics = resolver.context.get("metrics") or RequestMetrics()
        error = fault_to_report(error, is_done=request_metrics.is_done)
        _count_error(_error_kind(error), request_metrics)
        event = resolver.current_event
        return error_response(error, pays_again=may_pay_again(event.http_method, event.path))

    resolver.exception_handler(GatewayError)(reply)
    resolver.exception_handler(NotFoundError)(reply_not_found)
    resolver.exception_handler(Exception)(reply_failure)
    return resolver


def _allowed_methods(resolver: ApiGatewayResolver, path: str) -> str:
    """Return the methods with which a path is served, as in the header `allow`."""
    # Powertools has no public list of its routes.
    routes = resolver._static_routes + resolver._dynamic_routes  # noqa: SLF001
    methods = {route.method for route in routes if route.rule.match(path)}
    return ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))


def _count_error(kind: str, request_metrics: RequestMetrics) -> None:
    metrics.count(ERRORS, kind=kind)
    request_metrics.fields.update(code=kind)


def _error_kind(error: GatewayError) -> str:
    """Return the error's code; for an invalid request that of its class, of which there are few."""
    if isinstance(error, NotFound):
        return type(error).code or "not_found"
    if isinstance(error, InvalidRequest):
        return type(error).code or "invalid_request"
    return error.code or "gateway_error"


def _response_fields(
    event: LambdaEvent, response: LambdaResponse, ms: float, request_metrics: RequestMetrics
) -> dict[str, object]:
    """Return what is logged of a response.

    `ms`: until the complete response, or the first event of a stream, was ready.
    """
    method, path = method_and_path(event)
    if not _is_complete(response):
        request_metrics.fields.update(first_event_ms=round(ms, 1))
    is_refusal = response["statusCode"] >= HTTPStatus.BAD_REQUEST
    if is_refusal and "tenant" not in request_metrics.fields:
        request_metrics.fields.update(source_ip=source_address(event))
    fields = {"method": method, "path": path, "status": response["statusCode"], "ms": round(ms, 1)}
    attempts = request_metrics.to_log()
    fields |= {"attempts": attempts} if attempts else {}
    return fields | _loggable(request_metrics.fields)


def _count_response(response: LambdaResponse, ms: float, request_metrics: RequestMetrics) -> None:
    """`ms`: until the complete response, or the first event of a stream, was ready."""
    metrics.count(REQUESTS)
    status = response["statusCode"]
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        metrics.count(SERVER_ERRORS)
    if status >= HTTPStatus.BAD_REQUEST:
        _count_provider_error(status, request_metrics)
    elif request_metrics.attempts:
        ready = ANSWER if _is_complete(response) else FIRST_EVENT
        added = max(ms - request_metrics.upstream_ms, 0)
        metrics.measure({ready: round(ms, 1), ADDED: round(added, 2)})


def _count_provider_error(status: int, request_metrics: RequestMetrics) -> None:
    """Count an error that the gateway did not raise: a provider's own, new or replayed."""
    if metrics.of(ERRORS):
        return
    if not request_metrics.attempts:
        kind = "replayed"
    elif status == HTTPStatus.TOO_MANY_REQUESTS:
        kind = f"provider_{status}"
    else:
        is_server_error = status >= HTTPStatus.INTERNAL_SERVER_ERROR
        kind = "provider_5xx" if is_server_error else "provider_4xx"
    _count_error(kind, request_metrics)


def _report_at_end(
    response: LambdaResponse, request_id: str, started: float, request_metrics: RequestMetrics
) -> LambdaResponse:
    """Write the metrics, and the end of a stream, when the whole response is there."""
    if _is_complete(response):
        metrics.flush(request_id=request_id)
        return response

    def report() -> None:
        ms = round(_ms_since(started), 1)
        log_request("stream ended", request_id, {"ms": ms} | _loggable(request_metrics.fields))
        metrics.flush(request_id=request_id)

    return {**response, "body": OnCloseBody(response["body"], report)}


def _loggable(fields: dict[str, object]) -> dict[str, object]:
    """Return the fields that have a value; a text, where a name is expected, becomes OTHER."""
    return {
        name: OTHER if isinstance(value, str) and not NAME.fullmatch(value) else value
        for name, value in fields.items()
        if value is not None
    }


def _ms_since(started: float) -> float:
    return (time.perf_counter() - started) * 1000


def _is_complete(response: LambdaResponse) -> bool:
    """Whether the whole body is in memory, so that nothing is streamed."""
    return isinstance(response["body"], FiniteBody)


@dataclass(frozen=True, eq=False, repr=False)
class Door:
    """What every event passes before the handler: HEAD, preflights, and events without HTTP."""

    handler: ApiHandler
    cors: Cors

    def __call__(self, event: object, context: LambdaContext) -> LambdaResponse | None:
        if not _is_http(event):  # a schedule that keeps the function warm, for example
            logger.debug("no HTTP event")
            return None
        if _method(event) == "HEAD":
            response = _without_body(self.handler(_as_get(event), context))
        else:
            response = self._preflight(event, context) or self.handler(event, context)
        if not self.cors.origins:
            return response
        return self.cors.add_to(response, read_headers(readable_event(event)))

    def _preflight(self, event: LambdaEvent, context: LambdaContext) -> LambdaResponse | None:
        if _method(event) != "OPTIONS":
            return None
        reply = self.cors.preflight(read_headers(readable_event(event)))
        return None if reply is None else _to_lambda(reply, context.aws_request_id)


def _is_http(event: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(event, dict) and ("httpMethod" in event or "rawPath" in event)


def _method(event: LambdaEvent) -> str:
    method: str = event.get("httpMethod") or event["requestContext"]["http"]["method"]
    return method


def _as_get(event: LambdaEvent) -> LambdaEvent:
    """Return the event of the request whose answer a HEAD describes (RFC 9110, 9.3.2)."""
    if "httpMethod" in event:
        return {**event, "httpMethod": "GET"}
    context = event["requestContext"]
    return {**event, "requestContext": {**context, "http": {**context["http"], "method": "GET"}}}


def _without_body(response: LambdaResponse) -> LambdaResponse:
    response["body"].close()
    return {**response, "body": NO_BODY}


def _to_lambda(reply: Reply, request_id: str) -> LambdaResponse:
    headers = {**reply.headers, REQUEST_ID_HEADERS[0]: request_id}
    return {"statusCode": reply.status, "headers": headers, "body": reply.body}
