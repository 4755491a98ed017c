"""Chunks that a body sends from another thread, between those that it yields."""

import json

OPENING = b'{"statusCode": 200, "headers": {"content-type": "text/event-stream"}}' + bytes(8)


def read_calls(runtime, api):
    """What the handlers have recorded so far, read by a further invocation."""
    runtime.invoke(id="calls")
    return json.loads(api.response("calls").body())["calls"]


def finish(api, post):
    assert (post.chunk(), post.trailers()) == (None, [])
    api.reply()
    api.expect_close()


def test_data_from_another_thread_is_a_separate_chunk(api, start):
    runtime = start("handlers.attached")
    runtime.invoke(script=[["chunk", "a"], ["send", ": still here\n\n"], ["chunk", "b"]])
    post = api.response()
    assert post.chunks() == [OPENING + b"a", b": still here\n\n", b"b"]


def test_it_is_written_while_the_body_waits(api, start):
    runtime = start("handlers.attached")
    runtime.invoke(script=[["chunk", "a"], ["send", "after release"], ["wait"], ["chunk", "b"]])
    post = api.response()
    assert post.chunk() == OPENING + b"a"
    runtime.release()
    assert post.chunk() == b"after release"
    runtime.release()
    assert post.chunk() == b"b"
    finish(api, post)


def test_it_is_discarded_before_the_first_chunk_or_when_empty(api, start):
    runtime = start("handlers.attached")
    runtime.invoke(script=[["send", "early"], ["chunk", "a"], ["send", ""], ["chunk", "b"]])
    assert api.response().chunks() == [OPENING + b"a", b"b"]


def test_it_is_discarded_after_the_body_has_ended(api, start):
    runtime = start("handlers.attached")
    runtime.invoke(script=[["chunk", "a"]])
    post = api.response()
    assert post.chunk() == OPENING + b"a"
    finish(api, post)
    runtime.invoke(id="id-2", late=True)
    expected = ["attached", "iterator closed", "body closed"]
    assert json.loads(api.response("id-2").body()) == {"calls": expected}
    api.reply()
    runtime.invoke(
        id="id-3", late=True, script=[["chunk", "x"]]
    )  # not into the next response either
    assert api.response("id-3").chunks() == [OPENING + b"x"]


def test_a_broken_connection_raises_nothing_in_the_other_thread(api, start):
    runtime = start("handlers.attached")
    runtime.invoke(script=[["chunk", "a"], ["wait"], *[["send", "x"]] * 3, ["chunk", "b"]])
    assert api.response().chunk() == OPENING + b"a"
    api.cut()
    runtime.release()
    assert read_calls(runtime, api) == ["attached", "iterator closed", "body closed"]
