"""Amazon Bedrock by the function's own AWS role: what is sent, what is refused, what fails."""

import json

import pytest

from infra.local.simulator.bedrock import AUTHORIZATION, signature_of
from tests.support.events import make_events, make_response, new_id
from tests.support.function import make_create_event, run_function
from tests.support.gateway import KEYS
from tests.support.provider import CLOSE, encode_response, encode_stream

TOKEN = "session/token+of=the-function"
ROLE = "arn:aws:sts::123456789012:assumed-role/Antiphon-prod-ApiRole/Api"
SERVICES = {"runtime": "bedrock", "mantle": "bedrock-mantle"}
PATHS = {"runtime": "/openai/v1", "mantle": "/v1"}
MODELS = {"runtime": "openai.gpt-oss-120b", "mantle": "mantle"}


@pytest.fixture(scope="module")
def function(many, _providers, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bedrock")
    more = {
        "runtime": {"models": {"runtime": MODELS["runtime"]}},
        "mantle": {"models": ["mantle"], "endpoint": "mantle", "serves": ["retrieve", "delete"]},
    }
    targets = {
        name: {
            "provider": "bedrock",
            "region": "eu-central-1",
            "base_url": f"{_providers['first'].address}{path}",
            **more[name],
        }
        for name, path in PATHS.items()
    }
    config, log = folder / "config.json", folder / "log"
    config.write_text(json.dumps({"gateway": {"circuit_failures": 1000}, "targets": targets}))
    with run_function(many.aws_endpoint, config, log, AWS_SESSION_TOKEN=TOKEN) as running:
        yield running
    assert TOKEN not in log.read_text()


@pytest.fixture
def bedrock(providers):
    return providers["first"]


def call(function, method, path, query="", body=None):
    event = json.loads(make_create_event(body or {}, query=query))
    event |= {"rawPath": path, "body": None if body is None else json.dumps(body)}
    event["requestContext"]["http"] = {"method": method, "path": path}
    return function(json.dumps(event).encode())


def create(function, model="runtime", **more):
    return function(make_create_event({"model": model, "input": "é", **more}))


def check_signature(sent, address, service):
    """Signed by the role, with its session, over all that was received: as botocore does it."""
    method, target, _ = sent.line.split(" ")
    given = AUTHORIZATION.fullmatch(sent.headers["authorization"])
    expected = signature_of(method, f"{address}{target}", sent.headers, sent.body, "local")
    assert given["signature"] == expected
    assert (given["service"], given["region"]) == (service, "eu-central-1")
    signed = given["headers"].split(";")
    assert {"host", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token"} <= {*signed}
    assert sent.headers["x-amz-security-token"] == TOKEN


def error_of(response):
    return json.loads(response.body)["error"]


@pytest.mark.parametrize("target", SERVICES)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_create_is_signed_as_it_is_sent(function, bedrock, target, stream):
    """Also the second one, whose connection is closed by the provider."""
    for _ in range(2):
        events = make_events(new_id())
        whole = json.dumps(make_response(new_id())).encode()
        bedrock.respond_with(encode_stream(*events) if stream else encode_response(whole), CLOSE)
        got = create(function, target, stream=stream)
        assert (got.status, got.body) == (200, b"".join(events) if stream else whole)
    assert len(bedrock.received) == 2
    for sent in bedrock.received:
        assert sent.line == f"POST {PATHS[target]}/responses HTTP/1.1"
        expected = {"model": MODELS[target], "input": "é", "stream": stream}
        assert json.loads(sent.body) == expected
        check_signature(sent, bedrock.address, SERVICES[target])
        assert KEYS["acme"] not in str(sent.headers)


def test_what_a_target_serves_beyond_a_create_is_signed_too(function, bedrock):
    id = new_id()
    bedrock.respond_with(encode_response(json.dumps(make_response(id)).encode()))
    assert create(function, "mantle").status == 200
    bedrock.received.clear()
    bedrock.respond_with(encode_response(json.dumps(make_response(id)).encode()))
    query = "include%5B%5D=a/b&include[]=c%20d&\u20ac"
    assert call(function, "GET", f"/v1/responses/{id}", query).status == 200
    bedrock.respond_with(encode_response(b'{"deleted":true}'))
    assert call(function, "DELETE", f"/v1/responses/{id}").status == 200
    read, deleted = bedrock.received
    target = f"/v1/responses/{id}?include%5B%5D=a%2Fb&include%5B%5D=c%20d&%E2%82%AC="
    assert read.line == f"GET {target} HTTP/1.1"
    assert deleted.line.startswith("DELETE /")
    for sent in (read, deleted):
        check_signature(sent, bedrock.address, "bedrock-mantle")


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("/v1/responses", {"background": True}, "background responses"),
        ("/v1/responses/compact", {}, "compaction"),
        ("/v1/responses/input_tokens", {}, "the count of input tokens"),
    ],
)
def test_what_is_not_configured_is_refused_and_not_sent(function, bedrock, path, body, words):
    got = call(function, "POST", path, body={"model": "runtime", "input": "x", **body})
    error = error_of(got)
    assert (got.status, error["code"]) == (400, "not_supported_by_target")
    assert f"serves {words}. Considered: runtime." in error["message"]
    assert bedrock.received == []


def test_the_id_of_a_response_is_owned_and_no_more(function, bedrock):
    id = new_id()
    bedrock.respond_with(encode_response(json.dumps(make_response(id)).encode()))
    assert create(function).status == 200
    paths = [("GET", ""), ("DELETE", ""), ("GET", "/input_items")]
    refused = [call(function, method, f"/v1/responses/{id}{more}") for method, more in paths]
    conversation = call(function, "POST", "/v1/conversations", body={})
    codes = [(got.status, error_of(got)["code"]) for got in (*refused, conversation)]
    assert codes == [(400, "not_supported_by_target")] * 3 + [
        (400, "conversations_not_supported_by_target")
    ]
    assert len(bedrock.received) == 1


@pytest.mark.parametrize(
    ("name", "status", "message", "expected"),
    [
        ("ThrottlingException", 429, "Too many", (429, "rate_limit_exceeded", "Too many")),
        ("ValidationException:http://a/", 400, "Bad", (400, "ValidationException", "Bad")),
        (
            "ValidationException",
            400,
            "The provided model identifier is invalid.",
            (400, "model_not_found", "The provided model identifier is invalid."),
        ),
        (
            "ValidationException",
            400,
            "Profile arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.a is gone",
            (
                400,
                "ValidationException",
                "Profile arn:aws:bedrock:eu-central-1:redacted is gone",
            ),
        ),
    ],
)
def test_errors_of_aws_become_those_of_openai(function, bedrock, name, status, message, expected):
    body = json.dumps({"message": message}).encode()
    bedrock.respond_with(encode_response(body, status, **{"x-amzn-errortype": name}))
    got = create(function)
    error = error_of(got)
    assert (got.status, error["code"], error["message"]) == expected
    kind = "rate_limit_error" if status == 429 else "invalid_request_error"
    assert (error["type"], error["param"]) == (kind, None)


def test_a_message_of_aws_with_a_capital_is_that_of_the_error(function, bedrock):
    bedrock.respond_with(encode_response(b'{"Message":"The body is too large."}', 413))
    got = create(function)
    assert (got.status, error_of(got)["message"]) == (413, "The body is too large.")


@pytest.mark.parametrize("name", ["AccessDeniedException", "ExpiredTokenException"])
def test_a_refused_role_is_no_fault_of_the_callers(function, bedrock, name):
    message = f"User: {ROLE} is not authorized to perform: bedrock:InvokeModel"
    body = json.dumps({"message": message}).encode()
    bedrock.respond_with(encode_response(body, 403, **{"x-amzn-errortype": name}))
    got = create(function)
    assert (got.status, error_of(got)["code"]) == (502, "upstream_auth")
    assert b"123456789012" not in got.body
    assert b"Antiphon-prod" not in got.body


def test_the_session_of_the_role_is_in_no_answer(function, bedrock):
    echo = json.dumps({**make_response(new_id()), "instructions": f"sent: {TOKEN}"}).encode()
    bedrock.respond_with(encode_response(echo))
    got = create(function)
    assert got.status == 200
    assert b"[redacted]" in got.body
    assert TOKEN.encode() not in got.body
