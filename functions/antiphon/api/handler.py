"""Handles the events of both doors, API Gateway (payload v1) and Function URL (payload v2)."""

import time
import traceback
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from aws_lambda_powertools.event_handler import (
    ApiGatewayResolver,
    LambdaFunctionUrlResolver,
    Response,
)
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.utilities.typing import LambdaContext

from antiphon.errors import GatewayError, InvalidRequest, NotFound
from antiphon.http import FiniteBody, OnCloseBody, RequestMetrics
from antiphon.http_events import (
    PREFIXES,
    add_headers,
    error_response,
    method_and_path,
    without_empty_headers,
)
from antiphon.observability import logger, metrics
from antiphon.settings.metrics import ADDED, ANSWER, ERRORS, FIRST_EVENT, REQUESTS

FIRST_ERROR_STATUS, TOO_MANY_REQUESTS, SERVER_ERROR = 400, 429, 500


type Event = dict[str, Any]
type Answer = dict[str, Any]  # of the Lambda function


def count_error(fault: GatewayError) -> Response[Any]:
    """Count an error of the gateway by its code, but errors of requests only by their class."""
    code = fault.code
    if isinstance(fault, InvalidRequest | NotFound):
        usual = "not_found" if isinstance(fault, NotFound) else "invalid_request"
        code = type(fault).code or usual
    metrics.count(ERRORS, kind=code or "gateway_error")
    return error_response(fault)


def with_metrics(
    answer: Answer, ms: float, request_metrics: RequestMetrics, request_id: str
) -> Answer:
    """Count an answer that was ready after so many ms; flush its metrics when it has ended."""
    is_whole = isinstance(answer["body"], FiniteBody)
    upstream_ms = request_metrics.upstream_ms
    metrics.count(REQUESTS)
    if answer["statusCode"] >= FIRST_ERROR_STATUS:
        _count_provider_error(answer["statusCode"], has_called=bool(request_metrics.attempts))
    elif request_metrics.attempts:
        metrics.measure(ANSWER if is_whole else FIRST_EVENT, round(ms, 1))
        metrics.measure(ADDED, round(max(ms - upstream_ms, 0), 2))
    flush = partial(metrics.flush, request_id=request_id)
    if is_whole:
        flush()
        return answer
    return {**answer, "body": OnCloseBody(answer["body"], flush)}


def _count_provider_error(status: int, *, has_called: bool) -> None:
    """Count an error that the gateway has not raised itself: a provider's, new or replayed."""
    if metrics.of(ERRORS):
        return
    if not has_called:
        kind = "replayed"
    elif status == TOO_MANY_REQUESTS:
        kind = f"provider_{status}"
    else:
        kind = "provider_5xx" if status >= SERVER_ERROR else "provider_4xx"
    metrics.count(ERRORS, kind=kind)


# The second where the provider sent none.
REQUEST_ID_HEADERS = ("x-antiphon-request-id", "x-request-id")


class ApiHandler:
    """The function's handler: finds the endpoint, and turns every GatewayError into a response."""

    def __init__(self, routers: Sequence[Router], public_routers: Sequence[Router]) -> None:
        """`public_routers` need no key, and are served without a prefix as well."""
        rows = [(prefix, router) for router in routers for prefix in PREFIXES]
        rows += [(prefix, router) for router in public_routers for prefix in ("", *PREFIXES)]
        # Debugging is off whatever the environment says: it prints events, and with them content.
        # The plain resolver reads payload v1; the one for REST would let trailing slashes in.
        self._rest = _with_routes(ApiGatewayResolver(debug=False), rows)
        self._url = _with_routes(LambdaFunctionUrlResolver(debug=False), rows)

    def __call__(self, event: Event, context: LambdaContext) -> dict[str, Any]:
        started = time.perf_counter()
        request_id = context.aws_request_id
        metrics.flush()  # what an invocation that was ended early left behind
        logger.append_keys(request_id=request_id)
        request_metrics = RequestMetrics()
        resolver = self._url if event.get("version") == "2.0" else self._rest
        resolver.append_context(metrics=request_metrics)
        answer = resolver.resolve(without_empty_headers(event), context)
        ms = (time.perf_counter() - started) * 1000
        _log_answer(event, answer, ms, request_metrics)
        answer = add_headers(answer, dict.fromkeys(REQUEST_ID_HEADERS, request_id))
        return with_metrics(answer, ms, request_metrics, request_id)


def _log_answer(event: Event, answer: Answer, ms: float, request_metrics: RequestMetrics) -> None:
    method, path = method_and_path(event)
    attempts = request_metrics.to_log()
    about = {"method": method, "path": path, "status": answer["statusCode"], "ms": round(ms, 1)}
    logger.info("answered", extra={**about, **({"attempts": attempts} if attempts else {})})


def _with_routes[R: ApiGatewayResolver](resolver: R, routers: Iterable[tuple[str, Router]]) -> R:
    for prefix, router in routers:
        resolver.include_router(router, prefix=prefix)

    def unknown(_: NotFoundError) -> Response[Any]:
        event = resolver.current_event
        path = f"{event.http_method} {event.path}"
        return count_error(NotFound(f"Invalid URL ({path}). The API begins at /v1."))

    def failed(exc: Exception) -> Response[Any]:
        # Where and what, but not the exception's own words: they may hold content.
        frame = traceback.extract_tb(exc.__traceback__)[-1]
        where = f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"
        logger.error("failed", extra={"error": type(exc).__name__, "where": where})
        return count_error(GatewayError("The gateway failed."))

    resolver.exception_handler(GatewayError)(count_error)
    resolver.exception_handler(NotFoundError)(unknown)
    resolver.exception_handler(Exception)(failed)
    return resolver
