"""What a handler returns, and the bytes that the Runtime API gets for it."""

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
    """A whole streamed answer: its prelude, its body's chunks."""
    first, *rest = post.chunks()
    assert post.trailers() == []
    prelude, _, chunk = first.partition(NULS)
    return json.loads(prelude), [chunk, *rest]


def test_what_is_no_http_answer_goes_buffered_as_json(api, start):
    runtime = start("handlers.echo")
    runtime.ask(text="é", number=1)
    post = api.response()
    assert post.headers == [
        ("Host", api.address),
        ("User-Agent", "antiphon-runtime"),
        ("Content-Type", "application/json"),
        ("Content-Length", str(len('{"text": "é", "number": 1}'.encode()))),
    ]
    assert post.body() == '{"text": "é", "number": 1}'.encode()


def test_buffered_answers_share_one_connection(api, start):
    runtime = start("handlers.echo")
    for number in range(3):  # a second connection would never be accepted here
        runtime.ask(id=f"id-{number}")
        assert api.response(f"id-{number}").body() == b"{}"
        api.reply()


def test_an_http_answer_goes_streamed_and_its_connection_is_closed_after_the_reply(api, start):
    runtime = start("handlers.returned")
    runtime.ask(result={"statusCode": 201, "headers": {"a": "é"}, "body": "hé", "more": 1})
    post = api.response()
    assert post.headers == streaming_head(api)
    prelude, rest = post.chunk().split(NULS)
    assert json.loads(prelude) == {"statusCode": 201, "headers": {"a": "é"}}
    assert rest == "hé".encode()
    assert (post.chunk(), post.trailers()) == (None, [])
    api.reply()
    api.expect_close()
    runtime.ask(result="next")
    assert api.response().body() == b'"next"'


@pytest.mark.parametrize(
    "empty",
    [{}, {"body": None}, {"body": ""}, {"body": "", "isBase64Encoded": True}, {"body": []}],
)
def test_an_empty_body_becomes_a_newline_since_a_function_url_hangs_on_nothing(api, start, empty):
    runtime = start("handlers.returned")
    runtime.ask(result={"statusCode": 204, **empty})
    assert http(api.response()) == ({"statusCode": 204}, [b"\n"])


def test_a_base64_body_is_decoded(api, start):
    runtime = start("handlers.returned")
    raw = bytes(range(256))
    body = base64.b64encode(raw).decode()
    runtime.ask(result={"statusCode": 200, "body": body, "isBase64Encoded": True})
    assert http(api.response()) == ({"statusCode": 200}, [raw])


def test_the_prelude_holds_the_four_keys_that_lambda_knows_and_no_other(api, start):
    runtime = start("handlers.returned")
    known = {
        "statusCode": 200,
        "headers": {"a": "b"},
        "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]},
        "cookies": ["a=1; Secure", "b=2"],
    }
    runtime.ask(result={**known, "body": "x", "isBase64Encoded": False, "cookie": "no"})
    assert http(api.response()) == (known, [b"x"])


def test_keys_without_a_value_stay_out_of_the_prelude(api, start):
    runtime = start("handlers.returned")
    runtime.ask(result={"statusCode": 200, "headers": None, "cookies": None, "body": "x"})
    assert http(api.response()) == ({"statusCode": 200}, [b"x"])


def test_a_prelude_just_under_the_limit_passes(api, start):
    runtime = start("handlers.returned")
    answer = {"statusCode": 200, "headers": {"a": ""}}
    answer["headers"]["a"] = "x" * (16 * 1024 - 8 - len(json.dumps(answer)))
    runtime.ask(result={**answer, "body": "x"})
    assert http(api.response()) == (answer, [b"x"])


def test_a_longer_prelude_is_a_clean_error(api, start):
    runtime = start("handlers.returned")
    answer = {"statusCode": 200, "headers": {"a": ""}}
    answer["headers"]["a"] = "x" * (16 * 1024 - 7 - len(json.dumps(answer)))
    runtime.ask(result={**answer, "body": "x"})
    assert json.loads(api.error().body())["errorType"] == "Runtime.PreludeTooLarge"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"statusCode": 200, "body": "!", "isBase64Encoded": True}, "Runtime.MarshalError"),
        ({"statusCode": 200, "body": "\ud800"}, "UnicodeEncodeError"),
        ({"statusCode": 200, "body": 7}, "TypeError"),
        ({"statusCode": 200, "body": {"a": "dict"}}, "TypeError"),
        ({"statusCode": 200, "body": ["text"]}, "TypeError"),
        (["\ud800"], "Runtime.MarshalError"),
    ],
)
def test_a_body_that_cannot_be_sent_is_a_clean_error(api, start, answer, kind):
    runtime = start("handlers.returned")
    runtime.ask(result=answer)
    assert json.loads(api.error().body())["errorType"] == kind


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_what_powertools_resolves_is_streamed_for_either_door(api, start, version):
    runtime = start("resolved.handler", AWS_LAMBDA_FUNCTION_NAME="f")
    request = {"httpMethod": "GET", "path": "/stream", "headers": {}, "requestContext": {}}
    if version == "2.0":
        context = {"http": {"method": "GET"}, "stage": "$default"}
        request = {"rawPath": "/stream", "requestContext": context, "headers": {}}
    runtime.ask(**request)
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
