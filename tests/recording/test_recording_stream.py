"""Whatever is raised while a stream passes, it has one terminal event and its link is followed."""

import httpx
import pytest

from antiphon.errors import LinkNotWritten
from antiphon.http import RequestMetrics
from antiphon.recording.tracker import RecordingStream
from antiphon.sse import EventSplitter
from antiphon.upstream.stream import UpstreamStream
from antiphon.upstream.timers import ReadTimer
from tests.support.events import make_event, make_events, make_response, parse_events

CREATED, DELTA, COMPLETED = make_events("resp_1")
PING = b'data: {"type":"ping"}\n\n'


class Tracker:
    """Raises for the response objects that have this status."""

    def __init__(self, status=None, error=None):
        self.status, self.error = status, error
        self.closed = []

    def observe(self, response):
        if response["status"] == self.status:
            raise self.error

    def close(self, terminal_event):
        self.closed.append(terminal_event)
        return {}


def passing(tracker, *chunks, hold=0):
    def read():
        for chunk in chunks:
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk

    stream = UpstreamStream(read(), ReadTimer(None, float("inf")), lambda: None, EventSplitter())
    stream.open(280, hold)
    recording = RecordingStream(stream, tracker, "openai", RequestMetrics())
    recording.open()
    return b"".join(recording)


@pytest.mark.parametrize(
    "error", [ValueError("m"), TypeError("m"), RecursionError(), LinkNotWritten("m")]
)
@pytest.mark.parametrize(
    "chunks", [[COMPLETED], [DELTA + COMPLETED]], ids=["alone", "with a delta"]
)
def test_a_failure_to_record_ends_with_the_pair_and_no_outcome(error, chunks):
    tracker = Tracker("completed", error)
    got = passing(tracker, CREATED, *chunks)
    assert got.startswith(CREATED)
    pair, failed = parse_events(got.removeprefix(CREATED))
    assert (pair["type"], failed["type"]) == ("error", "response.failed")
    assert pair["error"]["code"] == getattr(error, "code", "gateway_error")
    assert (failed["response"]["id"], failed["response"]["status"]) == ("resp_1", "failed")
    assert tracker.closed == [None]


@pytest.mark.parametrize("error", [ValueError("m"), httpx.DecodingError("m"), MemoryError()])
def test_a_failure_to_read_ends_with_the_pair(error):
    tracker = Tracker()
    got = passing(tracker, CREATED, error)
    types = [event["type"] for event in parse_events(got.removeprefix(CREATED))]
    assert types == ["error", "response.failed"]
    assert tracker.closed == [None]


@pytest.mark.parametrize(
    "last",
    [ValueError("m"), make_event("response.late", 3, response=make_response("resp_1", "odd"))],
    ids=["read", "record"],
)
def test_behind_the_terminal_event_a_failure_adds_nothing(last):
    tracker = Tracker("odd", ValueError("m"))
    assert passing(tracker, CREATED, COMPLETED, last) == CREATED + COMPLETED
    assert tracker.closed == ["response.completed"]


def test_an_end_that_arrived_but_has_not_passed_is_none():
    """Of a stream that is held, all may have arrived before its second event is recorded."""
    odd = make_event("response.queued", 1, response=make_response("resp_1", "odd"))
    end = make_event("response.failed", 2, response=make_response("resp_1", "failed"))
    tracker = Tracker("odd", ValueError("m"))
    got = passing(tracker, CREATED, odd, end, hold=5)
    types = [event["type"] for event in parse_events(got.removeprefix(CREATED))]
    assert types == ["error", "response.failed"]
    assert tracker.closed == [None]


def test_an_id_that_has_no_owner_is_in_no_event():
    got = passing(Tracker("in_progress", LinkNotWritten("m")), PING, CREATED)
    (error,) = parse_events(got.removeprefix(PING))
    assert error["error"]["code"] == "link_not_written"


def test_a_failure_at_the_first_event_is_raised_and_closes_the_record():
    tracker = Tracker("in_progress", ValueError("m"))
    with pytest.raises(ValueError, match="m"):
        passing(tracker, CREATED)
    assert tracker.closed == [None]
