"""What a body sends between its chunks, from another thread."""

import json

OPENING = b'{"statusCode": 200, "headers": {"content-type": "text/event-stream"}}' + bytes(8)


def news(runtime, api):
    """What the handlers' module has heard meanwhile, asked for by a further invocation."""
    runtime.ask(id="news")
    return json.loads(api.response("news").body())["heard"]


def finish(api, post):
    assert (post.chunk(), post.trailers()) == (None, [])
    api.reply()
    api.expect_close()


def test_a_word_from_another_thread_is_a_chunk_of_its_own(api, start):
    runtime = start("handlers.attached")
    runtime.ask(script=[["chunk", "a"], ["say", ": still here\n\n"], ["chunk", "b"]])
    post = api.response()
    assert post.chunks() == [OPENING + b"a", b": still here\n\n", b"b"]


def test_it_leaves_while_the_body_waits(api, start):
    runtime = start("handlers.attached")
    runtime.ask(script=[["chunk", "a"], ["say", "when told"], ["wait"], ["chunk", "b"]])
    post = api.response()
    assert post.chunk() == OPENING + b"a"
    runtime.release()
    assert post.chunk() == b"when told"
    runtime.release()
    assert post.chunk() == b"b"
    finish(api, post)


def test_it_is_nothing_before_the_first_chunk_or_when_empty(api, start):
    runtime = start("handlers.attached")
    runtime.ask(script=[["say", "early"], ["chunk", "a"], ["say", ""], ["chunk", "b"]])
    assert api.response().chunks() == [OPENING + b"a", b"b"]


def test_it_is_nothing_after_the_body_has_ended(api, start):
    runtime = start("handlers.attached")
    runtime.ask(script=[["chunk", "a"]])
    post = api.response()
    assert post.chunk() == OPENING + b"a"
    finish(api, post)
    runtime.ask(id="id-2", late=True)
    expected = ["attached", "closed", "closed by name"]
    assert json.loads(api.response("id-2").body()) == {"heard": expected}
    api.reply()
    runtime.ask(id="id-3", late=True, script=[["chunk", "x"]])  # not into the next answer either
    assert api.response("id-3").chunks() == [OPENING + b"x"]


def test_a_broken_connection_does_not_surface_in_the_other_thread(api, start):
    runtime = start("handlers.attached")
    runtime.ask(script=[["chunk", "a"], ["wait"], *[["say", "x"]] * 3, ["chunk", "b"]])
    assert api.response().chunk() == OPENING + b"a"
    api.cut()
    runtime.release()
    assert news(runtime, api) == ["attached", "closed", "closed by name"]
