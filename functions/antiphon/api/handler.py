"""The figures of an answer, told when it has truly ended.

Both doors: API Gateway (payload v1) and Function URL (payload v2), one set of routers.
"""

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
from antiphon.http import OnCloseBody
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


def count_refusal(fault: GatewayError) -> Response[Any]:
    """Count a refusal of ours; what is wrong with a request in detail is told by its line alone."""
    code = fault.code
    if isinstance(fault, InvalidRequest | NotFound):
        usual = "not_found" if isinstance(fault, NotFound) else "invalid_request"
        code = type(fault).code or usual
    metrics.count(ERRORS, kind=code or "gateway_error")
    return error_response(fault)


def with_metrics(answer: dict[str, Any], ms: float, request_id: str) -> dict[str, Any]:
    """Count an answer that was ready after so many ms, and tell its figures at its end."""
    streams = hasattr(answer["body"], "close")
    metrics.count(REQUESTS)
    if answer["statusCode"] >= FIRST_ERROR_STATUS:
        _count_provider_error(answer["statusCode"])
    elif metrics.waited_ms:
        metrics.measure(FIRST_EVENT if streams else ANSWER, round(ms, 1))
        metrics.measure(ADDED, round(max(ms - metrics.waited_ms, 0), 2))
    tell = partial(metrics.tell, request_id=request_id)
    if streams:
        return {**answer, "body": OnCloseBody(answer["body"], tell)}
    tell()
    return answer


def _count_provider_error(status: int) -> None:
    """What we have not refused ourselves is a provider's answer, new or told again."""
    if metrics.of(ERRORS):
        return
    if not metrics.waited_ms:
        metrics.count(ERRORS, kind="replayed")
        return
    part = (
        str(TOO_MANY_REQUESTS)
        if status == TOO_MANY_REQUESTS
        else "5xx"
        if status >= SERVER_ERROR
        else "4xx"
    )
    metrics.count(ERRORS, kind=f"provider_{part}")


REQUEST_ID_HEADERS = (
    "x-antiphon-request-id",
    "x-request-id",
)  # the second where no provider gave one

type Event = dict[str, Any]


class ApiHandler:
    """The function's handler: finds the endpoint, and turns every refusal into an answer."""

    def __init__(self, api: Sequence[Router], open_to_all: Sequence[Router]) -> None:
        routers = [(prefix, router) for router in api for prefix in PREFIXES]
        routers += [(prefix, router) for router in open_to_all for prefix in ("", *PREFIXES)]
        # Debugging is off whatever the environment says: it prints events, and with them content.
        # The plain resolver reads payload v1; the one for REST would let trailing slashes in.
        self._rest = _with_routes(ApiGatewayResolver(debug=False), routers)
        self._url = _with_routes(LambdaFunctionUrlResolver(debug=False), routers)

    def __call__(self, event: Event, context: LambdaContext) -> dict[str, Any]:
        started = time.perf_counter()
        metrics.tell()  # what a request before has left that was lost on its way
        logger.remove_keys(["attempts"])
        logger.append_keys(request_id=context.aws_request_id)
        resolver = self._url if event.get("version") == "2.0" else self._rest
        answer = resolver.resolve(without_empty_headers(event), context)
        ms = (time.perf_counter() - started) * 1000
        method, path = method_and_path(event)
        logger.info(
            "answered",
            extra={
                "method": method,
                "path": path,
                "status": answer["statusCode"],
                "ms": round(ms, 1),
            },
        )
        told = add_headers(answer, dict.fromkeys(REQUEST_ID_HEADERS, context.aws_request_id))
        return with_metrics(told, ms, context.aws_request_id)


def _with_routes[R: ApiGatewayResolver](resolver: R, routers: Iterable[tuple[str, Router]]) -> R:
    for prefix, router in routers:
        resolver.include_router(router, prefix=prefix)

    def unknown(_: NotFoundError) -> Response[Any]:
        event = resolver.current_event
        path = f"{event.http_method} {event.path}"
        return count_refusal(NotFound(f"Invalid URL ({path}). The API begins at /v1."))

    def failed(exc: Exception) -> Response[Any]:
        # Where and what, but not the exception's own words: they may hold content.
        frame = traceback.extract_tb(exc.__traceback__)[-1]
        where = f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"
        logger.error("failed", extra={"error": type(exc).__name__, "where": where})
        return count_refusal(GatewayError("The gateway failed."))

    resolver.exception_handler(GatewayError)(count_refusal)
    resolver.exception_handler(NotFoundError)(unknown)
    resolver.exception_handler(Exception)(failed)
    return resolver
