"""Sends a response to the client, completely or until the scenario disconnects."""

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
RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER with 0 seconds: close sends a reset
POLL_SECONDS = 0.001


class CloseDelimitedResponse(web.StreamResponse):
    """A body with neither Content-Length nor chunked encoding: it ends with the connection."""

    _length_check = False

    def __init__(self, *, headers: dict[str, str]) -> None:
        super().__init__(headers=headers)
        self.force_close()


@dataclass(frozen=True)
class Delivery:
    """Sends one response to one request."""

    request: ApiRequest
    response: SimulatedResponse

    async def respond(self) -> web.StreamResponse:
        """Sends the reply to a create request, as a stream or as JSON."""
        if self.response.request.is_stream and self.response.scenario.can_stream:
            return await self._send_stream()
        if not self.response.request.is_background:
            await self.response.wait_until(self.response.event_times[-1])
        return await self._send_json()

    async def resume(self, after: int, *, is_obfuscated: bool) -> web.StreamResponse:
        """Sends the events after a sequence number, without the scenario's changes."""
        chunks = self.response.chunks(encode_event, is_obfuscated=is_obfuscated)
        headers = self.request.headers({"content-type": EVENT_STREAM_TYPE})
        return await self._write(web.StreamResponse(headers=headers), chunks[after + 1 :])

    async def _send_json(self) -> web.StreamResponse:
        body, scenario = encode_json(self.response.current_state()), self.response.scenario
        if scenario.disconnect:
            return await self._disconnect(scenario.disconnect, JSON_TYPE, _split_body(body))
        content = compress_body(body) if scenario.gzip else body
        return web.Response(body=content, headers=self._headers(JSON_TYPE))

    async def _send_stream(self) -> web.StreamResponse:
        scenario = self.response.scenario
        chunks = self.response.chunks(
            scenario.encode, is_obfuscated=self.response.request.has_obfuscation
        )
        if scenario.disconnect:
            return await self._disconnect(scenario.disconnect, EVENT_STREAM_TYPE, chunks)
        if scenario.timing.has_delayed_headers:
            await self.response.wait_until(chunks[0].due)
        edited = scenario.edit_chunks(compress_chunks(chunks) if scenario.gzip else chunks)
        return await self._write(
            web.StreamResponse(headers=self._headers(EVENT_STREAM_TYPE)), edited
        )

    async def _disconnect(
        self, disconnect: Disconnect, content_type: str, chunks: Chunks
    ) -> web.StreamResponse:
        response_type = CloseDelimitedResponse if disconnect.close_delimited else web.StreamResponse
        http_response = response_type(headers=self._headers(content_type))
        if disconnect.point is not DisconnectPoint.BEFORE_HEADERS:
            await self._write(http_response, disconnect.remaining(chunks))
        await close_connection(self.request.http_request, disconnect.kind)
        return http_response

    async def _write(self, http_response: web.StreamResponse, chunks: Chunks) -> web.StreamResponse:
        await http_response.prepare(self.request.http_request)
        for chunk in chunks:
            if not await self.response.wait_until(chunk.due):
                break
            await http_response.write(chunk.data)
        return http_response

    def _headers(self, content_type: str) -> dict[str, str]:
        encoding = {"content-encoding": "gzip"} if self.response.scenario.gzip else {}
        return self.request.headers({"content-type": content_type, **encoding})


def _split_body(body: bytes) -> Chunks:
    """Splits a JSON body into three chunks, which a disconnect treats as created, delta and end."""
    third = len(body) // 3
    return [
        Chunk(0, "", body[:third]),
        Chunk(0, ".delta", body[third : 2 * third]),
        Chunk(0, "", body[2 * third :]),
    ]


async def close_connection(request: web.Request, kind: DisconnectKind) -> None:
    """Closes the connection, or lets the server end the body normally."""
    transport = request.transport
    if kind is DisconnectKind.END or transport is None:
        return
    while transport.get_write_buffer_size():  # noqa: ASYNC110  # a transport has no event for an empty buffer
        await asyncio.sleep(POLL_SECONDS)
    if kind is DisconnectKind.FIN:
        transport.close()
        return
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    transport.abort()
