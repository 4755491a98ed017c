"""AWS in this process: a table, a queue, secrets and STS, with failures at botocore's border."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

import boto3
from botocore.awsrequest import AWSResponse
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from antiphon.store.dynamodb import Item, Table
from antiphon.store.queue import Message, Queue, decode_message
from antiphon.store.secrets import ProviderSecrets
from antiphon.store.web_identity import WebIdentity
from infra.local.aws import moto_lookups, transactions
from infra.local.aws.http_server import serve_moto
from infra.local.aws.resources import TABLE, table_definition
from tests.support.aws_clients import LOCAL_AWS, ONCE, aws_client, local_aws
from tests.support.concurrency import ManualClock

GET_SECRET_VALUE = "GetSecretValue"
TEST_SECRETS = {name: f"test/{name}" for name in ("openai", "azure", "other")}
# The forms of STS's query protocol, which moto lacks for GetWebIdentityToken.
TOKEN = """<GetWebIdentityTokenResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<GetWebIdentityTokenResult><WebIdentityToken>{}</WebIdentityToken>
<Expiration>2030-01-01T00:00:00Z</Expiration></GetWebIdentityTokenResult>
</GetWebIdentityTokenResponse>"""
ERROR = """<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<Error><Type>Sender</Type><Code>{}</Code><Message>MARK-message</Message></Error></ErrorResponse>"""

type Fault = Callable[[Any], AWSResponse | None]


class FakeAws:
    """One client for each service: a failure that is set up there meets every user of it.

    Most tests need the table alone; what they do not use is not made.
    """

    def __init__(self) -> None:
        self.dynamodb = aws_client("dynamodb", ONCE)
        self.dynamodb.create_table(**table_definition())
        self.table = Table(self.dynamodb, TABLE)
        self.sent: list[tuple[Message, int]] = []  # with the delay, in seconds

    @cached_property
    def sqs(self) -> Any:
        client = aws_client("sqs", ONCE)
        client.meta.events.register("provide-client-params.sqs.SendMessage", self._record)
        return client

    @cached_property
    def queue_url(self) -> str:
        return str(self.sqs.create_queue(QueueName="queue")["QueueUrl"])

    @cached_property
    def queue(self) -> Queue:
        return Queue(lambda: self.sqs, self.queue_url)

    @cached_property
    def secrets(self) -> Any:
        return aws_client("secretsmanager", ONCE)

    def row(self, id: str) -> Item | None:
        return self.table.get(f"T#acme#R#{id}", "LINK")

    def fail(self, client: Any, operation: str, fault: Fault | None = None) -> None:
        """Make an operation fail from now on; without a fault it cannot connect."""
        # First, because moto answers at the same hook.
        client.meta.events.register_first(
            _hook(client, operation),
            lambda request, **_: (fault or refuse_connection)(request),
            operation,
        )

    def restore(self, client: Any, operation: str) -> None:
        client.meta.events.unregister(_hook(client, operation), unique_id=operation)

    def _record(self, params: Any, **_: object) -> None:
        self.sent.append((decode_message(params["MessageBody"]), params["DelaySeconds"]))


def refuse_connection(request: Any) -> None:
    """Raise what botocore raises where the request cannot be sent."""
    raise EndpointConnectionError(endpoint_url=request.url)


def lose_response(request: Any) -> AWSResponse:
    """Answer 500, although moto also sees the request and executes it."""
    return AWSResponse(request.url, 500, {}, _Body(b"{}"))


def time_out(request: Any) -> None:
    """Raise what botocore raises where no answer comes in time."""
    raise ReadTimeoutError(endpoint_url=request.url)


def refuse_with(code: str, status: int = 400) -> Fault:
    """A fault that answers with an error code."""
    body = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}"}).encode()

    def fault(request: Any) -> AWSResponse:
        request.url = "https://fake.invalid/"  # so that moto does not execute the call
        return AWSResponse(request.url, status, {}, _Body(body))

    return fault


def cancel_transaction(*codes: str) -> Fault:
    """A fault that cancels a transaction, with one reason for each of its rows."""
    kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException"
    reasons = [{"Code": code} for code in codes]
    body = json.dumps({"__type": kind, "CancellationReasons": reasons}).encode()

    def fault(request: Any) -> AWSResponse:
        request.url = "https://fake.invalid/"  # so that moto does not execute the transaction
        return AWSResponse(request.url, 400, {}, _Body(body))

    return fault


def respond_with(values: Any) -> Fault:
    """A fault that is none: it answers with a document in place of moto."""

    def answer(request: Any) -> AWSResponse:
        request.url = "https://fake.invalid/"
        return AWSResponse(request.url, 200, {}, _Body(json.dumps(values).encode()))

    return answer


class _Body:
    """The part of urllib3's response that botocore reads."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: object) -> Iterator[bytes]:
        return iter([self._content])


def _hook(client: Any, operation: str) -> str:
    return f"before-send.{client.meta.service_model.service_name}.{operation}"


@contextmanager
def fake_aws() -> Iterator[FakeAws]:
    moto_lookups.install()
    transactions.install()
    with local_aws():
        yield FakeAws()


class FakeSecrets:
    """Secrets Manager with the secrets of targets below the prefix `test`; records requests."""

    def __init__(self, cloud: FakeAws) -> None:
        self.cloud, self.client = cloud, cloud.secrets
        self.time = ManualClock()
        self.secrets = ProviderSecrets(self.client, TEST_SECRETS, self.time)
        self.stages: list[str] = []  # one for each request
        hook = f"provide-client-params.secretsmanager.{GET_SECRET_VALUE}"
        self.client.meta.events.register(hook, self._record)

    @property
    def request_count(self) -> int:
        return len(self.stages)

    def put(self, text: str, target: str = "openai") -> None:
        """Make this the current version; the current one becomes the previous one."""
        with suppress(self.client.exceptions.ResourceExistsException):
            self.client.create_secret(Name=f"test/{target}", SecretString=text)
            return
        self.client.put_secret_value(SecretId=f"test/{target}", SecretString=text)

    def fail(self) -> None:
        self.cloud.fail(self.client, GET_SECRET_VALUE)

    def restore(self) -> None:
        self.cloud.restore(self.client, GET_SECRET_VALUE)

    def _record(self, params: dict[str, str], **_: object) -> None:
        self.stages.append(params["VersionStage"])


@contextmanager
def fake_secrets() -> Iterator[FakeSecrets]:
    with fake_aws() as cloud:
        yield FakeSecrets(cloud)


class FakeSts:
    """STS with GetWebIdentityToken: returns a token or the failure that a test sets."""

    def __init__(self, region: str = "eu-central-1") -> None:
        self.requests: list[dict[str, str]] = []
        self.urls: list[str] = []
        self.client_count = 0
        self.token = "signed-by-aws"
        self.failure: Callable[[Any], AWSResponse] | None = None
        self.identity = WebIdentity(self._connect)
        self._options = {**LOCAL_AWS, "region_name": region}

    def refuse(self, code: str, status: int = 403) -> None:
        self.failure = lambda request: _sts_response(request, ERROR.format(code), status)

    def _connect(self) -> Any:
        self.client_count += 1
        client = boto3.client("sts", config=ONCE, **self._options)
        # First, because moto would answer at the same hook.
        client.meta.events.register_first("before-send.sts.GetWebIdentityToken", self._respond)
        return client

    def _respond(self, request: Any, **_: object) -> AWSResponse:
        self.urls.append(request.url)
        self.requests.append(dict(parse_qsl(request.body)))
        request.url = "https://fake.invalid/"  # moto also gets the request and has nothing there
        if self.failure is not None:
            return self.failure(request)
        return _sts_response(request, TOKEN.format(self.token), 200)


def _sts_response(request: Any, content: str, status: int) -> AWSResponse:
    return AWSResponse(request.url, status, {}, _Body(content.encode()))


@contextmanager
def serve_aws() -> Iterator[str]:
    """Serve the AWS of this process, for what does not call it through botocore."""
    with serve_moto() as url:
        yield url
