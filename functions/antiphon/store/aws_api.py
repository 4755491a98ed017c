"""Calls of AWS services that speak JSON: DynamoDB, SQS, Secrets Manager and EventBridge.

botocore's own client takes 0.9 ms of CPU for a call and 40 ms to be made, most of it for what is
always the same here: see docs/decisions/0033-aws-calls-of-our-own.md. Arguments, responses and
exceptions are those of botocore's clients, so that code and tests can use either.

https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html
"""

import json
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import jiter
from botocore.exceptions import (
    ClientError,
    ConnectionError,  # noqa: A004  botocore's own
    HTTPClientError,
    NoCredentialsError,
)
from pydantic_core import to_json

from antiphon.store.aws_signature import FrozenCredentials, Signer

OK, FIRST_SERVER_ERROR = 200, 500
CONNECT_SECONDS, READ_SECONDS = 1.0, 2.0  # unless a call has a time of its own
CRC32 = "x-amz-crc32"  # DynamoDB sends it with each response
ERROR_TYPE = "x-amzn-errortype"


class JsonService(NamedTuple):
    """A service: its name in endpoints and signatures, and how a request names an operation."""

    name: str
    target: str  # before the operation in the header x-amz-target
    version: str  # of the JSON protocol


DYNAMODB = JsonService("dynamodb", "DynamoDB_20120810", "1.0")
SQS = JsonService("sqs", "AmazonSQS", "1.0")
SECRETS_MANAGER = JsonService("secretsmanager", "secretsmanager", "1.1")
EVENT_BRIDGE = JsonService("events", "AWSEvents", "1.1")


class AwsRequest(NamedTuple):
    """A signed POST request, and how long to wait; in seconds."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    connect_seconds: float
    read_seconds: float


class AwsAnswer(NamedTuple):
    """What a service answers; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NotSent(ConnectionError):
    """The service has not got the request."""


class NoAnswer(HTTPClientError):
    """The service may have got the request, and there is no answer that can be read."""


# Raises NotSent or NoAnswer.
type Send = Callable[[AwsRequest], AwsAnswer]


class Credentials(Protocol):
    """botocore's, or those of the environment; temporary ones may change between two calls."""

    def get_frozen_credentials(self) -> FrozenCredentials: ...


@dataclass(frozen=True)
class AwsAccess:
    """Whose identity signs the calls, in which Region, and what sends them."""

    region: str
    credentials: Credentials | None
    send: Send

    def sign(
        self,
        signer: Signer,
        headers: Mapping[str, str],
        body: bytes,
        method: str = "POST",
        url: str | None = None,
    ) -> dict[str, str]:
        """Return all headers of a request with these; raise BotoCoreError without credentials."""
        if self.credentials is None:
            raise NoCredentialsError
        # Temporary credentials may be renewed between two calls.
        frozen = self.credentials.get_frozen_credentials()
        return signer.sign(headers, body, frozen, method, url)


@dataclass(frozen=True, eq=False, repr=False)
class JsonApi:
    """One service at its endpoint; makes one attempt for each call."""

    service: JsonService
    url: str
    access: AwsAccess
    connect_seconds: float
    read_seconds: Callable[[], float]

    @cached_property
    def _signer(self) -> Signer:
        return Signer(self.service.name, self.access.region, self.url)

    def call(self, operation: str, arguments: Mapping[str, Any]) -> Any:
        """Return the response; raise ClientError for an error of the service.

        Raise NotSent, or NoAnswer where the service may have done what is requested.
        """
        body = _encode(arguments)
        headers = self._sign(operation, body)
        answer = self.access.send(
            AwsRequest(self.url, headers, body, self.connect_seconds, self.read_seconds())
        )
        if answer.status != OK:
            raise _client_error(answer, operation)
        return _parse(answer)

    def _sign(self, operation: str, body: bytes) -> dict[str, str]:
        headers = {
            "content-type": f"application/x-amz-json-{self.service.version}",
            "x-amz-target": f"{self.service.target}.{operation}",
        }
        return self.access.sign(self._signer, headers, body)


@dataclass(frozen=True, eq=False, repr=False)
class RestApi:
    """One operation of a service that has a path for each, such as Lambda's Invoke."""

    name: str  # of the service, in signatures
    url: str
    access: AwsAccess
    seconds: float  # for connection and answer

    @cached_property
    def _signer(self) -> Signer:
        return Signer(self.name, self.access.region, self.url)

    def post(self, document: Mapping[str, Any]) -> AwsAnswer:
        """Return the answer, whatever its status; raise NotSent or NoAnswer."""
        body = json.dumps(document, separators=(",", ":")).encode()
        headers = self.access.sign(self._signer, {"content-type": "application/json"}, body)
        return self.access.send(AwsRequest(self.url, headers, body, self.seconds, self.seconds))


class DynamoDB:
    """The operations of DynamoDB that the gateway uses.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Operations_Amazon_DynamoDB.html
    """

    def __init__(self, api: JsonApi) -> None:
        self._call = api.call

    def get_item(self, **arguments: Any) -> Any:
        return self._call("GetItem", arguments)

    def put_item(self, **arguments: Any) -> Any:
        return self._call("PutItem", arguments)

    def update_item(self, **arguments: Any) -> Any:
        return self._call("UpdateItem", arguments)

    def delete_item(self, **arguments: Any) -> Any:
        return self._call("DeleteItem", arguments)

    def query(self, **arguments: Any) -> Any:
        return self._call("Query", arguments)

    def batch_get_item(self, **arguments: Any) -> Any:
        return self._call("BatchGetItem", arguments)

    def batch_write_item(self, **arguments: Any) -> Any:
        return self._call("BatchWriteItem", arguments)

    def transact_get_items(self, **arguments: Any) -> Any:
        return self._call("TransactGetItems", arguments)

    def transact_write_items(self, **arguments: Any) -> Any:
        return self._call("TransactWriteItems", arguments)


class Sqs:
    """The operation of SQS that the gateway uses."""

    def __init__(self, api: JsonApi) -> None:
        self._call = api.call

    def send_message(self, **arguments: Any) -> Any:
        return self._call("SendMessage", arguments)


class EventBridge:
    """The operation of EventBridge that the gateway uses."""

    def __init__(self, api: JsonApi) -> None:
        self._call = api.call

    def put_events(self, **arguments: Any) -> Any:
        return self._call("PutEvents", arguments)


class SecretsManager:
    """The operation of Secrets Manager that the gateway uses."""

    def __init__(self, api: JsonApi) -> None:
        self._call = api.call

    def get_secret_value(self, **arguments: Any) -> Any:
        """Make a second attempt where another may succeed."""
        try:
            return self._call("GetSecretValue", arguments)
        except (NotSent, NoAnswer):
            pass
        except ClientError as exc:
            if exc.response["ResponseMetadata"]["HTTPStatusCode"] < FIRST_SERVER_ERROR:
                raise
        return self._call("GetSecretValue", arguments)


def _encode(arguments: Mapping[str, Any]) -> bytes:
    """Return JSON without spaces, by pydantic's encoder, which takes a third of json's time."""
    try:
        return to_json(arguments)
    except ValueError:  # half of a surrogate pair, which the service refuses with an error
        return json.dumps(arguments, separators=(",", ":")).encode()


def _parse(answer: AwsAnswer) -> Any:
    """Raise NoAnswer for a damaged body: the service has done what is requested."""
    expected = answer.headers.get(CRC32)
    if expected is not None and expected != str(zlib.crc32(answer.body)):
        raise NoAnswer(error=ValueError("The response does not have the checksum that it names."))
    with suppress(ValueError):  # half of a surrogate pair
        return jiter.from_json(answer.body, cache_mode="keys")
    try:
        return json.loads(answer.body)
    except ValueError as exc:
        raise NoAnswer(error=exc) from exc


def _client_error(answer: AwsAnswer, operation: str) -> ClientError:
    """Return botocore's exception; its code is the status where the answer names none."""
    try:
        members = json.loads(answer.body)
    except ValueError:
        members = None
    if not isinstance(members, dict):
        members = {}
    code = str(members.get("__type") or answer.headers.get(ERROR_TYPE) or answer.status)
    message = str(members.get("message") or members.get("Message") or "")
    error: Any = {
        **members,
        # The code stands behind a name space with "#"; a URL may follow behind ":".
        "Error": {"Code": code.rpartition("#")[2].partition(":")[0], "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": answer.status},
    }
    return ClientError(error, operation)
