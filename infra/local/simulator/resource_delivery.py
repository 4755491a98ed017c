"""Sends what an object is created with or contains, as its scenario says."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from aiohttp import web

from infra.local.simulator.api_request import ApiRequest
from infra.local.simulator.delivery import close_connection
from infra.local.simulator.errors import ApiError
from infra.local.simulator.file import Content
from infra.local.simulator.items import Json
from infra.local.simulator.resource_scenarios import ResourceScenario
from infra.local.simulator.stream import DisconnectKind

PIECE_BYTES = 64 * 1024
RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")  # one range; a request for more gets the whole


async def reply_created(
    request: ApiRequest, scenario: ResourceScenario, create: Callable[[], Json]
) -> web.StreamResponse:
    """Creates an object, and replies to the request that asks for it."""
    if scenario.refusal:
        return request.reply_error(scenario.refusal)
    body = create()
    await asyncio.sleep(scenario.delay)
    if scenario.has_reset:
        await close_connection(request.http_request, DisconnectKind.RESET)
    if scenario.failure:
        return request.reply_error(scenario.failure)
    return request.reply(body)


@dataclass(frozen=True)
class Download:
    """The content of a file, sent whole or in part."""

    id: str
    filename: str
    content: Content
    scenario: ResourceScenario

    async def send(self, request: ApiRequest) -> web.StreamResponse:
        whole = range(self.content.size)
        part = self._requested_range(request)
        if part is None:
            return await self._write(request, 200, whole, {})
        if not part:
            headers = {"content-range": f"bytes */{len(whole)}"}
            raise ApiError(416, "The requested range cannot be satisfied.", headers=headers)
        place = {"content-range": f"bytes {part.start}-{part.stop - 1}/{len(whole)}"}
        return await self._write(request, 206, part, place)

    @property
    def _etag(self) -> str:
        return f'"{self.id}"'

    def _requested_range(self, request: ApiRequest) -> range | None:
        """Returns None for the whole content, and an empty range if there are no such bytes.

        https://www.rfc-editor.org/rfc/rfc9110#section-14.2: an invalid header is ignored.
        """
        headers, size = request.http_request.headers, self.content.size
        match = RANGE.fullmatch(headers.get("range", ""))
        if match is None or headers.get("if-range", self._etag) != self._etag:
            return None
        first, last = match.groups()
        if not first:
            return range(max(size - int(last), 0), size) if last else None
        part = range(int(first), min(int(last) + 1, size) if last else size)
        return None if last and int(last) < int(first) else part

    async def _write(
        self, request: ApiRequest, status: int, part: range, extra: dict[str, str]
    ) -> web.StreamResponse:
        http_response = web.StreamResponse(
            status=status, headers=request.headers({**self._headers(), **extra})
        )
        http_response.content_length = len(part)
        await http_response.prepare(request.http_request)
        end = part.stop - len(part) // 2 if self.scenario.has_cut_download else part.stop
        for start in range(part.start, end, PIECE_BYTES):
            await asyncio.sleep(self.scenario.delay)
            piece = self.content.read(start, min(start + PIECE_BYTES, end))
            await http_response.write(piece)
        if self.scenario.has_cut_download:
            await close_connection(request.http_request, DisconnectKind.RESET)
        return http_response

    def _headers(self) -> dict[str, str]:
        name = quote(self.filename, safe="")
        return {
            "content-type": "application/octet-stream",
            "content-disposition": f"attachment; filename*=UTF-8''{name}",
            "accept-ranges": "bytes",
            "etag": self._etag,
        }
