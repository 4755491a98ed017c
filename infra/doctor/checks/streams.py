"""Streams: whether they open, flow, keep their order, end, and outlive those who leave."""

from itertools import pairwise

from infra.doctor import advice
from infra.doctor.checks.stored import NO_LINK, tokens, wait_for
from infra.doctor.finding import Finding, fails, ok, skipped
from infra.doctor.recording import EVENTS, Event, Recording
from infra.doctor.session import Session

TERMINAL = {"response.completed", "response.incomplete"}
FAILED = {"error", "response.failed"}
TOO_SOON = 0.4  # seconds within which a whole stream says nothing about buffers
LUMP = 0.1  # of a stream's time, in which all of its events come if something holds them back
HELD_BACK = (
    "Something holds the stream back: the Function URL's InvokeMode must be RESPONSE_STREAM, the "
    "REST integration's ResponseTransferMode STREAM, the function in no VPC; a proxy or a CDN "
    "before it must not buffer text/event-stream."
)
CUT = (
    "The connection was cut. Look for the request in the api function's log: a platform.report "
    "with a status other than success is Lambda's doing; without one it is something between."
)
SILENT_END = (
    "Whoever reads it takes a part for the whole. The gateway never ends a stream so: look at "
    "what stands between, and at the function's log for this request."
)


def opens(session: Session) -> Finding:
    return opened(session.streamed)


def flows(session: Session) -> Finding:
    return flow(session.streamed)


def keeps_order(session: Session) -> Finding:
    return order(session.streamed)


def ends(session: Session) -> Finding:
    return end(session.streamed)


def outlives_a_caller(session: Session) -> Finding:
    made = session.stream(_has_begun, input="Count from 1 to 60, in words.")
    if made.id is None or not made.left:
        return skipped("there was nothing to leave: " + end(made).seen)
    link, waited = wait_for(session, made.id)
    if link is None:
        return fails(f"it has not ended on record within {waited:g} s", NO_LINK)
    seen = f"left after {len(made.events)} events; {waited:g} s later it was {link['status']}"
    if link["status"] in {"completed", "incomplete"}:
        return ok(f"{seen}, with {tokens(link)} tokens on record")
    return fails(seen, "What a caller leaves is to run to its end: " + NO_LINK)


def lasts(session: Session) -> Finding:
    made = session.long_story()
    took, ended = (made.last.at if made.last else 0.0), end(made)
    if ended.verdict == "fails":
        return ended
    if took < session.plan.long:
        wanted = f"Name a slower model with --model, so that it takes {session.plan.long:g} s."
        return skipped(f"it ended after {took:.0f} s already", wanted)
    gap = longest_silence(made.events)
    return ok(f"{took:.0f} s, {made.comments} keep-alive comments, silent for {gap:.1f} s at most")


def opened(made: Recording) -> Finding:
    answer = made.answer
    if not answer.is_ok:
        return fails(answer.said, advice.of(answer))
    if not made.streams:
        kind = answer.headers.get("content-type", "nothing")
        return fails(f"200 {kind}, not {EVENTS}", advice.of(answer) or HELD_BACK)
    if made.id is None:
        return fails(f"{len(made.events)} events, none with a response's id", SILENT_END)
    return ok(f"{EVENTS}; headers after {answer.seconds:.2f} s")


def flow(made: Recording) -> Finding:
    if made.last is None:
        return fails("no event came", SILENT_END)
    first, last = made.events[0].at, made.last.at
    seen = (
        f"{len(made.events)} events in {made.chunks} chunks from {first:.2f} to {last:.2f} s, "
        f"{made.comments} keep-alive comments"
    )
    if "content-length" in made.answer.headers:
        return fails(f"{seen}; its length was known before it began", HELD_BACK)
    if last < TOO_SOON:
        return skipped(f"{seen}: too soon to tell", "Name a slower model with --model.")
    if made.chunks == 1 or last - first < LUMP * last:
        return fails(f"{seen}: all at once", HELD_BACK)
    return ok(seen)


def order(made: Recording) -> Finding:
    given = [event.data.get("sequence_number") for event in made.events]
    numbers = [number for number in given if isinstance(number, int)]
    if not numbers or len(numbers) < len(given):
        return skipped("the events carry no sequence_number", "The provider does not number them.")
    wrong = next(((a, b) for a, b in pairwise(numbers) if b != a + 1), None)
    if wrong:
        return fails("after event {} came {}".format(*wrong), SILENT_END)
    return ok(f"sequence_number {numbers[0]} to {numbers[-1]}")


def end(made: Recording) -> Finding:
    last, count = made.last, len(made.events)
    if made.broke:
        return fails(f"broke off after {count} events: {made.broke}", CUT)
    if last is None or last.type not in TERMINAL | FAILED:
        return fails(
            f"ended after {count} events, by {last.type if last else 'nothing'}", SILENT_END
        )
    if last.type in FAILED:
        error = _error(made)
        return fails(f"{last.type}: {error.get('message')}", advice.of_error(error))
    return ok(last.type)


def longest_silence(events: list[Event]) -> float:
    times = [0.0, *(event.at for event in events)]
    return max(b - a for a, b in pairwise(times))


def _has_begun(made: Recording) -> bool:
    return made.deltas > 0


def _error(made: Recording) -> dict[str, object]:
    """What the last events say is wrong: nested, of a failed response, or flat."""
    for event in reversed(made.events):
        response = event.data.get("response")
        inner = response.get("error") if isinstance(response, dict) else event.data.get("error")
        if isinstance(inner, dict):
            return inner
    return dict(made.last.data) if made.last else {}
