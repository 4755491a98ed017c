"""Calls of moto's DynamoDB without what moto does around them, which is most of their time.

moto builds a Flask request, reads the arguments by botocore's model of the service, and writes the
result by that model, attribute for attribute. Arguments and results are JSON in the right form
already, so that they are read and written as such. Everything in between is moto's own code.
"""

import json
from collections.abc import Mapping
from typing import Any

from moto.core.common_types import TYPE_RESPONSE
from moto.core.responses import ActionResult, BaseResponse
from moto.dynamodb.models.utilities import dynamo_json_dump
from moto.dynamodb.responses import DynamoHandler
from moto.dynamodbstreams.responses import DynamoDBStreamsHandler

from infra.local.aws.resources import ACCOUNT, REGION

SCOPE = f"/{REGION}/dynamodb/aws4_request"  # of a signature
CONTENT_TYPE = "application/x-amz-json-1.0"
TARGETS = {
    f"DynamoDB_20120810.{name}"
    for name in (
        *("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query"),
        *("BatchGetItem", "BatchWriteItem", "TransactGetItems", "TransactWriteItems"),
    )
}
STREAM_TARGET = "DynamoDBStreams_20120810.GetRecords"
BINARY = (b'"B"', b'"BS"')  # types whose values moto decodes


class _Direct(BaseResponse):
    """What moto's handlers read of a request, and how they write a result."""

    body: Any

    def __init__(self) -> None:
        super().__init__()
        self.querystring = {}
        self.uri_match = {}
        self.response_headers = {}
        self.region, self.current_account = REGION, ACCOUNT

    def serialized(self, action_result: ActionResult) -> TYPE_RESPONSE:
        if isinstance(action_result.result, Exception):
            return super().serialized(action_result)
        members: Any = action_result.result or {}
        result = {name: value for name, value in members.items() if value is not None}
        return 200, {"Content-Type": CONTENT_TYPE}, dynamo_json_dump(result)


class _TableCall(_Direct, DynamoHandler):
    def __init__(self, target: str, body: bytes) -> None:
        super().__init__()
        self.headers = {"X-Amz-Target": target, "Content-Type": CONTENT_TYPE}
        self.params = json.loads(body)


class _StreamCall(_Direct, DynamoDBStreamsHandler):
    def __init__(self, target: str, body: bytes) -> None:
        super().__init__()
        self.headers = {"X-Amz-Target": target, "Content-Type": CONTENT_TYPE}
        self.body = body


def is_direct(headers: Mapping[str, str], body: bytes) -> bool:
    """Whether `call` can execute it: a call for rows of the gateway's Region, without binary."""
    target = headers.get("X-Amz-Target", "")
    return (
        (target in TARGETS or target == STREAM_TARGET)
        and SCOPE in headers.get("Authorization", "")
        and not any(type in body for type in BINARY)
    )


def call(target: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of the answer."""
    handler = (_StreamCall if target == STREAM_TARGET else _TableCall)(target, body)
    status, headers, text = handler.call_action()
    answer = text if isinstance(text, bytes) else text.encode()
    return int(status), {name: str(value) for name, value in headers.items()}, answer
