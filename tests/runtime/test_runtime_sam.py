"""`sam local`: HTTP results in the buffered form, the only one that its parsers accept."""

import base64
import json

import pytest
from flask import Request
from werkzeug.test import EnvironBuilder

from tests.support.lazy import LazyModule

apigw = LazyModule("samcli.local.apigw.local_apigw_service")


@pytest.fixture(scope="module")
def parse():
    """SAM's own parsers of payload formats 1.0 (REST and HTTP APIs) and 2.0."""
    request = Request(EnvironBuilder(headers={"Accept": "*/*"}).get_environ())
    first = apigw.LocalApigwService._parse_v1_payload_format_lambda_output
    second = apigw.LocalApigwService._parse_v2_payload_format_lambda_output
    return {
        "1.0 REST": lambda output: first(output, ["*/*"], request, apigw.Route.API),
        "1.0 HTTP": lambda output: first(output, [], request, apigw.Route.HTTP),
        "2.0": lambda output: second(output, [], request),
    }


@pytest.fixture
def buffer(api, start):
    """The response that a runtime under SAM makes from a handler's result."""

    def buffer(handler="handlers.returned", **event):
        runtime = start(handler, AWS_SAM_LOCAL="true")
        runtime.invoke(**event)
        post = api.response()
        assert post.header("Content-Type") == "application/json"
        buffered = post.body().decode()
        api.reply()
        return buffered

    return buffer


def test_text_is_buffered_as_text(buffer):
    result = {"statusCode": 201, "headers": {"a": "b"}, "body": "hé", "other": 1}
    assert json.loads(buffer(result=result)) == {
        "statusCode": 201,
        "headers": {"a": "b"},
        "multiValueHeaders": {},
        "body": "hé",
        "isBase64Encoded": False,
    }


def test_other_bytes_are_buffered_as_base64(buffer):
    body = base64.b64encode(b"\xff\x00").decode()
    buffered = json.loads(buffer(result={"statusCode": 200, "body": body, "isBase64Encoded": True}))
    assert (buffered["body"], buffered["isBase64Encoded"]) == (body, True)


def test_a_streamed_body_is_collected_without_what_it_sends_between_chunks(buffer):
    script = [["chunk", "a"], ["send", "discarded"], ["chunk", "b"]]
    assert json.loads(buffer("handlers.attached", script=script))["body"] == "ab"


def test_an_empty_body_is_a_newline_here_too(buffer):
    assert json.loads(buffer(result={"statusCode": 204}))["body"] == "\n"


def test_a_body_that_fails_half_way_is_a_clean_error_and_is_closed(api, start):
    runtime = start("handlers.attached", AWS_SAM_LOCAL="true")
    runtime.invoke(script=[["chunk", "a"], ["raise", "ValueError", "mid"]])
    assert json.loads(api.error().body())["errorType"] == "ValueError"
    api.reply()
    runtime.invoke()
    calls = ["attached", "iterator closed", "body closed"]
    assert json.loads(api.response().body()) == {"calls": calls}


@pytest.mark.parametrize("form", ["1.0 REST", "1.0 HTTP", "2.0"])
def test_sams_parsers_accept_it_with_cookies(buffer, parse, form):
    result = {
        "statusCode": 201,
        "headers": {"content-type": "text/event-stream", "x-a": "b"},
        "cookies": ["a=1", "b=2"],
        "body": "data: é\n\n",
    }
    status, headers, body = parse[form](buffer(result=result))
    assert (status, body) == (201, "data: é\n\n")
    assert headers["Content-Type"] == "text/event-stream"
    assert headers["X-A"] == "b"
    assert headers.getlist("Set-Cookie") == ["a=1", "b=2"]


@pytest.mark.parametrize("form", ["1.0 REST", "1.0 HTTP"])
def test_cookies_are_added_to_those_of_the_multi_value_headers(buffer, parse, form):
    multi = {"Set-Cookie": ["z=0"], "Content-Type": ["text/plain"]}
    result = {"statusCode": 200, "multiValueHeaders": multi, "cookies": ["a=1"], "body": "x"}
    _, headers, _ = parse[form](buffer(result=result))
    assert headers.getlist("Set-Cookie") == ["z=0", "a=1"]


@pytest.mark.parametrize("form", ["1.0 REST", "1.0 HTTP", "2.0"])
def test_sams_parsers_return_the_same_bytes(buffer, parse, form):
    headers = {"content-type": "application/octet-stream"}
    body = base64.b64encode(b"\xff\x00\xfe").decode()
    result = {"statusCode": 200, "headers": headers, "body": body, "isBase64Encoded": True}
    _, _, parsed = parse[form](buffer(result=result))
    assert parsed == b"\xff\x00\xfe"
