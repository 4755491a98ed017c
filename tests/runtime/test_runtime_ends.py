"""A stream that nobody reads ends before the deadline; SIGTERM ends the process in order."""

import json
import signal
import time

import pytest

OPENING = b'{"statusCode": 200, "headers": {"content-type": "text/event-stream"}}' + bytes(8)
LARGE = ["chunk", "x", 1 << 26]  # more than all the buffers of a connection


def read_calls(runtime, api):
    runtime.invoke(id="calls")
    return json.loads(api.response("calls").body())["calls"]


def in_seconds(seconds):
    return {"lambda_runtime_deadline_ms": int((time.time() + seconds) * 1000)}


@pytest.mark.parametrize(
    "script",
    [[LARGE], [["chunk", "a"], LARGE], [["chunk", "a"], ["send", "b" * (1 << 24)]]],
    ids=["first chunk", "later chunk", "from another thread"],
)
def test_a_write_that_nobody_reads_ends_before_the_deadline(api, start, script):
    runtime = start("handlers.attached")
    runtime.invoke(headers=in_seconds(3), script=script)
    api.response()
    with api.stop_reading():
        assert read_calls(runtime, api) == ["attached", "iterator closed", "body closed"]
        (record,) = runtime.log()
        assert record.startswith("[WARN] A response was not delivered.")


def test_a_reader_that_is_only_slow_gets_everything(api, start):
    runtime = start("handlers.attached")
    runtime.invoke(script=[["chunk", "a"], LARGE, ["chunk", "b"]])
    post = api.response()
    assert [len(chunk) for chunk in post.chunks()] == [len(OPENING) + 1, LARGE[2], 1]


def test_an_end_that_nobody_confirms_ends_the_wait_too(api, start):
    runtime = start("handlers.attached")
    runtime.invoke(headers=in_seconds(3), script=[["chunk", "a"]])
    assert api.response().chunks() == [OPENING + b"a"]
    with api.stop_reading():
        assert "body closed" in read_calls(runtime, api)


def test_sigterm_ends_a_runtime_that_waits_for_an_event(api, start):
    runtime = start("handlers.attached")
    api.expect("GET invocation/next")
    runtime.process.send_signal(signal.SIGTERM)
    assert runtime.exit_code() == 0


def test_sigterm_interrupts_a_stream_and_ends_the_runtime_behind_it(api, start):
    runtime = start("handlers.attached")
    runtime.invoke(script=[["chunk", "a"], ["wait"], ["calls"]])
    post = api.response()
    assert post.chunk() == OPENING + b"a"
    runtime.process.send_signal(signal.SIGTERM)
    runtime.release()
    assert b"interrupted" in post.chunk()
    assert (post.chunk(), post.trailers()) == (None, [])
    api.reply()
    assert runtime.exit_code() == 0


def test_sigterm_before_the_first_chunk_is_reported(api, start):
    runtime = start("handlers.attached")
    runtime.invoke(script=[["wait", "announced\n"], ["chunk", "a"]])
    runtime.wait_for_line("announced")
    runtime.process.send_signal(signal.SIGTERM)
    assert json.loads(api.error().body())["errorType"] == "Runtime.ExitError"
    api.reply()
    assert runtime.exit_code() == 1
