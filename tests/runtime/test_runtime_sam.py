"""`sam local`: HTTP answers folded into the one form that its parsers accept."""

import base64
import json

import pytest
from flask import Request
from samcli.local.apigw.local_apigw_service import LocalApigwService
from samcli.local.apigw.route import Route
from werkzeug.test import EnvironBuilder


@pytest.fixture(scope="module")
def parse():
    """SAM's own parsers of payload formats 1.0 (REST and HTTP APIs) and 2.0."""
    request = Request(EnvironBuilder(headers={"Accept": "*/*"}).get_environ())
    first = LocalApigwService._parse_v1_payload_format_lambda_output
    second = LocalApigwService._parse_v2_payload_format_lambda_output
    return {
        "1.0 REST": lambda output: first(output, ["*/*"], request, Route.API),
        "1.0 HTTP": lambda output: first(output, [], request, Route.HTTP),
        "2.0": lambda output: second(output, [], request),
    }


@pytest.fixture
def fold(api, start):
    """What a runtime under SAM makes of a handler's result."""

    def fold(handler="handlers.returned", **event):
        runtime = start(handler, AWS_SAM_LOCAL="true")
        runtime.ask(**event)
        post = api.response()
        assert post.header("Content-Type") == "application/json"
        folded = post.body().decode()
        api.reply()
        return folded

    return fold


def test_text_is_folded_as_text(fold):
    result = {"statusCode": 201, "headers": {"a": "b"}, "body": "hé", "other": 1}
    assert json.loads(fold(result=result)) == {
        "statusCode": 201,
        "headers": {"a": "b"},
        "multiValueHeaders": {},
        "body": "hé",
        "isBase64Encoded": False,
    }


def test_other_bytes_are_folded_as_base64(fold):
    body = base64.b64encode(b"\xff\x00").decode()
    folded = json.loads(fold(result={"statusCode": 200, "body": body, "isBase64Encoded": True}))
    assert (folded["body"], folded["isBase64Encoded"]) == (body, True)


def test_a_streamed_body_is_collected_and_its_door_leads_nowhere(fold):
    script = [["chunk", "a"], ["say", "unheard"], ["chunk", "b"]]
    assert json.loads(fold("handlers.attached", script=script))["body"] == "ab"


def test_an_empty_body_is_a_newline_here_too(fold):
    assert json.loads(fold(result={"statusCode": 204}))["body"] == "\n"


def test_a_body_that_fails_half_way_is_a_clean_error_and_is_closed(api, start):
    runtime = start("handlers.attached", AWS_SAM_LOCAL="true")
    runtime.ask(script=[["chunk", "a"], ["raise", "ValueError", "mid"]])
    assert json.loads(api.error().body())["errorType"] == "ValueError"
    api.reply()
    runtime.ask()
    heard = ["attached", "closed", "closed by name"]
    assert json.loads(api.response().body()) == {"heard": heard}


@pytest.mark.parametrize("form", ["1.0 REST", "1.0 HTTP", "2.0"])
def test_sams_parsers_accept_it_with_cookies(fold, parse, form):
    result = {
        "statusCode": 201,
        "headers": {"content-type": "text/event-stream", "x-a": "b"},
        "cookies": ["a=1", "b=2"],
        "body": "data: é\n\n",
    }
    status, headers, body = parse[form](fold(result=result))
    assert (status, body) == (201, "data: é\n\n")
    assert headers["Content-Type"] == "text/event-stream"
    assert headers["X-A"] == "b"
    assert headers.getlist("Set-Cookie") == ["a=1", "b=2"]


@pytest.mark.parametrize("form", ["1.0 REST", "1.0 HTTP"])
def test_cookies_join_those_that_a_rest_answer_has_already(fold, parse, form):
    multi = {"Set-Cookie": ["z=0"], "Content-Type": ["text/plain"]}
    result = {"statusCode": 200, "multiValueHeaders": multi, "cookies": ["a=1"], "body": "x"}
    _, headers, _ = parse[form](fold(result=result))
    assert headers.getlist("Set-Cookie") == ["z=0", "a=1"]


@pytest.mark.parametrize("form", ["1.0 REST", "1.0 HTTP", "2.0"])
def test_sams_parsers_give_back_the_very_bytes(fold, parse, form):
    headers = {"content-type": "application/octet-stream"}
    body = base64.b64encode(b"\xff\x00\xfe").decode()
    result = {"statusCode": 200, "headers": headers, "body": body, "isBase64Encoded": True}
    _, _, parsed = parse[form](fold(result=result))
    assert parsed == b"\xff\x00\xfe"
