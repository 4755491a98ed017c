"""Calls of moto without what moto does around them, which is most of their time.

moto builds a Flask request, reads the arguments by botocore's model of the service, and writes the
result by that model, attribute for attribute. Arguments and results are JSON in the right form
already, so that they are read and written as such. Everything in between is moto's own code. What
the gateway and its event sources call goes this way, so that Flask is not even imported.
"""

import json
from collections.abc import Collection, Mapping
from typing import Any
from uuid import uuid4

from moto.core.common_types import TYPE_RESPONSE
from moto.core.responses import ActionResult, BaseResponse
from moto.dynamodb.models.utilities import dynamo_json_dump
from moto.dynamodb.responses import DynamoHandler
from moto.dynamodbstreams.responses import DynamoDBStreamsHandler
from moto.secretsmanager.responses import SecretsManagerResponse
from moto.sqs.responses import SQSResponse

from infra.local.aws.resources import ACCOUNT, REGION

CONTENT_TYPE = "application/x-amz-json-1.0"
OK = 200
RECEIVE = "AmazonSQS.ReceiveMessage"  # the one call that may wait
BINARY = (b'"B"', b'"BS"', b'"BinaryValue"')  # types whose values moto decodes


class CreationFailed(Exception):
    """moto refused to create a resource."""


class _Direct(BaseResponse):
    """What moto's handlers read of a request, and how they write a result."""

    body: Any

    def __init__(self, target: str, body: bytes) -> None:
        super().__init__()
        self.uri = self.path = ""
        self.querystring = {}
        self.uri_match = {}
        self.response_headers = {}
        self.headers = {"X-Amz-Target": target, "Content-Type": CONTENT_TYPE}
        self.region, self.current_account = REGION, ACCOUNT
        self.body, self.params = body, json.loads(body)

    @staticmethod
    def _enrich_response(headers: dict[str, str], body: Any) -> tuple[dict[str, str], Any]:
        """Add an id; moto makes one letter for letter, and looks for XML that has it, too."""
        headers["x-amzn-requestid"] = uuid4().hex
        return headers, body

    def serialized(self, action_result: ActionResult) -> TYPE_RESPONSE:
        if isinstance(action_result.result, Exception):
            return super().serialized(action_result)
        members: Any = action_result.result or {}
        result = {name: value for name, value in members.items() if value is not None}
        return OK, {"Content-Type": CONTENT_TYPE}, dynamo_json_dump(result)


class _TableCall(_Direct, DynamoHandler): ...


class _StreamCall(_Direct, DynamoDBStreamsHandler): ...


class _QueueCall(_Direct, SQSResponse): ...


class _SecretCall(_Direct, SecretsManagerResponse): ...


# By the first half of a target: the handler, the service's name in a signature, and the operations.
SERVICES: Mapping[str, tuple[type[_Direct], str, Collection[str]]] = {
    "DynamoDB_20120810": (
        _TableCall,
        "dynamodb",
        {
            *("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query"),
            *("BatchGetItem", "BatchWriteItem", "TransactGetItems", "TransactWriteItems"),
        },
    ),
    "DynamoDBStreams_20120810": (
        _StreamCall,
        "dynamodb",
        {"ListStreams", "DescribeStream", "GetShardIterator", "GetRecords"},
    ),
    "AmazonSQS": (_QueueCall, "sqs", {"SendMessage", "ReceiveMessage", "DeleteMessageBatch"}),
    "secretsmanager": (_SecretCall, "secretsmanager", {"GetSecretValue"}),
}

NO_SERVICE = (_Direct, "", ())


def is_direct(headers: Mapping[str, str], body: bytes) -> bool:
    """Whether `call` answers it as moto does: in the gateway's Region, and without binary."""
    target = headers.get("X-Amz-Target", "")
    if not is_known(target, body):
        return False
    _, service, _ = SERVICES[target.partition(".")[0]]
    return f"/{REGION}/{service}/aws4_request" in headers.get("Authorization", "")


def is_known(target: str, body: bytes) -> bool:
    """Whether `call` has the operation, and its values need not be decoded."""
    prefix, _, operation = target.partition(".")
    _, _, operations = SERVICES.get(prefix, NO_SERVICE)
    return operation in operations and not any(type in body for type in BINARY)


def call(target: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of the answer."""
    handler, _, _ = SERVICES[target.partition(".")[0]]
    status, headers, text = handler(target, body).call_action()
    answer = text if isinstance(text, bytes) else text.encode()
    return int(status), {name: str(value) for name, value in headers.items()}, answer


def create(target: str, **arguments: Any) -> Any:
    """Call any operation of these services within the process; raise CreationFailed."""
    status, _, answer = call(target, json.dumps(arguments).encode())
    if status != OK:
        raise CreationFailed(f"{target}: {answer.decode()}")
    return json.loads(answer)
