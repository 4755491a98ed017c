"""What is made of a stream by when its events came, and by what they say."""

import httpx
import pytest

from infra.doctor.answer import Answer
from infra.doctor.checks import streams
from infra.doctor.recording import Event, Recording, record
from tests.support.events import make_event, make_events, make_response, new_id

KIND = {"content-type": "text/event-stream; charset=utf-8"}
CREATED, DELTA, COMPLETED = (
    "response.created",
    "response.output_text.delta",
    "response.completed",
)


def recorded(*times, last=COMPLETED, chunks=9, headers=KIND, **more):
    """A stream whose events came at these times: the first two, deltas, and the last one."""
    types = [CREATED, *[DELTA] * (len(times) - 2), last]
    events = [
        Event(at, type, {"sequence_number": number})
        for number, (at, type) in enumerate(zip(times, types, strict=True))
    ]
    answer = Answer(200, httpx.Headers(headers), b"", 0.1)
    return Recording(answer, events, chunks=chunks, **more)


@pytest.mark.parametrize(
    ("made", "verdict", "word"),
    [
        (recorded(0.3, 0.8, 1.2, 2.0), "ok", "4 events in 9 chunks from 0.30 to 2.00 s"),
        (recorded(0.3, 0.8, 1.2, 2.0, comments=3), "ok", "3 keep-alive comments"),
        (recorded(1.98, 1.99, 2.0), "fails", "all at once"),
        (recorded(0.3, 1.0, 2.0, chunks=1), "fails", "all at once"),
        (recorded(0.01, 0.02, 0.3), "skipped", "too soon to tell"),
        (recorded(0.3, 1, 2, headers={**KIND, "content-length": "9"}), "fails", "known before"),
        (Recording(Answer(200, httpx.Headers(KIND), b"", 0.1)), "fails", "no event"),
    ],
)
def test_events_that_all_come_at_once_were_held_back(made, verdict, word):
    found = streams.flow(made)
    assert (found.verdict, word in found.seen) == (verdict, True), found


def numbered(*numbers):
    events = [Event(1, DELTA, {} if n is None else {"sequence_number": n}) for n in numbers]
    return Recording(Answer(200, httpx.Headers(KIND), b"", 0.1), events)


@pytest.mark.parametrize(
    ("numbers", "verdict", "word"),
    [
        ((0, 1, 2), "ok", "0 to 2"),
        ((5, 6, 7), "ok", "5 to 7"),
        ((0, 1, 3), "fails", "after event 1 came 3"),
        ((0, 2, 1), "fails", "after event 0 came 2"),
        ((0, 0, 1), "fails", "after event 0 came 0"),
        ((0, None, 2), "skipped", "no sequence_number"),
        ((), "skipped", "no sequence_number"),
    ],
)
def test_numbers_go_up_by_one(numbers, verdict, word):
    found = streams.order(numbered(*numbers))
    assert (found.verdict, word in found.seen) == (verdict, True), found


def failed(**error):
    made = recorded(0.1, 0.2, last="response.failed")
    told = {"response": {"id": "resp_1", "error": error}}
    made.events[-1] = Event(0.2, "response.failed", told)
    return made


@pytest.mark.parametrize(
    ("made", "verdict", "word"),
    [
        (recorded(0.1, 0.2), "ok", COMPLETED),
        (recorded(0.1, 0.2, last="response.incomplete"), "ok", "incomplete"),
        (recorded(0.1, 0.2, last=DELTA), "fails", f"ended after 2 events, by {DELTA}"),
        (recorded(0.1, 0.2, broke="peer closed"), "fails", "broke off after 2 events: peer"),
        (failed(code="upstream_timeout", message="Too slow."), "fails", "Too slow."),
        (Recording(Answer(200, httpx.Headers(KIND), b"", 0.1)), "fails", "by nothing"),
    ],
)
def test_a_stream_ends_by_its_terminal_event(made, verdict, word):
    found = streams.end(made)
    assert (found.verdict, word in found.seen) == (verdict, True), found


@pytest.mark.parametrize(
    ("status", "headers", "body", "word"),
    [
        (502, {}, b'{"error": {"message": "No.", "code": "upstream_auth"}}', "upstream_auth: No."),
        (200, {"content-type": "text/html"}, b"<p>", "200 text/html, not text/event-stream"),
        (200, {}, b"", "200 nothing, not text/event-stream"),
        (200, KIND, b"", "none with a response's id"),
    ],
)
def test_what_is_no_stream_is_told_as_what_it_is(status, headers, body, word):
    found = streams.opened(Recording(Answer(status, httpx.Headers(headers), body, 0.1)))
    assert found.verdict == "fails"
    assert word in found.seen
    assert found.advice


def test_the_longest_silence_counts_from_the_request_on():
    events = recorded(0.5, 0.75, 1.0, 4.0).events
    assert streams.longest_silence(events) == 3.0
    assert streams.longest_silence(events[:2]) == 0.5


def read(pieces, *, enough=lambda _: False, patience=60):
    response = httpx.Response(200, headers=KIND, stream=Pieces(pieces))
    return record(response, 0, enough, float("inf") if patience == 60 else patience)


class Pieces(httpx.SyncByteStream):
    def __init__(self, pieces):
        self._pieces = pieces

    def __iter__(self):
        for piece in self._pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece


ID = new_id()
STREAM = b"".join([b": ping\n\n", *make_events(ID), b"data: [DONE]\n\n"])


@pytest.mark.parametrize("size", range(1, 40))
@pytest.mark.parametrize("line", [b"\n", b"\r\n", b"\r"])
def test_events_are_found_wherever_chunks_end(size, line):
    stream = STREAM.replace(b"\n", line)
    made = read([stream[at : at + size] for at in range(0, len(stream), size)])
    assert [event.type for event in made.events] == [CREATED, DELTA, COMPLETED]
    assert (made.id, made.deltas, made.comments, made.broke) == (ID, 1, 1, None)
    assert made.chunks == -(-len(stream) // size)


def test_a_stream_is_left_when_it_is_enough():
    made = read(make_events(ID), enough=lambda made: made.deltas > 0)
    assert (len(made.events), made.left, made.broke) == (2, True, None)


def test_a_connection_that_breaks_is_told_with_its_reason():
    made = read([*make_events(ID)[:2], httpx.ReadError("reset by peer")])
    assert (len(made.events), made.broke) == (2, "reset by peer")


def test_a_stream_that_never_ends_is_given_up():
    made = read([make_event("response.in_progress", 1, response=make_response(ID))] * 9, patience=1)
    assert (len(made.events), made.broke) == (1, "it had not ended after 1 s")
