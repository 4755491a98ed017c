"""Scenarios that a number at the end of the model's name tunes: sim-delay-50ms, sim-long-5000."""

from infra.local.simulator import pages, speech, tales
from infra.local.simulator.pace import Pace
from infra.local.simulator.scenario import Scenario


def delay(ms: int = 100) -> Scenario:
    about = "Waits before each delta: 100 ms, or as named: sim-delay-50ms."
    return Scenario(about, pace=Pace(between=ms / 1000), tunes=delay)


def silent_before_headers(ms: int = 30_000) -> Scenario:
    about = "Sends nothing at all for 30 s, or as named: sim-silent-before-headers-2s."
    pace = Pace(before=ms / 1000, late_headers=True)
    return Scenario(about, pace=pace, tunes=silent_before_headers)


def silent_before_first_event(ms: int = 30_000) -> Scenario:
    about = "Sends the headers, and no event for 30 s: sim-silent-before-first-event-2s."
    return Scenario(about, pace=Pace(before=ms / 1000), tunes=silent_before_first_event)


def silent_mid_stream(ms: int = 30_000) -> Scenario:
    about = "Falls silent for 30 s between two deltas, or as named: sim-silent-mid-stream-2s."
    return Scenario(about, pace=Pace(hush=ms / 1000), tunes=silent_mid_stream)


def queued(ms: int = 5_000) -> Scenario:
    about = "Leaves a background response queued for 5 s, or as named: sim-queued-30s."
    return Scenario(about, pace=Pace(queued=ms / 1000), tunes=queued)


def long(count: int = 1_000) -> Scenario:
    about = "Answers in 1,000 deltas, or as many as named: sim-long-5000."
    return Scenario(about, says=speech.long(count), tunes=long)


def big(size: int = 5_000_000) -> Scenario:
    about = "Streams one event of 5 MB, or of as many bytes as named: sim-big-20000."
    return Scenario(about, tells=tales.with_picture(size), tunes=big)


def rate_limited(ms: int = 1_000) -> Scenario:
    about = "429 with retry-after of 1 s and the x-ratelimit headers, or as named: sim-429-300s."
    return Scenario(about, instead=pages.rate_limited(ms // 1000), tunes=rate_limited)
