"""A streamed body, chunk by chunk, and its behaviour when it fails or is cut."""

import base64
import json

import pytest

from antiphon.runtime.response import StreamedResponse

OPENING = b'{"statusCode": 200, "headers": {"content-type": "text/event-stream"}}' + bytes(8)


def read_calls(runtime, api):
    """What the handlers have recorded so far, read by a further invocation."""
    runtime.invoke(id="calls")
    return json.loads(api.response("calls").body())["calls"]


def finish(api, post):
    assert (post.chunk(), post.trailers()) == (None, [])
    api.reply()
    api.expect_close()


def test_each_chunk_arrives_before_the_next_is_made(api, start):
    runtime = start("handlers.scripted")
    runtime.invoke(script=[["chunk", "a"], ["wait"], ["chunk", "b"], ["wait"], ["chunk", "c"]])
    post = api.response()
    assert post.chunk() == OPENING + b"a"
    runtime.release()
    assert post.chunk() == b"b"
    runtime.release()
    assert post.chunk() == b"c"
    finish(api, post)
    assert read_calls(runtime, api) == ["iterator closed"]


def test_empty_chunks_are_left_out_also_before_the_first(api, start):
    runtime = start("handlers.scripted")
    runtime.invoke(script=[["chunk", ""], ["chunk", "a"], ["chunk", ""], ["chunk", "b"]])
    assert api.response().chunks() == [OPENING + b"a", b"b"]


def test_a_body_of_empty_chunks_only_is_a_newline(api, start):
    runtime = start("handlers.scripted")
    runtime.invoke(script=[["chunk", ""], ["chunk", ""]])
    assert api.response().chunks() == [OPENING + b"\n"]


def test_a_failure_before_the_first_chunk_is_a_clean_error_and_the_body_is_closed(api, start):
    runtime = start("handlers.attached")
    runtime.invoke(script=[["chunk", ""], ["raise", "ValueError", "no upstream é"]])
    error = json.loads(api.error().body())
    assert (error["errorType"], error["errorMessage"]) == ("ValueError", "no upstream é")
    api.reply()
    assert read_calls(runtime, api) == ["attached", "iterator closed", "body closed"]


# The second is an OSError of the body's own, not one of the socket to the Runtime API.
@pytest.mark.parametrize("kind", ["ValueError", "ConnectionResetError", "GeneratorExit"])
def test_a_failure_after_it_travels_in_the_announced_trailers(api, start, kind):
    runtime = start("handlers.scripted")
    runtime.invoke(id="id-7", script=[["chunk", "a"], ["raise", kind, "mid é\nway"]])
    post = api.response("id-7")
    assert post.chunks() == [OPENING + b"a"]
    (type_field, body_field) = post.trailers()
    assert type_field == ("Lambda-Runtime-Function-Error-Type", kind)
    assert body_field[0] == "Lambda-Runtime-Function-Error-Body"
    error = json.loads(base64.b64decode(body_field[1], validate=True))
    assert (error["errorType"], error["errorMessage"]) == (kind, "mid é\nway")
    assert error["requestId"] == "id-7"
    assert "in run_script" in error["stackTrace"][0]
    api.reply()
    api.expect_close()
    assert read_calls(runtime, api) == ["iterator closed"]
    (record,) = runtime.end()[:1]
    assert record.startswith(f"[ERROR] {kind}: mid é\rway\rTraceback (most recent call last):\r")


def test_a_chunk_that_is_not_bytes_is_a_failure_of_the_body(api, start):
    runtime = start("handlers.scripted")
    runtime.invoke(script=[["chunk", "a"], ["text", "b"]])
    post = api.response()
    assert post.chunks() == [OPENING + b"a"]
    assert ("Lambda-Runtime-Function-Error-Type", "TypeError") in post.trailers()


def test_an_exit_inside_the_body_is_reported_and_then_done(api, start):
    runtime = start("handlers.scripted")
    runtime.invoke(script=[["chunk", "a"], ["raise", "SystemExit", 0]])
    post = api.response()
    assert post.chunks() == [OPENING + b"a"]
    assert ("Lambda-Runtime-Function-Error-Type", "Runtime.ExitError") in post.trailers()
    api.reply()
    assert runtime.exit_code() == 1


def test_a_body_that_cannot_be_closed_is_logged_after_the_response_was_sent(api, start):
    runtime = start("handlers.attached")
    runtime.invoke(script=[["chunk", "a"], ["close fails"]])
    post = api.response()
    assert post.chunk() == OPENING + b"a"
    finish(api, post)
    assert read_calls(runtime, api) == ["attached", "iterator closed", "body closed"]
    api.reply()
    assert runtime.end()[0].startswith("[ERROR] ValueError: will not close\rTraceback")


def test_a_body_that_fails_to_attach_is_closed_and_a_clean_error():
    class Reluctant(list):
        closed = False

        def attach(self, send):
            raise ConnectionError(send)

        def close(self):
            self.closed = True

    body = Reluctant()
    with pytest.raises(ConnectionError):
        StreamedResponse.from_result({"statusCode": 200, "body": body})
    assert body.closed


def test_a_cut_connection_closes_the_body_and_the_next_invocation_is_served(api, start):
    runtime = start("handlers.attached")
    runtime.invoke(script=[["chunk", "a"], ["wait"], *[["chunk", "b"]] * 1000])
    post = api.response()
    assert post.chunk() == OPENING + b"a"
    api.cut()
    runtime.release()
    assert read_calls(runtime, api) == ["attached", "iterator closed", "body closed"]
    api.reply()
    (record, _) = runtime.end()
    assert record.startswith(
        "[WARN] A response was not delivered. The Runtime API cut the connection: "
    )


def test_an_early_refusal_is_logged_and_the_next_invocation_is_served(api, start):
    runtime = start("handlers.scripted")
    runtime.invoke(script=[["chunk", "a"], ["wait"], *[["chunk", "b"]] * 1000])
    post = api.response()
    assert post.chunk() == OPENING + b"a"
    api.reply(413, b'{"errorType":"RequestEntityTooLarge"}')
    api.hang_up()
    runtime.release()
    assert read_calls(runtime, api) == ["iterator closed"]
    api.reply()
    (record, _) = runtime.end()
    assert record == (
        "[WARN] A response was not delivered. "
        'The Runtime API responded with status 413: {"errorType":"RequestEntityTooLarge"}'
    )


def test_a_refusal_at_the_end_of_the_stream_is_logged_too(api, start):
    runtime = start("handlers.scripted")
    runtime.invoke(script=[["chunk", "a"]])
    post = api.response()
    assert (post.chunks(), post.trailers()) == ([OPENING + b"a"], [])
    api.reply(500, b"{}")
    api.expect_close()
    assert read_calls(runtime, api) == ["iterator closed"]
    api.reply()
    message = "The Runtime API responded with status 500: {}"
    assert runtime.end()[0] == f"[WARN] A response was not delivered. {message}"
