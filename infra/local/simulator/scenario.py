"""What a scenario may change in a response, and the scenarios that take a number.

The number stands at the end of the model name: sim-delay-50ms, sim-long-5000.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from infra.local.simulator.errors import (
    SERVER_ERROR_MESSAGE,
    ApiError,
    RawResponse,
    rate_limit_error,
)
from infra.local.simulator.events import EventTransform, add_image_event, unchanged_events
from infra.local.simulator.items import Json
from infra.local.simulator.output import OutputBuilder, default_output, long_output
from infra.local.simulator.request_body import CreateRequest
from infra.local.simulator.stream import (
    ChunkTransform,
    Disconnect,
    EventEncoder,
    encode_event,
    unchanged_chunks,
)

type ScenarioFactory = Callable[[int], "Scenario"]


@dataclass(frozen=True)
class FinalStatus:
    """The status of a response at its end, with the reason if it did not complete."""

    status: str
    error: Json | None = None
    incomplete_details: Json | None = None

    @property
    def is_completed(self) -> bool:
        return self.status == "completed"


COMPLETED = FinalStatus("completed")
INCOMPLETE = FinalStatus("incomplete", incomplete_details={"reason": "max_output_tokens"})
CONTENT_FILTERED = FinalStatus("incomplete", incomplete_details={"reason": "content_filter"})
FAILED = FinalStatus("failed", {"code": "server_error", "message": SERVER_ERROR_MESSAGE})


@dataclass(frozen=True)
class Timing:
    """When the events of a response are due; all times are in seconds."""

    first_event: float = 0.0  # seconds before the first event
    between_deltas: float = 0.0  # seconds before each delta
    mid_stream: float = 0.0  # more seconds before the delta in the middle
    queued: float = 0.05  # seconds in which a background response is queued
    has_delayed_headers: bool = False  # send the headers with the first event, not before it

    def for_request(self, request: CreateRequest) -> "Timing":
        """Returns these times with the delay in the request's metadata, if there is one."""
        delay = request.metadata_number("sim_delay_ms")
        return self if delay is None else replace(self, between_deltas=delay / 1000)

    def event_times(self, events: Sequence[Json], *, is_background: bool) -> list[float]:
        """Returns when each event is due, in seconds after the request."""
        deltas = [index for index, event in enumerate(events) if event["type"].endswith(".delta")]
        delays = dict.fromkeys(deltas, self.between_deltas)
        if deltas:
            delays[deltas[len(deltas) // 2]] += self.mid_stream
        if is_background:
            delays |= {i: self.queued for i, e in enumerate(events) if _is_in_progress(e)}
        now, event_times = self.first_event, []
        for index in range(len(events)):
            now += delays.get(index, 0)
            event_times.append(now)
        return event_times


IMMEDIATE = Timing()


def _is_in_progress(event: Json) -> bool:
    return bool(event["type"] == "response.in_progress")


@dataclass(frozen=True)
class Scenario:
    """What is special about a response; the defaults are those of a normal response."""

    about: str
    build_output: OutputBuilder = default_output
    final_status: FinalStatus = COMPLETED
    edit_events: EventTransform = unchanged_events
    timing: Timing = IMMEDIATE
    encode: EventEncoder = encode_event
    edit_chunks: ChunkTransform = unchanged_chunks
    disconnect: Disconnect | None = None
    replacement: RawResponse | ApiError | None = None
    gzip: bool = False
    can_stream: bool = True  # if false, a stream request gets a JSON reply
    # Builds the scenario for the number in the model name.
    with_number: ScenarioFactory | None = None


def delay_deltas(ms: int = 100) -> Scenario:
    about = "Waits before each delta: 100 ms, or the number in the name: sim-delay-50ms."
    return Scenario(about, timing=Timing(between_deltas=ms / 1000), with_number=delay_deltas)


def delay_headers(ms: int = 30_000) -> Scenario:
    about = (
        "Sends nothing at all for 30 s, or the number in the name: sim-silent-before-headers-2s."
    )
    timing = Timing(first_event=ms / 1000, has_delayed_headers=True)
    return Scenario(about, timing=timing, with_number=delay_headers)


def delay_first_event(ms: int = 30_000) -> Scenario:
    about = "Sends the headers, and no event for 30 s: sim-silent-before-first-event-2s."
    return Scenario(about, timing=Timing(first_event=ms / 1000), with_number=delay_first_event)


def pause_mid_stream(ms: int = 30_000) -> Scenario:
    about = "Sends nothing for 30 s between two deltas: sim-silent-mid-stream-2s."
    return Scenario(about, timing=Timing(mid_stream=ms / 1000), with_number=pause_mid_stream)


def stay_queued(ms: int = 5_000) -> Scenario:
    about = (
        "Leaves a background response queued for 5 s, or the number in the name: sim-queued-30s."
    )
    return Scenario(about, timing=Timing(queued=ms / 1000), with_number=stay_queued)


def send_many_deltas(count: int = 1_000) -> Scenario:
    about = "Answers in 1,000 deltas, or the number in the name: sim-long-5000."
    return Scenario(about, build_output=long_output(count), with_number=send_many_deltas)


def send_big_event(size: int = 5_000_000) -> Scenario:
    about = "Streams one event of 5 MB, or of the number of bytes in the name: sim-big-20000."
    return Scenario(about, edit_events=add_image_event(size), with_number=send_big_event)


def limit_rate(ms: int = 1_000) -> Scenario:
    about = "429 with x-ratelimit headers and retry-after of 1 s: sim-429-300s."
    return Scenario(about, replacement=rate_limit_error(ms // 1000), with_number=limit_rate)
