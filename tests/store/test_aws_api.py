"""Our calls of AWS services beside botocore's: signatures, endpoints, answers and faults."""

import json
import socket
import time
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import botocore.auth
import botocore.session
import httpx
import pytest
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError
from botocore.loaders import create_loader

from antiphon import foundation
from antiphon.errors import Unavailable
from antiphon.store.aws_api import (
    DYNAMODB,
    SECRETS_MANAGER,
    SQS,
    AwsAccess,
    DynamoDB,
    JsonApi,
    NotSent,
    SecretsManager,
)
from antiphon.store.aws_session import USUAL_REGION, AwsSession
from antiphon.store.aws_signature import Signer
from antiphon.store.dynamodb import CallTime, Table, WriteUnknown
from antiphon.upstream.aws_transport import AwsTransport
from tests.support.provider import CLOSE, RESET, SILENCE, FakeProvider, encode_response

NOW = datetime(2026, 11, 28, 23, 59, 58, tzinfo=UTC)
pytestmark = pytest.mark.usefixtures("identity")
KEY = {"pk": {"S": "T#é"}, "sk": {"S": "LINK"}}
ROW = {"TableName": "t", "Key": KEY}
LAMBDA = {
    "AWS_ACCESS_KEY_ID": "a",
    "AWS_SECRET_ACCESS_KEY": "b",
    "AWS_DEFAULT_REGION": "eu-central-1",
}
FOUND = json.dumps({"Item": KEY}, ensure_ascii=False).encode()


@pytest.fixture
def identity(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")


def of_botocore(method, credentials, service, region, url, headers, body):
    """The headers that botocore would send at this time."""
    request = AWSRequest(method, url, headers, body)
    botocore.auth.SigV4Auth(credentials, service, region).add_auth(request)
    return {name.lower(): value for name, value in request.headers.items()}


@pytest.mark.parametrize("token", [None, "a/temporary+token=="])
@pytest.mark.parametrize(
    "url",
    ["https://dynamodb.eu-central-1.amazonaws.com/", "http://[::1]:4566/", "https://a.b/c/d"],
)
@pytest.mark.parametrize("body", [b"{}", '{"a":"é"}'.encode(), b"x" * 100_000])
def test_a_request_is_signed_as_botocore_signs_it(monkeypatch, token, url, body):
    credentials = Credentials("AKID", "secret+/", token)
    headers = {"content-type": "application/x-amz-json-1.0", "x-amz-target": "T.GetItem"}
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: NOW)
    expected = of_botocore("POST", credentials, "dynamodb", "eu-central-1", url, headers, body)
    signer = Signer("dynamodb", "eu-central-1", url, lambda: NOW)
    signed = signer.sign(headers, body, credentials)
    assert signed.pop("host") == url.split("/")[2]
    assert signed == expected


def test_a_new_day_and_new_credentials_make_another_key(monkeypatch):
    times = [NOW, NOW + timedelta(seconds=2), NOW + timedelta(seconds=2)]
    pairs = [Credentials("A", "one"), Credentials("A", "one"), Credentials("B", "two")]
    url, clock = "https://sqs.eu-central-1.amazonaws.com/", iter(times)
    signer = Signer("sqs", "eu-central-1", url, lambda: next(clock))
    for moment, pair in zip(times, pairs, strict=True):
        monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda moment=moment: moment)
        expected = of_botocore("POST", pair, "sqs", "eu-central-1", url, {}, b"{}")
        assert signer.sign({}, b"{}", pair)["authorization"] == expected["authorization"]


@pytest.mark.parametrize("service", [DYNAMODB, SQS, SECRETS_MANAGER])
@pytest.mark.parametrize(
    "region",
    ["us-east-1", "eu-south-2", "cn-north-1", "us-gov-west-1", "us-iso-east-1", "xx-new-9"],
)
def test_the_endpoint_is_that_of_botocore(monkeypatch, service, region):
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    client = botocore.session.get_session().create_client(service.name, region)
    for env in ({}, {**LAMBDA, "AWS_DEFAULT_REGION": region}):
        url = AwsSession(foundation.open_botocore, env, no_send).open_api(service).url
        assert url == f"{client.meta.endpoint_url}/"


def test_regions_are_recognised_as_by_botocores_rules():
    partitions = create_loader().load_data("partitions")["partitions"]
    usual = next(each for each in partitions if each["id"] == "aws")
    assert USUAL_REGION.pattern == usual["regionRegex"].strip("^$").replace("(", "(?:").replace(
        r"\-", "-"
    )
    assert usual["outputs"]["dnsSuffix"] == "amazonaws.com"


@pytest.mark.parametrize(
    "token", [{}, {"AWS_SESSION_TOKEN": "t"}, {"AWS_SECURITY_TOKEN": "s", "AWS_SESSION_TOKEN": "t"}]
)
def test_with_lambdas_environment_botocore_is_not_needed(monkeypatch, token):
    for name, value in {**LAMBDA, **token}.items():
        monkeypatch.setenv(name, value)
    expected = botocore.session.get_session().get_credentials().get_frozen_credentials()
    api = AwsSession(no_botocore, {**LAMBDA, **token}, no_send).open_api(SQS)
    found = api.access.credentials.get_frozen_credentials()
    assert (found.access_key, found.secret_key, found.token) == expected[:3]
    assert api.url == "https://sqs.eu-central-1.amazonaws.com/"


@pytest.mark.parametrize(
    "lacking", [{"AWS_SECRET_ACCESS_KEY": ""}, {"AWS_ACCESS_KEY_ID": ""}, {"AWS_PROFILE": "p"}]
)
def test_what_the_environment_does_not_say_botocore_finds(lacking):
    class Found:
        credentials = Credentials("found", "by botocore")

    env = {**LAMBDA, **lacking, "AWS_ENDPOINT_URL": "http://a"}
    access = AwsSession(Found, env, no_send).open_api(SQS).access
    assert access.credentials.access_key == "found"


@pytest.mark.parametrize(
    ("env", "url"),
    [
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "http://127.0.0.1:1/"),
        ({"AWS_ENDPOINT_URL": "http://b/", "AWS_ENDPOINT_URL_DYNAMODB": "http://a"}, "http://a/"),
    ],
)
def test_a_configured_endpoint_is_used(monkeypatch, env, url):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    assert AwsSession(foundation.open_botocore, env, no_send).open_api(DYNAMODB).url == url


def test_other_endpoints_are_those_of_botocores_rules(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
    env = {**LAMBDA, "AWS_DEFAULT_REGION": "us-east-1", "AWS_USE_FIPS_ENDPOINT": "true"}
    url = AwsSession(foundation.open_botocore, env, no_send).open_api(DYNAMODB).url
    assert url == "https://dynamodb-fips.us-east-1.amazonaws.com/"


def test_a_region_is_required(monkeypatch, tmp_path):
    for name in ("AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(NoRegionError):
        AwsSession(foundation.open_botocore, {}, no_send)


def no_send(_):
    raise AssertionError("nothing is to be sent")


def no_botocore():
    raise AssertionError("botocore is not to be imported")


@pytest.fixture(scope="module")
def service():
    """What stands in AWS's place."""
    service = FakeProvider()
    yield service
    service.close()


@pytest.fixture
def make_api(service):
    """`make_api(service)` reaches it over the transport of the functions."""
    service.reset()
    transport = foundation.build_transport(foundation.build_tls({}), None, {})
    access = AwsAccess("eu-central-1", Credentials("a", "b"), AwsTransport(transport.exchange))
    yield lambda kind: JsonApi(kind, f"{service.address}/", access, 5, lambda: 1)
    transport.close()


@pytest.fixture
def ours(make_api):
    return DynamoDB(make_api(DYNAMODB))


@pytest.fixture
def botocores(service):
    config = Config(read_timeout=1, retries={"mode": "standard", "total_max_attempts": 1})
    session = botocore.session.get_session()
    session.set_credentials("a", "b")
    return session.create_client(
        "dynamodb", "eu-central-1", endpoint_url=service.address, config=config
    )


def test_a_request_is_what_botocore_sends(service, ours, botocores):
    answer = encode_response(FOUND)
    service.respond_with(answer)
    service.respond_with(answer)
    assert botocores.get_item(**ROW)["Item"] == ours.get_item(**ROW)["Item"] == KEY
    expected, sent = service.received
    assert (sent.line, json.loads(sent.body)) == (expected.line, json.loads(expected.body))
    for name in ("x-amz-target", "content-type", "host", "content-length"):
        assert sent.headers[name] == expected.headers[name] or name == "content-length", name


def test_half_of_a_surrogate_pair_is_for_the_service_to_refuse(service, ours, botocores):
    for client in (botocores, ours):
        service.respond_with(*error(400, "SerializationException"))
        with pytest.raises(ClientError):
            client.get_item(TableName="t", Key={"pk": {"S": "\ud800"}})
    expected, sent = (json.loads(each.body) for each in service.received)
    assert sent == expected


def error(status, type="", **members):
    body = {"__type": f"com.amazonaws.dynamodb.v20120810#{type}", "message": "m", **members}
    return (encode_response(json.dumps(body).encode(), status),)


REASONS = [{"Code": "None"}, {"Code": "ConditionalCheckFailed", "Item": KEY}]
ANSWERS = {
    "a failed condition": error(400, "ConditionalCheckFailedException", Item=KEY),
    "a cancelled transaction": error(
        400, "TransactionCanceledException", CancellationReasons=REASONS
    ),
    "throttled": error(400, "ProvisionedThroughputExceededException"),
    "denied": error(400, "AccessDeniedException"),
    "a conflict": error(400, "TransactionConflictException"),
    "a server error": error(500, "InternalServerError"),
    "a page": (encode_response(b"<html>", 503, kind="text/html"),),
    "an empty error": (encode_response(b"", 500),),
}
FAULTS = {
    "reset": (RESET,),
    "closed": (CLOSE,),
    "silent": (SILENCE,),
}


def failure(call):
    with pytest.raises((BotoCoreError, ClientError)) as raised:
        call(**ROW)
    return raised.value


@pytest.mark.parametrize("name", ANSWERS)
def test_an_error_is_the_exception_that_botocore_raises(service, ours, botocores, name):
    service.respond_with(*ANSWERS[name])
    service.respond_with(*ANSWERS[name])
    expected, found = failure(botocores.get_item).response, failure(ours.get_item).response
    assert found["Error"]["Code"] == expected["Error"]["Code"]
    status = "HTTPStatusCode"
    assert found["ResponseMetadata"][status] == expected["ResponseMetadata"][status]
    for member in ("Item", "CancellationReasons"):
        assert found.get(member) == expected.get(member)


@pytest.mark.parametrize("name", FAULTS)
def test_a_call_without_an_answer_may_have_been_processed(service, ours, botocores, name):
    """As with botocore's client, for which the second table is."""
    for client in (botocores, ours):
        service.reset()
        service.respond_with(*FAULTS[name])
        service.respond_with(*FAULTS[name])
        with pytest.raises(WriteUnknown):
            Table(client, "t", CallTime(3)).put({"pk": "a", "sk": "b"})


def test_nothing_was_sent_where_no_connection_is_made(make_api):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    api = replace(make_api(DYNAMODB), url=f"http://127.0.0.1:{port}/")
    with pytest.raises(NotSent):
        api.call("GetItem", ROW)
    with pytest.raises(Unavailable) as raised:
        Table(DynamoDB(api), "t", CallTime(3)).put({"pk": "a", "sk": "b"})
    assert type(raised.value) is Unavailable


@pytest.mark.parametrize(
    "answer",
    [
        (encode_response(b"<html>"),),
        (encode_response(FOUND, x_amz_crc32="1"),),
        (encode_response(FOUND)[:-1], CLOSE),
    ],
)
def test_a_damaged_answer_is_none(service, ours, answer):
    """Here botocore's client returns what it can read."""
    service.respond_with(*answer)
    service.respond_with(encode_response(FOUND, x_amz_crc32=str(zlib.crc32(FOUND))))
    row = Table(ours, "t", CallTime(3)).get("a", "b")
    assert row == {"pk": "T#é", "sk": "LINK"}
    assert len(service.received) == 2


def test_connecting_takes_from_the_time_of_the_answer():
    seen = []

    def exchange(outgoing):
        seen.append(outgoing.limits["ends_at"] - time.monotonic())
        raise httpx.ConnectTimeout("m")

    access = AwsAccess("r", Credentials("a", "b"), AwsTransport(exchange))
    with pytest.raises(NotSent):
        JsonApi(DYNAMODB, "http://a/", access, 1, lambda: 0.7).call("GetItem", ROW)
    assert 0 < seen[0] <= 0.7


def test_nothing_is_sent_without_credentials():
    api = JsonApi(DYNAMODB, "http://a/", AwsAccess("r", None, no_send), 1, lambda: 1)
    with pytest.raises(NoCredentialsError):
        api.call("GetItem", ROW)


def test_renewed_credentials_sign_the_next_call():
    seen = []
    pairs = iter([Credentials("one", "1"), Credentials("two", "2")])
    renewed = SimpleNamespace(get_frozen_credentials=lambda: next(pairs))

    def send(request):
        seen.append(request.headers["authorization"].split("=")[1].split("/")[0])
        raise NotSent(error=OSError())

    api = JsonApi(DYNAMODB, "http://a/", AwsAccess("r", renewed, send), 1, lambda: 1)
    for _ in range(2):
        with pytest.raises(NotSent):
            api.call("GetItem", ROW)
    assert seen == ["one", "two"]


@pytest.mark.parametrize("first", [*FAULTS.values(), error(500, "InternalServiceError")])
def test_a_secret_is_read_a_second_time(service, make_api, first):
    service.respond_with(*first)
    service.respond_with(encode_response(b'{"SecretString":"s"}'))
    secrets = SecretsManager(make_api(SECRETS_MANAGER))
    assert secrets.get_secret_value(SecretId="a") == {"SecretString": "s"}


def test_a_secret_that_may_not_be_read_is_read_once(service, make_api):
    service.respond_with(*error(400, "AccessDeniedException"))
    secrets = SecretsManager(make_api(SECRETS_MANAGER))
    with pytest.raises(ClientError):
        secrets.get_secret_value(SecretId="a")
    assert len(service.received) == 1
