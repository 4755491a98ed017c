"""Responses that end early: where, how, and with or without a length."""

import json

import httpx
import pytest

from infra.local.simulator.stream import DisconnectKind, DisconnectPoint, all_disconnects
from tests.local.simulator.reply import KEY, read, send_create

DISCONNECTS = [
    disconnect
    for disconnect in all_disconnects()
    if disconnect.point is not DisconnectPoint.BEFORE_HEADERS
]
EARLY = [
    disconnect
    for disconnect in all_disconnects()
    if disconnect.point is DisconnectPoint.BEFORE_HEADERS
]


def name(disconnect):
    return disconnect.name


@pytest.mark.parametrize("disconnect", EARLY, ids=name)
@pytest.mark.parametrize("stream", [True, False])
def test_a_disconnect_before_the_headers(simulator, disconnect, stream):
    fault = (
        httpx.ReadError if disconnect.kind is DisconnectKind.RESET else httpx.RemoteProtocolError
    )
    with pytest.raises(fault):
        send_create(simulator, f"sim-{disconnect.name}", stream=stream)


@pytest.mark.parametrize("disconnect", DISCONNECTS, ids=name)
def test_a_stream_ends_at_the_point_and_in_the_way_of_its_name(simulator, disconnect):
    reply = send_create(simulator, f"sim-{disconnect.name}", stream=True)
    assert reply.status == 200
    assert ("transfer-encoding" in reply.headers) != disconnect.close_delimited
    assert (
        type(reply.transport_error)
        is {
            DisconnectKind.RESET: httpx.ReadError,
            DisconnectKind.FIN: httpx.RemoteProtocolError,
            DisconnectKind.END: type(None),
        }[disconnect.kind]
    )
    *events, rest = reply.body.decode().split("\n\n")
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
    }[disconnect.point]() or pytest.fail(reply.body.decode())


@pytest.mark.parametrize("disconnect", DISCONNECTS, ids=name)
def test_a_json_reply_ends_early_too(simulator, disconnect):
    reply = send_create(simulator, f"sim-{disconnect.name}")
    assert (reply.transport_error is None) == (disconnect.kind is DisconnectKind.END)
    assert (reply.body == b"") == (disconnect.point is DisconnectPoint.AFTER_HEADERS)
    with pytest.raises(json.JSONDecodeError):
        json.loads(reply.body)


def test_a_response_that_ended_early_can_be_retrieved_completely(simulator):
    created, *_ = read(send_create(simulator, "sim-reset-after-created", stream=True).body)
    path = f"{simulator}/v1/responses/{created['response']['id']}"
    assert httpx.get(path, headers=KEY).json()["status"] == "completed"
