"""A guardrail before a real runtime process: what it refuses is neither sent nor stored nor logged."""

import json

import pytest

from tests.support.events import make_events, make_response, new_id
from tests.support.function import make_create_event, run_function
from tests.support.provider import FakeProvider, encode_response, encode_stream

ARN = "arn:aws:lambda:us-east-1:123456789012:function:judge"
ALLOW = {"action": "allow"}
FORBIDDEN = "the forbidden word"


@pytest.fixture(scope="module")
def judge():
    """A function that refuses one word; `questions` has what it is asked."""
    service = FakeProvider()
    service.questions = []

    def answer(got):
        service.questions.append(json.loads(got.body))
        is_refused = FORBIDDEN.encode() in got.body
        verdict = {"action": "refuse", "reason": "A word is forbidden."} if is_refused else ALLOW
        return (encode_response(json.dumps(verdict).encode()),)

    service.respond_by(answer)
    yield service
    service.close()


@pytest.fixture(scope="module")
def function(many, _providers, judge, tmp_path_factory):
    folder = tmp_path_factory.mktemp("function")
    address = _providers["first"].address
    target = {"provider": "openai", "base_url": f"{address}/v1", "models": ["*"]}
    config, log = folder / "config.json", folder / "log"
    document = {"targets": {"first": target}, "guardrail": {"function": ARN}}
    config.write_text(json.dumps(document))
    endpoint = {"AWS_ENDPOINT_URL_LAMBDA": judge.address}
    with run_function(many.aws_endpoint, config, log, **endpoint) as running:
        yield running
    assert FORBIDDEN not in log.read_text()


def create(function, text, **members):
    return function(make_create_event({"model": "gpt-5", "input": text, **members}))


def test_what_it_allows_is_sent_as_it_came(function, providers):
    id = new_id()
    providers["first"].respond_with(encode_response(json.dumps(make_response(id)).encode()))
    assert json.loads(create(function, "hello").body)["id"] == id
    (sent,) = providers["first"].received
    assert json.loads(sent.body) == {"model": "gpt-5", "input": "hello"}


def test_a_stream_is_not_held_back(function, providers, judge):
    asked = len(judge.questions)
    providers["first"].respond_with(encode_stream(*make_events(new_id())))
    got = create(function, "hello", stream=True)
    assert b"response.completed" in got.body
    assert len(judge.questions) == asked + 1


@pytest.mark.parametrize("stream", [False, True])
def test_what_it_refuses_is_a_400_and_is_not_sent(function, providers, stream):
    got = create(function, f"say {FORBIDDEN}", stream=stream)
    error = json.loads(got.body)["error"]
    assert (got.status, error["type"], error["code"]) == (
        400,
        "invalid_request_error",
        "content_policy",
    )
    assert error["message"].endswith("refuses the input: A word is forbidden.")
    assert got.headers["x-should-retry"] == "false"
    assert providers["first"].received == []


def test_a_refusal_frees_the_idempotency_key(function, providers):
    key = {"idempotency-key": "judged-once"}
    refused = function(make_create_event({"model": "gpt-5", "input": FORBIDDEN}, **key))
    assert refused.status == 400
    providers["first"].respond_with(encode_response(json.dumps(make_response(new_id())).encode()))
    assert function(make_create_event({"model": "gpt-5", "input": "hello"}, **key)).status == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/responses/compact", {"model": "gpt-5", "input": FORBIDDEN}),
        ("/v1/responses/input_tokens", {"model": "gpt-5", "input": FORBIDDEN}),
        (
            "/v1/conversations",
            {"items": [{"type": "message", "role": "user", "content": FORBIDDEN}]},
        ),
    ],
)
def test_whatever_else_sends_text_to_a_provider_is_judged_too(function, providers, path, body):
    event = json.loads(make_create_event(body))
    event["rawPath"] = event["requestContext"]["http"]["path"] = path
    got = function(json.dumps(event).encode())
    assert (got.status, json.loads(got.body)["error"]["code"]) == (400, "content_policy")
    assert providers["first"].received == []
