"""Scenarios that delay events; the tests wait for events and never sleep."""

import itertools
import time

import httpx
import pytest

from infra.local.simulator.errors import ApiError
from infra.local.simulator.scenario import Timing
from infra.local.simulator.scenarios import SCENARIOS, find_scenario
from tests.local.simulator.reply import KEY, NO_TLS, check_events, send_create

BODY = {"input": "Hello there, friend", "stream": True}


def waits(simulator, model):
    """Returns the seconds to the headers, then those between chunks."""
    moments = [time.monotonic()]
    with (
        httpx.Client(base_url=simulator, headers=KEY, verify=NO_TLS) as client,
        client.stream("POST", "/v1/responses", json={"model": model, **BODY}) as reply,
    ):
        moments.append(time.monotonic())
        moments += [time.monotonic() for _ in reply.iter_raw()]
    return [later - sooner for sooner, later in itertools.pairwise(moments)]


def test_deltas_are_delayed(simulator):
    assert sum(waits(simulator, "sim-delay-40ms")) > 0.19


@pytest.mark.parametrize(
    ("model", "place"),
    [
        ("sim-silent-before-headers-300ms", lambda waited: waited[:1]),
        ("sim-silent-before-first-event-300ms", lambda waited: waited[1:2]),
        ("sim-silent-mid-stream-300ms", lambda waited: waited[2:]),
    ],
)
def test_the_pause_is_at_the_point_of_its_name(simulator, model, place):
    waited = waits(simulator, model)
    assert max(waited) in place(waited)
    assert max(waited) > 0.2


def test_only_deltas_are_delayed():
    events = [{"type": name} for name in ("a.created", "a.delta", "b.delta", "a.done")]
    timing = Timing(first_event=1, between_deltas=2, mid_stream=3)
    assert timing.event_times(events, is_background=False) == [1, 3, 8, 8]


def test_a_json_reply_takes_as_long_as_a_stream(simulator):
    started = time.monotonic()
    assert send_create(simulator, "sim-delay-20ms").status == 200
    assert time.monotonic() - started > 0.1


@pytest.mark.parametrize("model", ["sim-long", "sim-long-1500"])
def test_the_name_sets_the_number_of_deltas(simulator, model):
    reply = send_create(simulator, model, stream=True)
    check_events(reply.events)
    count = 1_500 if model.endswith("1500") else 1_000
    assert reply.types.count("response.output_text.delta") == count


@pytest.mark.parametrize(
    ("model", "check"),
    [
        ("sim-slow", lambda it: it.timing.between_deltas == 0.5),
        ("sim-delay", lambda it: it.timing.between_deltas == 0.1),
        ("sim-delay-3s", lambda it: it.timing.between_deltas == 3),
        ("sim-queued", lambda it: it.timing.queued == 5),
        ("sim-queued-30s", lambda it: it.timing.queued == 30),
        (
            "sim-silent-before-headers",
            lambda it: it.timing.first_event == 30 and it.timing.has_delayed_headers,
        ),
        ("sim-silent-before-first-event", lambda it: it.timing.first_event == 30),
        ("sim-silent-mid-stream", lambda it: it.timing.mid_stream == 30),
        ("sim-429-300s", lambda it: it.replacement.headers["retry-after"] == "300"),
    ],
)
def test_the_number_in_the_name_sets_the_timing(model, check):
    assert check(find_scenario(model))


@pytest.mark.parametrize("model", ["sim-none", "sim-text-5", "sim-none-5ms", "missing-model"])
def test_unknown_scenarios_are_not_found(model):
    with pytest.raises(ApiError) as error:
        find_scenario(model)
    assert error.value.code == "model_not_found"


def test_any_other_name_is_a_text_model():
    assert find_scenario("gpt-9") is SCENARIOS["sim-text"]
