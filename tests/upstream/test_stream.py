"""A provider's events pass whole, and every stream has a terminal event."""

import json

import httpx
import pytest

from antiphon.errors import UpstreamFailed, UpstreamTimeout
from antiphon.sse import EventSplitter, event_data
from antiphon.upstream.stream import UpstreamStream
from antiphon.upstream.timers import ReadTimer


def event(kind, number, **more):
    return f"data: {json.dumps({'type': kind, 'sequence_number': number, **more})}\n\n".encode()


MAX_EVENT_BYTES = 1_000
RESPONSE = {"id": "resp_1", "status": "in_progress", "output": []}
CREATED = event("response.created", 0, response=RESPONSE)
DELTA = event("response.output_text.delta", 1, delta="Hello")
COMPLETED = event("response.completed", 2, response={**RESPONSE, "status": "completed"})
WHOLE = CREATED + DELTA + COMPLETED


def make_stream(*chunks, timer=None):
    def read():
        for chunk in chunks:
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk

    closed = []
    timer = timer or ReadTimer(None, float("inf"))
    stream = UpstreamStream(
        read(), timer, lambda: closed.append(True), EventSplitter(MAX_EVENT_BYTES)
    )
    stream.closed = closed
    return stream


def opened(*chunks, **more):
    stream = make_stream(*chunks, **more)
    stream.open(280)
    return stream


def data(stream):
    return b"".join(batch.data for batch in stream)


def events(content):
    splitter = EventSplitter()
    return [json.loads(event_data(one)) for one in splitter.feed(content)]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50, 1000])
def test_whatever_the_chunks_the_bytes_are_the_same(size):
    chunks = [WHOLE[at : at + size] for at in range(0, len(WHOLE), size)]
    stream = opened(*chunks)
    batches = list(stream)
    assert b"".join(batch.data for batch in batches) == WHOLE
    assert all(batch.data.endswith(b"\n\n") for batch in batches)
    assert stream.ended == "response.completed"


ITEM = {"type": "response.output_item.done", "sequence_number": 3, "item": {"error": None}}
ODD_EVENTS = {
    "deltas": DELTA * 3,
    "a text that is the marker": event("response.output_text.delta", 2, delta="[DONE]"),
    "the marker": b"data: [DONE]\n\n",
    "a comment": b": {}\n\n",
    "an event with a comment": b": {}\n" + DELTA,
    "a response in a delta": event("response.output_text.delta", 2, response={"id": "resp_2"}),
    "an error": event("error", 2, message="m"),
    "an error without a type": b'data: {"error": {"code": "c"}}\n\n',
    "an item": f"data: {json.dumps(ITEM)}\n\n".encode(),
    "other line ends": DELTA.replace(b"\n", b"\r\n") + DELTA.replace(b"\n", b"\r"),
    "no JSON": b"data: }\n\n",
    "blank lines": b"\n\n" + DELTA + b"\n",
    "no text": b'data: {"x": "\xff"}\n\n',
}


@pytest.mark.parametrize("odd", ODD_EVENTS.values(), ids=ODD_EVENTS)
@pytest.mark.parametrize("end", [b"", DELTA, DELTA + COMPLETED])
def test_an_event_that_comes_alone_passes_as_it_does_among_others(odd, end):
    """Most come alone, and those that can neither name a response nor end it are not split."""
    whole = CREATED + odd + end
    splitter = EventSplitter()
    alone = [CREATED, *splitter.feed(odd + end), splitter.tail]
    seen = []
    by_byte = [whole[n : n + 1] for n in range(len(whole))]
    for chunks in ([whole], filter(None, alone), [CREATED, odd + end], by_byte):
        stream = opened(*chunks)
        batches = list(stream)
        responses = [each for batch in batches for each in batch.responses]
        passed = b"".join(batch.data for batch in batches)
        seen.append((passed, responses, stream.ended, stream.passed_events, stream.passed_bytes))
    assert seen == [seen[0]] * 4


def test_an_event_of_output_that_comes_alone_is_output():
    failed = event("response.failed", 2, response={**RESPONSE, "status": "failed"})
    stream = make_stream(CREATED, DELTA, failed)
    stream.open(280, hold_seconds=60)
    assert data(stream) == CREATED + DELTA + failed
    assert not stream.ended_without_output


def test_an_event_that_comes_alone_moves_the_limits_of_silence():
    timer = ReadTimer(None, float("inf"))
    stream = opened(CREATED, DELTA, timer=timer)
    batches = iter(stream)
    next(batches)
    timer.last_read = timer.last_sent = 0.0
    assert next(batches).data == DELTA
    assert timer.last_read == timer.last_sent > 0


def test_a_stream_cut_at_any_byte_ends_with_the_terminal_pair():
    for end in range(len(WHOLE) - 2):
        check_cut_at(end)


def check_cut_at(end):
    error = httpx.RemoteProtocolError("m")
    stream = make_stream(WHOLE[:end], error)
    if end < len(CREATED):
        with pytest.raises(UpstreamFailed):
            stream.open(280)
        return
    stream.open(280)
    got = data(stream)
    whole_events = CREATED if end < len(CREATED + DELTA) else CREATED + DELTA
    assert got.startswith(whole_events)
    error, failed = events(got.removeprefix(whole_events))
    number = 1 if whole_events == CREATED else 2
    assert (error["type"], error["sequence_number"]) == ("error", number)
    assert error["error"]["code"] == error["code"] == "upstream_failed"
    assert (failed["type"], failed["sequence_number"]) == ("response.failed", number + 1)
    assert failed["response"]["id"] == "resp_1"
    assert failed["response"]["status"] == "failed"
    assert stream.ended is None


@pytest.mark.parametrize("ending", [b"", b"\n", b"\n\x00\xff{", b"\nid: "])
@pytest.mark.parametrize("fault", [(), (httpx.ReadError("m"),)], ids=["clean", "broken"])
def test_a_terminal_event_lacks_only_its_blank_line(ending, fault):
    stream = opened(CREATED, DELTA, COMPLETED.removesuffix(b"\n\n") + ending, *fault)
    assert data(stream) == WHOLE
    assert stream.ended == "response.completed"


def test_a_clean_end_without_a_terminal_event_is_no_end():
    stream = opened(CREATED)
    assert [one["type"] for one in events(data(stream))][1:] == ["error", "response.failed"]


def test_after_the_terminal_event_no_fault_is_reported():
    stream = opened(WHOLE, httpx.ReadError("m"))
    assert data(stream) == WHOLE


@pytest.mark.parametrize("tail", [b"data: [DONE]", b"data: [DONE]\n", b"\n"])
def test_a_harmless_tail_passes(tail):
    assert data(opened(WHOLE + tail)) == WHOLE + tail


def test_an_unfinished_tail_is_dropped():
    assert data(opened(WHOLE + b"data: {")) == WHOLE


def test_a_marker_of_the_end_before_the_end_is_held_back():
    done = b"data: [DONE]\n\n"
    assert data(opened(CREATED + done + COMPLETED + done)) == CREATED + COMPLETED + done


@pytest.mark.parametrize("comment", [b": a\n\n", b": a\n\n: b\n\n"])
def test_comments_leave_the_status_open(comment):
    with pytest.raises(UpstreamFailed):
        make_stream(comment).open(280)
    assert data(opened(comment, WHOLE)) == comment + WHOLE


def test_every_response_object_is_in_its_batch():
    stream = opened(WHOLE)
    (batch,) = stream
    assert [one["status"] for one in batch.responses] == ["in_progress", "completed"]


@pytest.mark.parametrize(
    "terminal",
    [
        event("response.failed", 1, response=RESPONSE),
        event("response.incomplete", 1, response=RESPONSE),
        event("error", 1, message="m"),
        b'data: {"error": {"message": "m"}}\n\n',
    ],
)
def test_each_terminal_event_ends_the_stream(terminal):
    stream = opened(CREATED, terminal)
    assert data(stream) == CREATED + terminal
    assert stream.ended in {"response.failed", "response.incomplete", "error"}


def test_the_timer_s_fault_is_the_reason_of_a_cut():
    timer = ReadTimer(None, float("inf"))
    stream = opened(CREATED, httpx.ReadError("m"), timer=timer)
    timer.fault = UpstreamTimeout("The provider sent nothing for 3 seconds.")
    error, _ = events(data(stream).removeprefix(CREATED))
    assert error["code"] == "upstream_timeout"


def test_a_body_that_ends_cleanly_after_the_timer_s_fault_is_cut():
    timer = ReadTimer(None, float("inf"))
    stream = opened(CREATED, timer=timer)
    timer.fault = UpstreamTimeout("m")
    assert b"upstream_timeout" in data(stream)


def test_an_event_that_is_too_large_ends_the_stream_and_states_the_limit():
    stream = opened(CREATED, b"data: " + b"x" * MAX_EVENT_BYTES)
    error, _ = events(data(stream).removeprefix(CREATED))
    assert error["code"] == "event_too_large"
    assert "1,000 bytes" in error["message"]
    assert "max_event_bytes" in error["message"]


def test_a_pair_without_a_response_object_is_the_error_alone():
    stream = opened(event("response.created", 4))
    (_, error) = events(data(stream))
    assert (error["type"], error["sequence_number"]) == ("error", 5)


def nest(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("odd", [10**5000, "\ud800", nest(20_000)], ids=["digits", "half", "deep"])
def test_whatever_a_snapshot_contains_the_pair_is_whole(odd):
    pair = make_stream().terminal_pair(UpstreamFailed("m"), {**RESPONSE, "odd": odd})
    _, failed = events(pair)
    assert (failed["response"]["id"], failed["response"]["status"]) == ("resp_1", "failed")


def test_comments_are_sent_until_the_terminal_event():
    timer = ReadTimer(None, float("inf"))
    stream = opened(CREATED, DELTA, COMPLETED, timer=timer)
    stream.attach(lambda _: None)
    assert timer.send is not None
    assert data(stream) == WHOLE
    assert timer.send is None
    assert timer.ends_at < float("inf")


def test_close_releases_the_connection():
    stream = opened(CREATED, DELTA)
    stream.close()
    assert stream.closed == [True]
    assert list(stream)[1:] == []


@pytest.mark.parametrize("odd", [b'"\\ud800"', b"9" * 5_000, b'"org-AbCdEf12345 \\ud800"'])
def test_an_error_beside_a_value_that_no_parser_takes_names_no_account(odd):
    failed = event(
        "response.failed", 1, response={**RESPONSE, "error": {"message": "org-AbCdEf12345"}}
    )
    odd_failed = failed.replace(b'"message":', b'"odd": %b, "message":' % odd)
    got = data(opened(CREATED, odd_failed))
    assert b"AbCdEf12345" not in got
    assert b"org-redacted" in got
