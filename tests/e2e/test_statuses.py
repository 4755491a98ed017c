"""What the provider says before its first byte, and how often it is asked."""

import json

import pytest

from tests.support.events import make_response, new_id
from tests.support.provider import CLOSE, RESET, encode_response, encode_stream_head

ERROR = json.dumps({"error": {"message": "m", "type": "t", "param": "p", "code": "c", "more": [1]}})


def ask(gateway, door="url", **more):
    with gateway.client(door) as client:
        return client.post("/responses", json={"model": "gpt-5", "input": "x", **more})


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(("status", "retry"), [(404, None), (429, None), (500, "false")])
def test_a_providers_error_passes_as_it_is(gateway, provider, status, retry, stream):
    provider.respond_with(
        encode_response(ERROR.encode(), status, retry_after="7", x_ratelimit_limit_tokens="5")
    )
    got = ask(gateway, stream=stream)
    assert (got.status_code, got.text) == (status, ERROR)
    assert got.headers["x-request-id"] == "req_of_provider"
    assert got.headers["x-antiphon-target"] == "openai"
    assert got.headers["x-antiphon-request-id"]
    assert got.headers["retry-after"] == "7"
    assert got.headers["x-ratelimit-limit-tokens"] == "5"
    assert got.headers.get("x-should-retry") == retry
    assert len(provider.received) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_the_gateways_own_credential_is_not_the_callers_fault(gateway, provider, door, status):
    provider.respond_with(
        encode_response(b'{"error":{"message":"Incorrect API key: sk-secret"}}', status)
    )
    got = ask(gateway, door)
    assert (got.status_code, got.json()["error"]["code"]) == (502, "upstream_auth")
    assert "sk-secret" not in got.text


@pytest.mark.parametrize(
    "answer",
    [
        encode_response(b"<html>", kind="text/html"),
        encode_response(b""),
        encode_response(b"[]"),
        encode_response(b'{"object":"response"}'),
        encode_response(b'{"id":"resp_1","obj'),
        encode_response(b"moved", 302, location="http://127.0.0.1/"),
        encode_stream_head() + b"0\r\n\r\n",
    ],
    ids=["html", "empty", "array", "no id", "half", "redirect", "events"],
)
def test_what_is_no_answer_is_a_502_that_is_not_tried_again(gateway, provider, door, answer):
    provider.respond_with(answer)
    got = ask(gateway, door)
    assert (got.status_code, got.headers["x-should-retry"]) == (502, "false")
    assert set(got.json()["error"]) == {"message", "type", "param", "code"}


@pytest.mark.parametrize(
    "answer",
    [
        encode_response(b"<html>", kind="text/html"),
        encode_response(b"", kind="text/event-stream"),
    ],
    ids=["html", "empty"],
)
def test_a_stream_request_is_answered_with_a_stream_or_an_error(gateway, provider, door, answer):
    provider.respond_with(answer)
    got = ask(gateway, door, stream=True)
    assert (got.status_code, got.headers["x-should-retry"]) == (502, "false")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    "script",
    [
        (RESET,),
        (CLOSE,),
        (b"HTTP/1.1 200 OK\r\ncontent-ty", RESET),
        (encode_response(b'{"id":"resp_1"}')[:-3], CLOSE),
        (encode_stream_head(), RESET),
        (b"nonsense\r\n\r\n", CLOSE),
    ],
    ids=["reset", "closed", "in the head", "in the body", "behind the head", "not HTTP"],
)
def test_a_create_that_may_have_been_processed_is_never_sent_again(
    gateway, provider, script, stream
):
    provider.respond_with(*script)
    got = ask(gateway, stream=stream)
    assert (got.status_code, got.headers["x-should-retry"]) == (502, "false")
    assert got.json()["error"]["code"] == "upstream_failed"
    assert len(provider.received) == 1


@pytest.mark.parametrize("status", [404, 500])
def test_an_empty_error_becomes_one_that_says_something(gateway, provider, door, status):
    provider.respond_with(encode_response(b"", status, kind="text/html"))
    got = ask(gateway, door)
    assert (got.status_code, got.headers["content-type"]) == (status, "application/json")
    assert str(status) in got.json()["error"]["message"]


@pytest.mark.parametrize("kind", [None, "application/x-www-form-urlencoded", "text/plain"])
def test_json_is_sent_as_json_whatever_content_type_the_caller_sent(provider, client, kind):
    provider.respond_with_json(make_response(new_id()))
    body = b'{"model":"gpt-5","input":"x"}'
    headers = {} if kind is None else {"content-type": kind}
    assert client.post("/responses", content=body, headers=headers).status_code == 200
    (got,) = provider.received
    assert (got.headers["content-type"], got.body) == ("application/json", body)


def test_the_providers_own_ids_stay_with_the_gateway(gateway, provider):
    body = (
        b'{"error":{"message":"Rate limit for organization org-AbCdEf12345 in proj_AbCdEf12345"}}'
    )
    headers = {"openai_organization": "org-x", "openai_project": "p", "set_cookie": "a=b"}
    provider.respond_with(encode_response(body, 429, **headers))
    got = ask(gateway)
    assert "AbCdEf12345" not in got.text
    assert not {"openai-organization", "openai-project", "set-cookie"} & set(got.headers)


def test_only_known_headers_go_to_the_provider(provider, client):
    provider.respond_with_json(make_response(new_id()))
    sent = {
        "openai-beta": "b=1",
        "openai-organization": "org-x",
        "cookie": "a=b",
        "x-forwarded-for": "1",
        "x-stainless-lang": "python",
        "accept": "application/json",
        "accept-encoding": "gzip",
    }
    client.post("/responses", json={"model": "gpt-5", "input": "x"}, headers=sent)
    (got,) = provider.received
    assert set(got.headers) == {
        "host",
        "connection",
        "accept",
        "accept-encoding",
        "authorization",
        "content-length",
        "content-type",
        "openai-beta",
        "user-agent",
    }
    assert got.headers["authorization"] == "Bearer credential-of-openai"
    assert got.headers["accept-encoding"] == "identity"
