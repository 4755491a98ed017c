"""Both doors: API Gateway (payload v1) and Function URL (payload v2), one set of routers."""

import time
import traceback
from collections.abc import Iterable, Sequence
from typing import Any

from aws_lambda_powertools.event_handler import (
    ApiGatewayResolver,
    LambdaFunctionUrlResolver,
    Response,
)
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.utilities.typing import LambdaContext

from antiphon.errors import GatewayError, NotFound
from antiphon.observe import figures, logger
from antiphon.routes.measuring import measured, refused
from antiphon.routes.traffic import PREFIXES, method_and_path, tidied, with_headers

REQUEST_IDS = ("x-antiphon-request-id", "x-request-id")  # the second where no provider gave one

type Event = dict[str, Any]


class Door:
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
        figures.tell()  # what a request before has left that was lost on its way
        logger.remove_keys(["attempts"])
        logger.append_keys(request_id=context.aws_request_id)
        resolver = self._url if event.get("version") == "2.0" else self._rest
        answer = resolver.resolve(tidied(event), context)
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
        told = with_headers(answer, dict.fromkeys(REQUEST_IDS, context.aws_request_id))
        return measured(told, ms, context.aws_request_id)


def _with_routes[R: ApiGatewayResolver](resolver: R, routers: Iterable[tuple[str, Router]]) -> R:
    for prefix, router in routers:
        resolver.include_router(router, prefix=prefix)

    def unknown(_: NotFoundError) -> Response[Any]:
        event = resolver.current_event
        path = f"{event.http_method} {event.path}"
        return refused(NotFound(f"Invalid URL ({path}). The API begins at /v1."))

    def failed(exc: Exception) -> Response[Any]:
        # Where and what, but not the exception's own words: they may hold content.
        frame = traceback.extract_tb(exc.__traceback__)[-1]
        where = f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"
        logger.error("failed", extra={"error": type(exc).__name__, "where": where})
        return refused(GatewayError("The gateway failed."))

    resolver.exception_handler(GatewayError)(refused)
    resolver.exception_handler(NotFoundError)(unknown)
    resolver.exception_handler(Exception)(failed)
    return resolver
