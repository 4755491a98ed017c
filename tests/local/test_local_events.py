import pytest

from infra.local.http.events import build_rest_event, build_url_event
from infra.local.http.request import HttpRequest

HEADERS = (
    ("Host", "gateway.example"),
    ("User-Agent", "curl/8"),
    ("Content-Type", "application/json"),
    ("X-Many", "1"),
    ("x-many", "2"),
    ("Cookie", "a=1; b=2"),
    ("Connection", "keep-alive"),
)


def call(**changes):
    defaults = {
        "method": "POST",
        "path": "/v1/responses/a%20b",
        "query": "include%5B%5D=x&include%5B%5D=y&flag&t=a+b",
        "headers": HEADERS,
        "body": b'{"model":"m"}',
        "source": "10.0.0.7",
        "port": 8080,
        "id": "the-request",
        "received": 1_428_582_896.25,
    }
    return HttpRequest(**{**defaults, **changes})


def test_the_function_url_builds_an_event_of_version_2():
    assert build_url_event(call()) == {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/v1/responses/a%20b",
        "rawQueryString": "include%5B%5D=x&include%5B%5D=y&flag&t=a+b",
        "cookies": ["a=1", "b=2"],
        "headers": {
            "host": "gateway.example",
            "user-agent": "curl/8",
            "content-type": "application/json",
            "x-many": "1,2",
            "x-forwarded-for": "10.0.0.7",
            "x-forwarded-port": "8080",
            "x-forwarded-proto": "http",
        },
        "queryStringParameters": {"include[]": "x,y", "flag": "", "t": "a b"},
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "local",
            "domainName": "gateway.example",
            "domainPrefix": "local",
            "http": {
                "method": "POST",
                "path": "/v1/responses/a%20b",
                "protocol": "HTTP/1.1",
                "sourceIp": "10.0.0.7",
                "userAgent": "curl/8",
            },
            "requestId": "the-request",
            "routeKey": "$default",
            "stage": "$default",
            "time": "09/Apr/2015:12:34:56 +0000",
            "timeEpoch": 1428582896250,
        },
        "body": '{"model":"m"}',
        "isBase64Encoded": False,
    }


def test_the_function_url_leaves_out_what_there_is_none_of():
    event = build_url_event(call(query="", headers=(), body=b""))
    assert not event.keys() & {"cookies", "queryStringParameters", "body"}
    assert event["isBase64Encoded"] is False
    assert event["rawQueryString"] == ""


def test_the_rest_api_tells_of_a_request_in_version_1():
    event = build_rest_event(call())
    context = event.pop("requestContext")
    assert event == {
        "resource": "/{proxy+}",
        "path": "/v1/responses/a%20b",
        "httpMethod": "POST",
        "headers": {
            "Host": "gateway.example",
            "User-Agent": "curl/8",
            "Content-Type": "application/json",
            "X-Many": "2",
            "Cookie": "a=1; b=2",
            "X-Forwarded-For": "10.0.0.7",
            "X-Forwarded-Port": "8080",
            "X-Forwarded-Proto": "http",
        },
        "multiValueHeaders": {
            "Host": ["gateway.example"],
            "User-Agent": ["curl/8"],
            "Content-Type": ["application/json"],
            "X-Many": ["1", "2"],
            "Cookie": ["a=1; b=2"],
            "X-Forwarded-For": ["10.0.0.7"],
            "X-Forwarded-Port": ["8080"],
            "X-Forwarded-Proto": ["http"],
        },
        "queryStringParameters": {"include[]": "y", "flag": "", "t": "a b"},
        "multiValueQueryStringParameters": {"include[]": ["x", "y"], "flag": [""], "t": ["a b"]},
        "pathParameters": {"proxy": "v1/responses/a%20b"},
        "stageVariables": None,
        "body": '{"model":"m"}',
        "isBase64Encoded": False,
    }
    assert context["stage"] == "local"
    assert context["path"] == "/local/v1/responses/a%20b"
    assert context["requestId"] == "the-request"
    assert context["requestTime"] == "09/Apr/2015:12:34:56 +0000"
    assert context["requestTimeEpoch"] == 1428582896250
    assert context["identity"]["sourceIp"] == "10.0.0.7"
    assert context["identity"]["userAgent"] == "curl/8"


def test_the_rest_api_says_none_where_there_is_none():
    event = build_rest_event(call(path="/", query="", body=b""))
    for key in ("queryStringParameters", "multiValueQueryStringParameters", "pathParameters"):
        assert event[key] is None
    assert event["body"] is None
    assert event["resource"] == "/"


BODIES = pytest.mark.parametrize(
    ("build", "kind", "body", "sent", "is_base64"),
    [
        *(
            (build, *case)
            for build in (build_url_event, build_rest_event)
            for case in [
                ("application/json; charset=utf-8", "é".encode(), "é", False),
                ("application/problem+json", b"{}", "{}", False),
                ("APPLICATION/XML", b"<a/>", "<a/>", False),
                ("application/x-www-form-urlencoded", b"a=1", "a=1", False),
                ("text/event-stream", b"data: 1", "data: 1", False),
                (None, b"text", "text", False),
                ("multipart/form-data; boundary=x", b"--x\xff", "LS14/w==", True),
                ("Multipart/Form-Data ;boundary=x", b"--x", "LS14", True),
            ]
        ),
        (build_url_event, "application/json", b"\xff", "/w==", True),
        (build_url_event, "application/jsonp", b"x", "eA==", True),
        (build_url_event, "image/png", b"png", "cG5n", True),
        (build_rest_event, "application/json", b"\xff", "\ufffd", False),
        (build_rest_event, "image/png", b"p\xffg", "p\ufffdg", False),
    ],
)


@BODIES
def test_a_body_is_text_where_it_can_be_and_base64_elsewhere(build, kind, body, sent, is_base64):
    headers = (("Content-Type", kind),) if kind else ()
    event = build(call(headers=headers, body=body))
    assert (event["body"], event["isBase64Encoded"]) == (sent, is_base64)
