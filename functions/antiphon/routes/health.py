"""/health: whether the function starts and answers; it asks nobody else."""

from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from antiphon.http import Reply
from antiphon.routes.traffic import answered

OK = Reply(200, {"content-type": "application/json"}, b'{"status":"ok"}')


def router() -> Router:
    routes = Router()

    @routes.get("/health")
    def health() -> Response[Any]:
        return answered(OK)

    return routes
