"""Bytes on their way to the client, until the end that the scenario wants."""

import asyncio
import socket
import struct
from dataclasses import dataclass

from aiohttp import web

from infra.local.simulator.api_request import JSON_TYPE, ApiRequest, encode_json
from infra.local.simulator.responses import SimulatedResponse
from infra.local.simulator.stream import (
    Chunk,
    Chunks,
    Disconnect,
    DisconnectKind,
    DisconnectPoint,
    compress_body,
    compress_chunks,
    encode_event,
)

EVENT_STREAM_TYPE = "text/event-stream; charset=utf-8"
RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER: to close is to reset
POLL_SECONDS = 0.001


class CloseDelimitedResponse(web.StreamResponse):
    """A body with neither a length nor chunks."""

    _length_check = False

    def __init__(self, *, headers: dict[str, str]) -> None:
        super().__init__(headers=headers)
        self.force_close()


@dataclass(frozen=True)
class Delivery:
    """One answer to one call."""

    call: ApiRequest
    answer: SimulatedResponse

    async def create(self) -> web.StreamResponse:
        """What a create is answered with."""
        if self.answer.ask.streams and self.answer.scenario.streams:
            return await self._stream()
        if not self.answer.ask.background:
            await self.answer.reached(self.answer.due[-1])
        return await self._json()

    async def resume(self, after: int, *, obfuscate: bool) -> web.StreamResponse:
        """The events after a sequence number, in the plainest shape."""
        told = self.answer.frames(encode_event, obfuscate=obfuscate)
        headers = self.call.headers({"content-type": EVENT_STREAM_TYPE})
        return await self._written(web.StreamResponse(headers=headers), told[after + 1 :])

    async def _json(self) -> web.StreamResponse:
        body, scenario = encode_json(self.answer.now()), self.answer.scenario
        if scenario.cut:
            return await self._cut(scenario.cut, JSON_TYPE, _split_body(body))
        packed = compress_body(body) if scenario.gzip else body
        return web.Response(body=packed, headers=self._headers(JSON_TYPE))

    async def _stream(self) -> web.StreamResponse:
        scenario = self.answer.scenario
        told = self.answer.frames(scenario.writes, obfuscate=self.answer.ask.obfuscates)
        if scenario.cut:
            return await self._cut(scenario.cut, EVENT_STREAM_TYPE, told)
        if scenario.pace.late_headers:
            await self.answer.reached(told[0].due)
        shaped = scenario.shapes(compress_chunks(told) if scenario.gzip else told)
        return await self._written(
            web.StreamResponse(headers=self._headers(EVENT_STREAM_TYPE)), shaped
        )

    async def _cut(self, cut: Disconnect, kind: str, told: Chunks) -> web.StreamResponse:
        kinds = CloseDelimitedResponse if cut.close_delimited else web.StreamResponse
        response = kinds(headers=self._headers(kind))
        if cut.where is not DisconnectPoint.BEFORE_HEADERS:
            await self._written(response, cut.left(told))
        await close_connection(self.call.request, cut.how)
        return response

    async def _written(self, response: web.StreamResponse, told: Chunks) -> web.StreamResponse:
        await response.prepare(self.call.request)
        for frame in told:
            if not await self.answer.reached(frame.due):
                break
            await response.write(frame.data)
        return response

    def _headers(self, kind: str) -> dict[str, str]:
        packed = {"content-encoding": "gzip"} if self.answer.scenario.gzip else {}
        return self.call.headers({"content-type": kind, **packed})


def _split_body(body: bytes) -> Chunks:
    """A JSON body in the parts that a cut knows: a beginning, a delta, an end."""
    third = len(body) // 3
    return [
        Chunk(0, "", body[:third]),
        Chunk(0, ".delta", body[third : 2 * third]),
        Chunk(0, "", body[2 * third :]),
    ]


async def close_connection(request: web.Request, how: DisconnectKind) -> None:
    """End the connection, or leave a clean end to the server."""
    transport = request.transport
    if how is DisconnectKind.END or transport is None:
        return
    while transport.get_write_buffer_size():  # noqa: ASYNC110  # it tells nobody when it is empty
        await asyncio.sleep(POLL_SECONDS)
    if how is DisconnectKind.FIN:
        transport.close()
        return
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    transport.abort()
