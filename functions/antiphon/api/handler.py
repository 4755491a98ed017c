"""Handles the API function's events: API Gateway (payload v1) and Function URL (payload v2)."""

import time
from collections.abc import Iterable, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import (
    ApiGatewayResolver,
    LambdaFunctionUrlResolver,
    Response,
)
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.utilities.typing import LambdaContext

from antiphon.errors import GatewayError, InvalidRequest, MethodNotAllowed, NotFound
from antiphon.http import FiniteBody, OnCloseBody, RequestMetrics
from antiphon.http_events import (
    PREFIXES,
    LambdaEvent,
    LambdaResponse,
    add_headers,
    error_response,
    method_and_path,
    readable_event,
)
from antiphon.observability import failure_fields, logger, metrics
from antiphon.settings.metrics import ADDED, ANSWER, ERRORS, FIRST_EVENT, REQUESTS
from antiphon.store.dynamodb import CallTime
from antiphon.upstream.outcome import fault_to_report

# The second one only where the provider sent none.
REQUEST_ID_HEADERS = ("x-antiphon-request-id", "x-request-id")


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
        prefixed = [(prefix, router) for router in routers for prefix in PREFIXES]
        prefixed += [(prefix, router) for router in public_routers for prefix in ("", *PREFIXES)]
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
        resolver.append_context(metrics=request_metrics)
        response = resolver.resolve(event, context)
        ms = (time.perf_counter() - started) * 1000
        _log_response(event, response, ms, request_metrics)
        _count_response(response, ms, request_metrics)
        response = add_headers(response, dict.fromkeys(REQUEST_ID_HEADERS, request_id))
        return _flush_metrics_at_end(response, request_id)


def _with_routes[R: ApiGatewayResolver](resolver: R, routers: Iterable[tuple[str, Router]]) -> R:
    for prefix, router in routers:
        resolver.include_router(router, prefix=prefix)

    def reply_not_found(_: NotFoundError) -> Response[Any]:
        event = resolver.current_event
        method, path = event.http_method, event.path
        allowed = _allowed_methods(resolver, path)
        if allowed:
            message = f"The method {method} is not allowed for {path}. Allowed: {allowed}."
            return _reply_error(MethodNotAllowed(message, headers={"allow": allowed}))
        return _reply_error(NotFound(f"Invalid URL ({method} {path}). The API begins at /v1."))

    def reply_failure(exc: Exception) -> Response[Any]:
        logger.error("failed", extra=failure_fields(exc))
        return _reply_error(GatewayError("The gateway failed."))

    def reply_error(error: GatewayError) -> Response[Any]:
        request_metrics = resolver.context.get("metrics") or RequestMetrics()
        return _reply_error(fault_to_report(error, is_done=request_metrics.is_done))

    resolver.exception_handler(GatewayError)(reply_error)
    resolver.exception_handler(NotFoundError)(reply_not_found)
    resolver.exception_handler(Exception)(reply_failure)
    return resolver


def _allowed_methods(resolver: ApiGatewayResolver, path: str) -> str:
    """Return the methods with which a path is served, as in the header `allow`."""
    # Powertools has no public list of its routes.
    routes = resolver._static_routes + resolver._dynamic_routes  # noqa: SLF001
    return ", ".join(sorted({route.method for route in routes if route.rule.match(path)}))


def _reply_error(error: GatewayError) -> Response[Any]:
    metrics.count(ERRORS, kind=_error_kind(error))
    return error_response(error)


def _error_kind(error: GatewayError) -> str:
    """Return the error's code; for an invalid request that of its class, of which there are few."""
    if isinstance(error, NotFound):
        return type(error).code or "not_found"
    if isinstance(error, InvalidRequest):
        return type(error).code or "invalid_request"
    return error.code or "gateway_error"


def _log_response(
    event: LambdaEvent, response: LambdaResponse, ms: float, request_metrics: RequestMetrics
) -> None:
    method, path = method_and_path(event)
    fields = {"method": method, "path": path, "status": response["statusCode"], "ms": round(ms, 1)}
    attempts = request_metrics.to_log()
    logger.info("answered", extra={**fields, "attempts": attempts} if attempts else fields)


def _count_response(response: LambdaResponse, ms: float, request_metrics: RequestMetrics) -> None:
    """`ms`: until the complete response, or the first event of a stream, was ready."""
    metrics.count(REQUESTS)
    if response["statusCode"] >= HTTPStatus.BAD_REQUEST:
        _count_provider_error(response["statusCode"], request_metrics)
    elif request_metrics.attempts:
        metrics.measure(ANSWER if _is_complete(response) else FIRST_EVENT, round(ms, 1))
        metrics.measure(ADDED, round(max(ms - request_metrics.upstream_ms, 0), 2))


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
    metrics.count(ERRORS, kind=kind)


def _flush_metrics_at_end(response: LambdaResponse, request_id: str) -> LambdaResponse:
    flush = partial(metrics.flush, request_id=request_id)
    if _is_complete(response):
        flush()
        return response
    return {**response, "body": OnCloseBody(response["body"], flush)}


def _is_complete(response: LambdaResponse) -> bool:
    """Whether the whole body is in memory, so that nothing is streamed."""
    return isinstance(response["body"], FiniteBody)
