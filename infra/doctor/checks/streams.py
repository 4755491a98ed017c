"""Checks of streams: the start, the pace, the order, the end, and a client that disconnects."""

from itertools import pairwise

from infra.doctor.checks.lifecycle import NO_LINK, total_tokens, wait_for_link
from infra.doctor.findings import (
    Finding,
    advise_on_error,
    advise_on_response,
    fails,
    ok,
    skipped,
)
from infra.doctor.responses import EVENT_STREAM, RecordedEvent, StreamRecording
from infra.doctor.session import Session

SUCCEEDED = {"response.completed", "response.incomplete"}
FAILED = {"error", "response.failed"}
MIN_SECONDS = 0.4  # a shorter stream gives no evidence of buffering
MIN_SPREAD = 0.1  # of the stream's time; if all events arrive in less, something buffers them
BUFFERED = (
    "Something buffers the stream: the Function URL's InvokeMode must be RESPONSE_STREAM, the REST "
    "integration's ResponseTransferMode STREAM, and the function in no VPC; a proxy or a CDN in "
    "front of it must not buffer text/event-stream."
)
CUT = (
    "The connection was cut. Find the request in the api function's log: platform.report with a "
    "status other than success means that Lambda cut it; else it is something in between."
)
TRUNCATED = (
    "A client would treat this incomplete response as complete. The gateway never ends a stream "
    "like this: check what is in between, and the function's log for this request."
)


def check_stream(session: Session) -> Finding:
    return assess_start(session.streamed)


def check_flow(session: Session) -> Finding:
    return assess_flow(session.streamed)


def check_order(session: Session) -> Finding:
    return assess_order(session.streamed)


def check_end(session: Session) -> Finding:
    return assess_end(session.streamed)


def check_disconnect(session: Session) -> Finding:
    recording = session.stream(_has_delta, input="Count from 1 to 60, in words.")
    if recording.id is None or not recording.is_abandoned:
        return skipped("no stream to disconnect from: " + assess_end(recording).seen)
    link, waited = wait_for_link(session, recording.id)
    if link is None:
        return fails(f"its link has no final status after {waited:g} s", NO_LINK)
    events, status = len(recording.events), link["status"]
    seen = f"disconnected after {events} events; {waited:g} s later it was {status}"
    if status in {"completed", "incomplete"}:
        return ok(f"{seen}, with {total_tokens(link)} tokens in its usage")
    return fails(seen, f"A response should run to its end without its client. {NO_LINK}")


def check_long(session: Session) -> Finding:
    recording = session.stream_long()
    seconds = recording.last.at if recording.last else 0.0
    end = assess_end(recording)
    if end.verdict == "fails":
        return end
    if seconds < session.plan.long:
        advice = f"Name a slower model with --model, so that it takes {session.plan.long:g} s."
        return skipped(f"it ended after only {seconds:.0f} s", advice)
    gap = longest_gap(recording.events)
    comments = recording.comments
    return ok(f"{seconds:.0f} s, {comments} keep-alive comments, longest gap {gap:.1f} s")


def assess_start(recording: StreamRecording) -> Finding:
    response = recording.response
    if not response.is_ok:
        return fails(response.summary, advise_on_response(response))
    if not recording.is_stream:
        content_type = response.headers.get("content-type", "nothing")
        advice = advise_on_response(response) or BUFFERED
        return fails(f"200 {content_type}, not {EVENT_STREAM}", advice)
    if recording.id is None:
        return fails(f"{len(recording.events)} events, none with a response's id", TRUNCATED)
    return ok(f"{EVENT_STREAM}; headers after {response.seconds:.2f} s")


def assess_flow(recording: StreamRecording) -> Finding:
    """Decide by the arrival times whether something buffers the stream."""
    if recording.last is None:
        return fails("no event came", TRUNCATED)
    first, last = recording.events[0].at, recording.last.at
    seen = (
        f"{len(recording.events)} events in {recording.chunks} chunks from {first:.2f} to "
        f"{last:.2f} s, {recording.comments} keep-alive comments"
    )
    if "content-length" in recording.response.headers:
        return fails(f"{seen}; its length was known before it began", BUFFERED)
    if last < MIN_SECONDS:
        return skipped(f"{seen}: too short to judge", "Name a slower model with --model.")
    if recording.chunks == 1 or last - first < MIN_SPREAD * last:
        return fails(f"{seen}: all at once", BUFFERED)
    return ok(seen)


def assess_order(recording: StreamRecording) -> Finding:
    values = [event.data.get("sequence_number") for event in recording.events]
    numbers = [number for number in values if isinstance(number, int)]
    if not numbers or len(numbers) < len(values):
        return skipped("the events have no sequence_number", "The provider does not number them.")
    wrong = next(((a, b) for a, b in pairwise(numbers) if b != a + 1), None)
    if wrong:
        return fails("after event {} came {}".format(*wrong), TRUNCATED)
    return ok(f"sequence_number {numbers[0]} to {numbers[-1]}")


def assess_end(recording: StreamRecording) -> Finding:
    last, count = recording.last, len(recording.events)
    if recording.failure:
        return fails(f"broke off after {count} events: {recording.failure}", CUT)
    if last is None or last.type not in SUCCEEDED | FAILED:
        final = last.type if last else "nothing"
        return fails(f"ended after {count} events, by {final}", TRUNCATED)
    if last.type in FAILED:
        error = _find_error(recording)
        return fails(f"{last.type}: {error.get('message')}", advise_on_error(error))
    return ok(last.type)


def longest_gap(events: list[RecordedEvent]) -> float:
    """Return the longest time without an event, in seconds, from the request on."""
    times = [0.0, *(event.at for event in events)]
    return max(b - a for a, b in pairwise(times))


def _has_delta(recording: StreamRecording) -> bool:
    return recording.deltas > 0


def _find_error(recording: StreamRecording) -> dict[str, object]:
    """Return the error of the last events: nested in a failed response, or flat."""
    for event in reversed(recording.events):
        response = event.data.get("response")
        error = response.get("error") if isinstance(response, dict) else event.data.get("error")
        if isinstance(error, dict):
            return error
    return dict(recording.last.data) if recording.last else {}
