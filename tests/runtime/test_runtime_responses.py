"""The results of handlers, and the bytes that the Runtime API gets for them."""

import base64
import json

import pytest

ERROR_TRAILERS = "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body"
NULS = bytes(8)


def streaming_head(api):
    return [
        ("Host", api.address),
        ("User-Agent", "antiphon-runtime"),
        ("Content-Type", "application/vnd.awslambda.http-integration-response"),
        ("Lambda-Runtime-Function-Response-Mode", "streaming"),
        ("Transfer-Encoding", "chunked"),
        ("Trailer", ERROR_TRAILERS),
    ]


def http(post):
    """The prelude and the chunks of a complete streamed response."""
    first, *rest = post.chunks()
    assert post.trailers() == []
    prelude, _, chunk = first.partition(NULS)
    return json.loads(prelude), [chunk, *rest]


def test_a_result_that_is_not_http_is_sent_buffered_as_json(api, start):
    runtime = start("handlers.echo")
    runtime.invoke(text="é", number=1)
    post = api.response()
    assert post.headers == [
        ("Host", api.address),
        ("User-Agent", "antiphon-runtime"),
        ("Content-Type", "application/json"),
        ("Content-Length", str(len('{"text": "é", "number": 1}'.encode()))),
    ]
    assert post.body() == '{"text": "é", "number": 1}'.encode()


def test_buffered_responses_share_one_connection(api, start):
    runtime = start("handlers.echo")
    for number in range(3):  # a second connection would never be accepted here
        runtime.invoke(id=f"id-{number}")
        assert api.response(f"id-{number}").body() == b"{}"
        api.reply()


def test_an_http_result_is_streamed_and_its_connection_closed_after_the_reply(api, start):
    runtime = start("handlers.returned")
    runtime.invoke(result={"statusCode": 201, "headers": {"a": "é"}, "body": "hé", "more": 1})
    post = api.response()
    assert post.headers == streaming_head(api)
    prelude, rest = post.chunk().split(NULS)
    assert json.loads(prelude) == {"statusCode": 201, "headers": {"a": "é"}}
    assert rest == "hé".encode()
    assert (post.chunk(), post.trailers()) == (None, [])
    api.reply()
    api.expect_close()
    runtime.invoke(result="next")
    assert api.response().body() == b'"next"'


@pytest.mark.parametrize(
    "empty",
    [{}, {"body": None}, {"body": ""}, {"body": "", "isBase64Encoded": True}, {"body": []}],
)
def test_an_empty_body_becomes_a_newline_since_a_function_url_hangs_without_a_byte(
    api, start, empty
):
    runtime = start("handlers.returned")
    runtime.invoke(result={"statusCode": 204, **empty})
    assert http(api.response()) == ({"statusCode": 204}, [b"\n"])


def test_a_base64_body_is_decoded(api, start):
    runtime = start("handlers.returned")
    raw = bytes(range(256))
    body = base64.b64encode(raw).decode()
    runtime.invoke(result={"statusCode": 200, "body": body, "isBase64Encoded": True})
    assert http(api.response()) == ({"statusCode": 200}, [raw])


def test_the_prelude_has_only_the_four_keys_that_lambda_reads(api, start):
    runtime = start("handlers.returned")
    known = {
        "statusCode": 200,
        "headers": {"a": "b"},
        "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]},
        "cookies": ["a=1; Secure", "b=2"],
    }
    runtime.invoke(result={**known, "body": "x", "isBase64Encoded": False, "cookie": "no"})
    assert http(api.response()) == (known, [b"x"])


def test_the_prelude_omits_keys_without_a_value(api, start):
    runtime = start("handlers.returned")
    runtime.invoke(result={"statusCode": 200, "headers": None, "cookies": None, "body": "x"})
    assert http(api.response()) == ({"statusCode": 200}, [b"x"])


def test_a_prelude_just_under_the_limit_passes(api, start):
    runtime = start("handlers.returned")
    result = {"statusCode": 200, "headers": {"a": ""}}
    result["headers"]["a"] = "x" * (16 * 1024 - 8 - len(json.dumps(result)))
    runtime.invoke(result={**result, "body": "x"})
    assert http(api.response()) == (result, [b"x"])


def test_a_longer_prelude_is_a_clean_error(api, start):
    runtime = start("handlers.returned")
    result = {"statusCode": 200, "headers": {"a": ""}}
    result["headers"]["a"] = "x" * (16 * 1024 - 7 - len(json.dumps(result)))
    runtime.invoke(result={**result, "body": "x"})
    assert json.loads(api.error().body())["errorType"] == "Runtime.PreludeTooLarge"


@pytest.mark.parametrize(
    ("result", "error_type"),
    [
        ({"statusCode": 200, "body": "!", "isBase64Encoded": True}, "Runtime.MarshalError"),
        ({"statusCode": 200, "body": "\ud800"}, "UnicodeEncodeError"),
        ({"statusCode": 200, "body": 7}, "TypeError"),
        ({"statusCode": 200, "body": {"a": "dict"}}, "TypeError"),
        ({"statusCode": 200, "body": ["text"]}, "TypeError"),
        (["\ud800"], "Runtime.MarshalError"),
    ],
)
def test_a_body_that_cannot_be_sent_is_a_clean_error(api, start, result, error_type):
    runtime = start("handlers.returned")
    runtime.invoke(result=result)
    assert json.loads(api.error().body())["errorType"] == error_type


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_a_powertools_response_is_streamed_in_both_payload_formats(api, start, version):
    runtime = start("resolved.handler", AWS_LAMBDA_FUNCTION_NAME="f")
    request = {"httpMethod": "GET", "path": "/stream", "headers": {}, "requestContext": {}}
    if version == "2.0":
        context = {"http": {"method": "GET"}, "stage": "$default"}
        request = {"rawPath": "/stream", "requestContext": context, "headers": {}}
    runtime.invoke(**request)
    prelude, chunks = http(api.response())
    assert chunks == [b"data: 0\n\n", b"data: 1\n\n"]
    assert (
        prelude
        == {
            "1.0": {
                "statusCode": 200,
                "multiValueHeaders": {
                    "Content-Type": ["text/event-stream"],
                    "x-a": ["1"],
                    "Set-Cookie": ["a=b"],
                },
            },
            "2.0": {
                "statusCode": 200,
                "headers": {"Content-Type": "text/event-stream", "x-a": "1"},
                "cookies": ["a=b"],
            },
        }[version]
    )
    api.reply()
    api.expect_close()
    record = json.loads(runtime.end()[0])
    assert (record["function_name"], record["function_request_id"]) == ("f", "id-1")
