"""A stream that breaks is raised by openai-python in each of its ways to read one."""

import asyncio

import openai
import pytest

from infra.local.simulator.stream import DisconnectPoint, all_disconnects
from tests.clients.sdk import opened
from tests.clients.text_events import make_text_events
from tests.support.events import make_event, make_response, new_id
from tests.support.gateway import KEYS
from tests.support.provider import CLOSE, LAST_CHUNK, RESET, Gate, encode_chunk, encode_stream_head

ASK = {"model": "gpt-5", "input": "x"}
HELD = 20  # bytes of an event that is never whole
EVENTS = 4  # that come before the cut
CUTS = {  # framing, and what ends the body
    "clean end": (True, (LAST_CHUNK, CLOSE)),
    "chunks closed": (True, (CLOSE,)),
    "chunks reset": (True, (RESET,)),
    "half an event": (True, (encode_chunk(b'event: response.x\ndata: {"ty'), RESET)),
    "half an event, clean end": (
        True,
        (encode_chunk(b'event: response.x\ndata: {"ty'), LAST_CHUNK, CLOSE),
    ),
    "half a chunk": (True, (b"400\r\nevent: response.x\n", CLOSE)),
    "no chunk": (True, (b"nonsense\r\n", CLOSE)),
    "until closed": (False, (CLOSE,)),
    "until reset": (False, (RESET,)),
}
CUT_IN_THE_STREAM = [
    f"sim-{cut.name}"
    for cut in all_disconnects()
    if cut.point not in {DisconnectPoint.BEFORE_HEADERS, DisconnectPoint.AFTER_HEADERS}
]
WAYS = ["streamed", "helped"]  # raw iteration, and the helper


@pytest.fixture(params=WAYS)
def events(request, sdk):
    """One of the ways to read a stream."""
    return getattr(sdk, request.param)


async def until_raised(events, **ask):
    """The types of the events that came, and what was raised behind them."""
    seen = []

    async def read():
        async for got in events(**ask):
            seen.append(got.type)  # noqa: PERF401  what came before the error counts

    with pytest.raises(openai.APIError) as caught:
        await read()
    return seen, caught.value


@pytest.mark.parametrize(
    ("name", "place"), [*((name, EVENTS) for name in CUTS), ("clean end", 1), ("clean end", -1)]
)
async def test_a_cut_is_raised_behind_the_events_that_came(events, provider, name, place):
    chunked, ending = CUTS[name]
    passed = make_text_events(new_id())[:place]
    script = map(encode_chunk, passed) if chunked else passed
    provider.respond_with(encode_stream_head(chunked=chunked), *script, *ending)
    seen, error = await until_raised(events, **ASK)
    assert seen == [type_of(one) for one in passed]
    assert not isinstance(error, openai.APIConnectionError)
    assert (error.code, error.type) == ("upstream_failed", "server_error")
    assert error.message
    assert len(provider.received) == 1


def type_of(one):
    return one.split(b"\n")[0].removeprefix(b"event: ").decode()


@pytest.mark.parametrize("model", CUT_IN_THE_STREAM)
async def test_so_is_every_cut_that_the_simulator_knows(events, model):
    seen, error = await until_raised(events, model=model, input="Hello")
    assert seen[0] == "response.created"
    assert "response.completed" not in seen
    assert error.code == "upstream_failed"


async def test_a_done_before_the_end_hides_no_error(events, provider):
    passed = make_text_events(new_id())[:EVENTS]
    provider.respond_with(
        encode_stream_head(),
        *map(encode_chunk, passed),
        encode_chunk(b"data: [DONE]\n\n"),
        LAST_CHUNK,
    )
    seen, error = await until_raised(events, **ASK)
    assert (seen, error.code) == ([type_of(one) for one in passed], "upstream_failed")


async def test_gateway_time_that_runs_out_is_raised(hasty, provider):
    """Both ways at once, for it takes its time."""
    for _ in WAYS:
        provider.respond_with(
            encode_stream_head(), encode_chunk(make_text_events(new_id())[0]), Gate()
        )
    async with opened("async", base_url=hasty.url, api_key=KEYS["acme"]) as sdk:
        both = [until_raised(getattr(sdk, way), **ASK) for way in WAYS]
        for seen, error in await asyncio.gather(*both):
            assert (seen, error.code) == (["response.created"], "gateway_deadline")


async def test_a_providers_own_error_is_raised_as_it_is(events, provider):
    error = {"type": "tokens", "code": "rate_limit_exceeded", "message": "m", "param": "p"}
    failed = make_event("response.failed", 2, response=make_response("r", "failed"))
    sent = [make_text_events(new_id())[0], make_event("error", 1, error=error), failed]
    provider.respond_with(encode_stream_head(), *map(encode_chunk, sent), LAST_CHUNK)
    seen, raised = await until_raised(events, **ASK)
    assert (seen, raised.body) == (["response.created"], error)


async def test_a_providers_own_failure_is_an_event(sdk, provider):
    """Raw iteration raises nothing here, with or without a gateway: it is for the caller to see."""
    flat = make_event("error", 1, code="server_error", message="m", param=None)
    failed = make_event("response.failed", 2, response=make_response("r", "failed"))
    provider.respond_with(
        encode_stream_head(),
        *map(encode_chunk, [make_text_events(new_id())[0], flat, failed]),
        LAST_CHUNK,
    )
    got = [event.type async for event in sdk.streamed(**ASK)]
    assert got == ["response.created", "error", "response.failed"]
