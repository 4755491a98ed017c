"""One request to the simulator, in its dialect and its account."""

import json
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from infra.local.simulator.dialects import Dialect
from infra.local.simulator.items import Json
from infra.local.simulator.pages import Page
from infra.local.simulator.refusals import Refusal
from infra.local.simulator.state import Account

JSON = "application/json"
UNPARSABLE = (
    "We could not parse the JSON body of your request. (HINT: This likely means you aren't using"
    " your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was"
    " not valid JSON.)"
)


@dataclass(frozen=True)
class Call:
    request: web.Request
    dialect: Dialect
    account: Account
    started: float = field(default_factory=time.monotonic)

    @property
    def query(self) -> Mapping[str, str]:
        return self.request.query

    def named(self, what: str) -> str:
        """An id out of the path."""
        return self.request.match_info[what]

    async def json(self) -> Json:
        """The body, which must be a JSON object."""
        told = self.request.content_type
        if told != JSON:
            message = (
                f"Unsupported content type: '{told}'. This API method only accepts '{JSON}'"
                " requests. Please try again with a supported content type."
            )
            raise Refusal(400, message, "unsupported_content_type")
        return _object(await self.request.read())

    async def json_if_any(self) -> Json:
        return await self.json() if await self.request.read() else {}

    def headers(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        spent = int((time.monotonic() - self.started) * 1000)
        return {**self.dialect.headers(spent), **(more or {})}

    def reply(self, body: Any, status: int = 200) -> web.Response:
        return self._page(Page(status, encoded(body)))

    def give(self, answer: Page | Refusal) -> web.Response:
        return self._page(answer) if isinstance(answer, Page) else self.refuse(answer)

    def refuse(self, refusal: Refusal) -> web.Response:
        body = encoded(self.dialect.error(refusal))
        return self._page(Page(refusal.status, body, headers=refusal.headers))

    def _page(self, page: Page) -> web.Response:
        headers = self.headers({"content-type": page.type, **page.headers})
        return web.Response(status=page.status, body=page.body, headers=headers)


type Handles = Callable[[Call], Awaitable[web.StreamResponse]]


def encoded(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False, indent=2).encode()


def _object(raw: bytes) -> Json:
    try:
        body = json.loads(raw.decode(), parse_float=_finite, parse_constant=_finite)
        if b"\\u" in raw:
            encoded(body)  # half a character is half a surrogate pair
    except (ValueError, RecursionError) as exc:
        raise Refusal(400, UNPARSABLE) from exc
    if not isinstance(body, dict):
        raise Refusal(400, "Invalid type for request body: expected an object.", "invalid_type")
    return body


def _finite(told: str) -> float:
    number = float(told)
    if not math.isfinite(number):
        raise ValueError(told)
    return number
