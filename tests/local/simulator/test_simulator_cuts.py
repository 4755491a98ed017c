"""Answers that break off: where, how, and in which framing."""

import json

import httpx
import pytest

from infra.local.simulator.stream import DisconnectKind, DisconnectPoint, all_disconnects
from tests.local.simulator.told import KEY, ask, read

CUTS = [cut for cut in all_disconnects() if cut.where is not DisconnectPoint.BEFORE_HEADERS]
EARLY = [cut for cut in all_disconnects() if cut.where is DisconnectPoint.BEFORE_HEADERS]


def name(cut):
    return cut.name


@pytest.mark.parametrize("cut", EARLY, ids=name)
@pytest.mark.parametrize("stream", [True, False])
def test_no_header_comes(simulator, cut, stream):
    fault = httpx.ReadError if cut.how is DisconnectKind.RESET else httpx.RemoteProtocolError
    with pytest.raises(fault):
        ask(simulator, f"sim-{cut.name}", stream=stream)


@pytest.mark.parametrize("cut", CUTS, ids=name)
def test_a_stream_breaks_off_where_and_how_it_is_named(simulator, cut):
    told = ask(simulator, f"sim-{cut.name}", stream=True)
    assert told.status == 200
    assert ("transfer-encoding" in told.headers) != cut.close_delimited
    assert (
        type(told.broken)
        is {
            DisconnectKind.RESET: httpx.ReadError,
            DisconnectKind.FIN: httpx.RemoteProtocolError,
            DisconnectKind.END: type(None),
        }[cut.how]
    )
    *events, rest = told.body.decode().split("\n\n")
    types = [event.split("\n")[0].removeprefix("event: ") for event in events]
    {
        DisconnectPoint.AFTER_HEADERS: lambda: not types and not rest,
        DisconnectPoint.AFTER_CREATED: lambda: types == ["response.created"] and not rest,
        DisconnectPoint.MID_DELTA: lambda: rest.startswith(
            "event: response.output_text.delta\ndata: {"
        ),
        DisconnectPoint.BEFORE_COMPLETED: lambda: (
            types[-1] == "response.output_item.done" and not rest
        ),
    }[cut.where]() or pytest.fail(told.body.decode())


@pytest.mark.parametrize("cut", CUTS, ids=name)
def test_an_answer_in_one_piece_breaks_off_too(simulator, cut):
    told = ask(simulator, f"sim-{cut.name}")
    assert (told.broken is None) == (cut.how is DisconnectKind.END)
    assert (told.body == b"") == (cut.where is DisconnectPoint.AFTER_HEADERS)
    with pytest.raises(json.JSONDecodeError):
        json.loads(told.body)


def test_a_response_that_broke_off_is_retrieved_whole(simulator):
    created, *_ = read(ask(simulator, "sim-reset-after-created", stream=True).body)
    path = f"{simulator}/v1/responses/{created['response']['id']}"
    assert httpx.get(path, headers=KEY).json()["status"] == "completed"
