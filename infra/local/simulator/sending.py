"""Bytes on their way to the client, until the end that the scenario wants."""

import asyncio
import socket
import struct
from dataclasses import dataclass

from aiohttp import web

from infra.local.simulator import frames
from infra.local.simulator.answers import Answer
from infra.local.simulator.call import JSON, Call, encoded
from infra.local.simulator.cuts import Cut, How, Where
from infra.local.simulator.frames import Frame, Frames

EVENTS = "text/event-stream; charset=utf-8"
AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: to close is to reset
SECONDS_TO_LOOK_AGAIN = 0.001


class CloseDelimited(web.StreamResponse):
    """A body with neither a length nor chunks."""

    _length_check = False

    def __init__(self, *, headers: dict[str, str]) -> None:
        super().__init__(headers=headers)
        self.force_close()


@dataclass(frozen=True)
class Sending:
    """One answer to one call."""

    call: Call
    answer: Answer

    async def create(self) -> web.StreamResponse:
        """What a create is answered with."""
        if self.answer.ask.streams and self.answer.scenario.streams:
            return await self._stream()
        if not self.answer.ask.background:
            await self.answer.reached(self.answer.due[-1])
        return await self._json()

    async def resume(self, after: int, *, obfuscate: bool) -> web.StreamResponse:
        """The events after a sequence number, in the plainest shape."""
        told = self.answer.frames(frames.plain, obfuscate=obfuscate)
        headers = self.call.headers({"content-type": EVENTS})
        return await self._written(web.StreamResponse(headers=headers), told[after + 1 :])

    async def _json(self) -> web.StreamResponse:
        body, scenario = encoded(self.answer.now()), self.answer.scenario
        if scenario.cut:
            return await self._cut(scenario.cut, JSON, _thirds(body))
        packed = frames.gzipped_whole(body) if scenario.gzip else body
        return web.Response(body=packed, headers=self._headers(JSON))

    async def _stream(self) -> web.StreamResponse:
        scenario = self.answer.scenario
        told = self.answer.frames(scenario.writes, obfuscate=self.answer.ask.obfuscates)
        if scenario.cut:
            return await self._cut(scenario.cut, EVENTS, told)
        if scenario.pace.late_headers:
            await self.answer.reached(told[0].due)
        shaped = scenario.shapes(frames.gzipped(told) if scenario.gzip else told)
        return await self._written(web.StreamResponse(headers=self._headers(EVENTS)), shaped)

    async def _cut(self, cut: Cut, kind: str, told: Frames) -> web.StreamResponse:
        kinds = CloseDelimited if cut.close_delimited else web.StreamResponse
        response = kinds(headers=self._headers(kind))
        if cut.where is not Where.BEFORE_HEADERS:
            await self._written(response, cut.left(told))
        await sever(self.call.request, cut.how)
        return response

    async def _written(self, response: web.StreamResponse, told: Frames) -> web.StreamResponse:
        await response.prepare(self.call.request)
        for frame in told:
            if not await self.answer.reached(frame.due):
                break
            await response.write(frame.data)
        return response

    def _headers(self, kind: str) -> dict[str, str]:
        packed = {"content-encoding": "gzip"} if self.answer.scenario.gzip else {}
        return self.call.headers({"content-type": kind, **packed})


def _thirds(body: bytes) -> Frames:
    """A JSON body in the parts that a cut knows: a beginning, a delta, an end."""
    third = len(body) // 3
    return [
        Frame(0, "", body[:third]),
        Frame(0, ".delta", body[third : 2 * third]),
        Frame(0, "", body[2 * third :]),
    ]


async def sever(request: web.Request, how: How) -> None:
    """End the connection, or leave a clean end to the server."""
    transport = request.transport
    if how is How.END or transport is None:
        return
    while transport.get_write_buffer_size():  # noqa: ASYNC110  # it tells nobody when it is empty
        await asyncio.sleep(SECONDS_TO_LOOK_AGAIN)
    if how is How.FIN:
        transport.close()
        return
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
    transport.abort()
