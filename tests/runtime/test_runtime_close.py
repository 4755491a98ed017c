"""A body's iterator and the body are each closed exactly once, however the response ends."""

import pytest

from antiphon.runtime.response import StreamedResponse, buffer_result


class Closable:
    """Records its closes in a list that a test shares between several objects."""

    def __init__(self, closed, chunks):
        self.closed = closed
        self.chunks = iter(chunks)

    def __next__(self):
        chunk = next(self.chunks)
        if isinstance(chunk, Exception):
            raise chunk
        return chunk

    def close(self):
        self.closed.append(type(self))


class Separate(Closable):
    """An iterator other than its body."""

    def __iter__(self):
        return self


class Body(Closable):
    """A body that has an iterator of its own."""

    def __iter__(self):
        return Separate(self.closed, self.chunks)


class Generator(Closable):
    """A body that is its own iterator."""

    def __iter__(self):
        return self


@pytest.fixture(params=[(Body, [Separate, Body]), (Generator, [Generator])])
def body(request):
    """`body(chunks)`: the result of a handler, the closes so far, and the closes wanted."""
    kind, wanted = request.param

    def body(*chunks):
        closed = []
        return {"statusCode": 200, "body": kind(closed, chunks)}, closed, wanted

    return body


@pytest.mark.parametrize("read", [0, 1, 2])
def test_a_streamed_response_closes_once_also_when_it_is_closed_again(body, read):
    result, closed, wanted = body(b"a", b"b", b"c")
    response = StreamedResponse.from_result(result)
    for _ in range(read):
        next(response.chunks)
    assert closed == []
    response.close()
    response.close()
    assert closed == wanted


def test_a_failure_before_the_first_chunk_closes_once(body):
    result, closed, wanted = body(b"", ValueError("no chunk"))
    with pytest.raises(ValueError, match="no chunk"):
        StreamedResponse.from_result(result)
    assert closed == wanted


def test_a_prelude_that_cannot_be_sent_closes_the_body_without_iterating_it(body):
    result, closed, wanted = body(b"a")
    with pytest.raises(Exception, match="not JSON"):
        StreamedResponse.from_result({**result, "headers": {"a": object()}})
    assert closed == wanted[-1:]


def test_a_buffered_body_is_closed_once(body):
    result, closed, wanted = body(b"a", b"b")
    assert buffer_result(result)["body"] == "ab"
    assert closed == wanted


def test_a_buffered_body_that_fails_is_closed_once(body):
    result, closed, wanted = body(b"a", ValueError("failed"))
    with pytest.raises(ValueError, match="failed"):
        buffer_result(result)
    assert closed == wanted
