"""Powertools' resolvers and logger under the runtime, as the gateway has them."""

from http import HTTPStatus

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import (
    APIGatewayRestResolver,
    LambdaFunctionUrlResolver,
    Response,
)
from aws_lambda_powertools.event_handler.router import Router
from aws_lambda_powertools.shared.cookies import Cookie

logger = Logger(service="test")
router = Router()


@router.get("/stream")
def stream():
    return Response(
        HTTPStatus.OK,
        content_type="text/event-stream",
        headers={"x-a": "1"},
        cookies=[Cookie("a", "b", secure=False)],
        body=(b"data: %d\n\n" % number for number in range(2)),
    )


@router.get("/no-content")
def no_content():
    return Response(HTTPStatus.NO_CONTENT)


rest, url = APIGatewayRestResolver(), LambdaFunctionUrlResolver()
rest.include_router(router)
url.include_router(router)


@logger.inject_lambda_context
def handler(event, context):
    logger.info("invoked")
    return (url if "rawPath" in event else rest).resolve(event, context)
