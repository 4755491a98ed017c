"""What the doctor concludes from the arrival times and the contents of events."""

from itertools import pairwise

import httpx
import pytest

from infra.doctor.checks import streams
from infra.doctor.responses import ApiResponse, RecordedEvent, StreamRecording, record_stream
from tests.support.events import make_event, make_events, make_response, new_id

KIND = {"content-type": "text/event-stream; charset=utf-8"}
CREATED, DELTA, COMPLETED = (
    "response.created",
    "response.output_text.delta",
    "response.completed",
)


def build_recording(*times, last=COMPLETED, chunks=9, headers=KIND, **more):
    """Build a recording with events at these times: created, deltas, and the last one."""
    types = [CREATED, *[DELTA] * (len(times) - 2), last]
    events = [
        RecordedEvent(at, type, {"sequence_number": number})
        for number, (at, type) in enumerate(zip(times, types, strict=True))
    ]
    response = ApiResponse(200, httpx.Headers(headers), b"", 0.1)
    return StreamRecording(response, events, chunks=chunks, **more)


@pytest.mark.parametrize(
    ("made", "verdict", "word"),
    [
        (build_recording(0.3, 0.8, 1.2, 2.0), "ok", "4 events in 9 chunks from 0.30 to 2.00 s"),
        (build_recording(0.3, 0.8, 1.2, 2.0, comments=3), "ok", "3 keep-alive comments"),
        (build_recording(1.98, 1.99, 2.0), "fails", "all at once"),
        (build_recording(0.3, 1.0, 2.0, chunks=1), "fails", "all at once"),
        (build_recording(0.01, 0.02, 0.3), "skipped", "too short to judge"),
        (
            build_recording(0.3, 1, 2, headers={**KIND, "content-length": "9"}),
            "fails",
            "known before",
        ),
        (StreamRecording(ApiResponse(200, httpx.Headers(KIND), b"", 0.1)), "fails", "no event"),
    ],
)
def test_buffered_events_are_detected(made, verdict, word):
    found = streams.assess_flow(made)
    assert (found.verdict, word in found.seen) == (verdict, True), found


def numbered(*numbers):
    events = [RecordedEvent(1, DELTA, {} if n is None else {"sequence_number": n}) for n in numbers]
    return StreamRecording(ApiResponse(200, httpx.Headers(KIND), b"", 0.1), events)


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
def test_sequence_numbers_must_be_consecutive(numbers, verdict, word):
    found = streams.assess_order(numbered(*numbers))
    assert (found.verdict, word in found.seen) == (verdict, True), found


def failed(**error):
    made = build_recording(0.1, 0.2, last="response.failed")
    data = {"response": {"id": "resp_1", "error": error}}
    made.events[-1] = RecordedEvent(0.2, "response.failed", data)
    return made


@pytest.mark.parametrize(
    ("made", "verdict", "word"),
    [
        (build_recording(0.1, 0.2), "ok", COMPLETED),
        (build_recording(0.1, 0.2, last="response.incomplete"), "ok", "incomplete"),
        (build_recording(0.1, 0.2, last=DELTA), "fails", f"ended after 2 events, by {DELTA}"),
        (
            build_recording(0.1, 0.2, failure="peer closed"),
            "fails",
            "broke off after 2 events: peer",
        ),
        (failed(code="upstream_timeout", message="Too slow."), "fails", "Too slow."),
        (StreamRecording(ApiResponse(200, httpx.Headers(KIND), b"", 0.1)), "fails", "by nothing"),
    ],
)
def test_stream_must_end_with_a_terminal_event(made, verdict, word):
    found = streams.assess_end(made)
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
def test_response_that_is_not_a_stream_is_described(status, headers, body, word):
    found = streams.assess_start(
        StreamRecording(ApiResponse(status, httpx.Headers(headers), body, 0.1))
    )
    assert found.verdict == "fails"
    assert word in found.seen
    assert found.advice


def test_longest_gap_includes_the_time_to_the_first_event():
    events = build_recording(0.5, 0.75, 1.0, 4.0).events
    assert streams.longest_gap(events) == 3.0
    assert streams.longest_gap(events[:2]) == 0.5


def read(pieces, *, is_enough=lambda _: False, timeout=float("inf")):
    response = httpx.Response(200, headers=KIND, stream=Chunks(pieces))
    return record_stream(response, 0, is_enough, timeout)


class Chunks(httpx.SyncByteStream):
    def __init__(self, pieces):
        self._pieces = pieces

    def __iter__(self):
        for piece in self._pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece


ID = new_id()
STREAM = b"".join([b": ping\n\n", *make_events(ID), b"data: [DONE]\n\n"])


@pytest.mark.parametrize("line", [b"\n", b"\r\n", b"\r"])
def test_events_are_read_from_chunks_of_any_size(line):
    stream = STREAM.replace(b"\n", line)
    for size in range(1, 40):
        made = read([stream[at : at + size] for at in range(0, len(stream), size)])
        assert [event.type for event in made.events] == [CREATED, DELTA, COMPLETED], size
        assert (made.id, made.deltas, made.comments, made.failure) == (ID, 1, 1, None), size
        assert made.chunks == -(-len(stream) // size)


def test_reading_stops_when_the_condition_is_true():
    made = read(make_events(ID), is_enough=lambda made: made.deltas > 0)
    assert (len(made.events), made.is_abandoned, made.failure) == (2, True, None)


def test_broken_connection_is_recorded_with_its_reason():
    made = read([*make_events(ID)[:2], httpx.ReadError("reset by peer")])
    assert (len(made.events), made.failure) == (2, "reset by peer")


def test_reading_stops_after_the_timeout():
    made = read([make_event("response.in_progress", 1, response=make_response(ID))] * 9, timeout=1)
    assert (len(made.events), made.failure) == (1, "it had not ended after 1 s")


def test_reading_stops_after_the_timeout_without_any_event():
    made = read([b": ping\n\n"] * 9, timeout=1)
    assert (made.comments, made.failure) == (1, "it had not ended after 1 s")


def test_events_get_the_time_at_which_their_chunk_arrived(monkeypatch):
    times = iter(range(1, 100))
    monkeypatch.setattr("time.perf_counter", lambda: next(times))
    made = read(make_events(ID))
    at = [event.at for event in made.events]
    assert at == sorted(set(at))
    assert all(b - a > 1 for a, b in pairwise(at))  # the clock is read for each chunk
