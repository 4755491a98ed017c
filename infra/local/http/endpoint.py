"""An HTTP endpoint of a function: a request invokes it, and each chunk is relayed at once."""

import json
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from aiohttp import web

from infra.local.http.events import build_rest_event, build_url_event
from infra.local.http.request import HttpRequest, TooLarge, read_request
from infra.local.http.request_end import RequestEnd, error_message
from infra.local.http.response import read_prelude
from infra.local.runtime_api.invocation import Failed, Invocation
from infra.rest_errors import FAILURE, RestError

MAX_EVENT_BYTES = 6 * 1024 * 1024  # of a request; Lambda's response may have 100 bytes more
MAX_REST_BODY_BYTES = 10 * 1024 * 1024  # API Gateway's quota
MAX_HEADER_BYTES = 64 * 1024
BACKLOG = 1024
SHUTDOWN_SECONDS = 2.0  # for responses that are being streamed
WITHOUT_BODY = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}  # RFC 9110, 6.4.1

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EndpointType:
    """What differs between the endpoints: the event, and responses without the function's."""

    port_option: str  # with which another port is chosen
    max_body_bytes: int
    build_event: Callable[[HttpRequest], dict[str, Any]]
    build_failure: Callable[[], web.Response]
    build_body_refusal: Callable[[], web.Response]  # of a body that is too large
    build_event_refusal: Callable[[], web.Response]  # of an event that is too large for Lambda


def _build_message(status: HTTPStatus, text: str) -> web.Response:
    return web.Response(
        status=status, text=f'{{"message":"{text}"}}', content_type="application/json"
    )


def _build_size_refusal(text: str) -> Callable[[], web.Response]:
    return lambda: _build_message(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text)


def _build_rest_error(error: RestError) -> web.Response:
    return web.Response(
        status=int(error.status or HTTPStatus.INTERNAL_SERVER_ERROR),
        headers=error.headers,
        text=error.body(),
        content_type="application/json",
    )


FUNCTION_URL = EndpointType(
    port_option="--port",
    max_body_bytes=MAX_EVENT_BYTES,
    build_event=build_url_event,
    build_failure=lambda: web.Response(status=HTTPStatus.BAD_GATEWAY, text="Internal Server Error"),
    build_body_refusal=_build_size_refusal("Request Entity Too Large"),
    build_event_refusal=_build_size_refusal("Request Entity Too Large"),
)
REST_API = EndpointType(
    port_option="--rest-port",
    max_body_bytes=MAX_REST_BODY_BYTES,
    build_event=build_rest_event,
    build_failure=lambda: _build_rest_error(FAILURE),
    # API Gateway does not let these two be changed to OpenAI's envelope. Seen by a user:
    # https://github.com/koki-develop/lgtm-generator/issues/10
    build_body_refusal=lambda: web.Response(
        status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        text=f"HTTP content length exceeded {MAX_REST_BODY_BYTES} bytes.",
    ),
    build_event_refusal=_build_size_refusal("Request Too Long"),
)


@dataclass(frozen=True)
class Endpoint:
    """Handles requests: `type` builds their events, `invoke` runs the function."""

    type: EndpointType
    invoke: Callable[[bytes], Awaitable[Invocation]]
    on_end: Callable[[RequestEnd], None] = lambda _: None  # gets the end of each reply

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            received = await read_request(request, self.type.max_body_bytes)
            event = _encode_event(self.type.build_event(received))
            if len(event) > MAX_EVENT_BYTES:
                return self._refuse(request, self.type.build_event_refusal())
            invocation = await self.invoke(event)
            return await self._answer(request, received.id, invocation)
        except ConnectionError:  # the client left before the end of its request
            return _build_message(HTTPStatus.BAD_REQUEST, "Bad Request")
        except TooLarge:
            return self._refuse(request, self.type.build_body_refusal())
        except Failed as exc:
            return self._fail(request, None, exc)

    async def _answer(
        self, request: web.BaseRequest, id: str, invocation: Invocation
    ) -> web.StreamResponse:
        try:
            response, end = await _relay_response(request, id, invocation)
        except Failed as exc:
            return self._fail(request, invocation.id, exc)
        self.on_end(end)
        return response

    def _fail(self, request: web.BaseRequest, id: str | None, exc: Failed) -> web.Response:
        log.warning("antiphon local: %s %s: %s", request.method, request.path, exc)
        response = self.type.build_failure()
        self.on_end(_end(request, id, status=response.status, failure=str(exc)))
        return response

    def _refuse(self, request: web.BaseRequest, response: web.Response) -> web.Response:
        message = error_message((response.text or "").encode()) or response.text
        self.on_end(_end(request, None, status=response.status, message=message))
        return response


def _end(request: web.BaseRequest, id: str | None, **more: Any) -> RequestEnd:
    return RequestEnd(request_id=id, method=request.method, path=request.path, **more)


def _encode_event(event: dict[str, Any]) -> bytes:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


async def _relay_response(
    request: web.BaseRequest, id: str, invocation: Invocation
) -> tuple[web.StreamResponse, RequestEnd]:
    """Raise Failed only before the status is sent."""
    try:
        prelude, first = await read_prelude(invocation.chunks)
        response = web.StreamResponse(status=prelude.status, headers=prelude.headers)
        response.headers["x-amzn-requestid"] = id
        how = await _relay_body(request, response, first, invocation)
        if prelude.status >= HTTPStatus.BAD_REQUEST:
            how = {"message": error_message(first), **how}
        return response, _end(request, invocation.id, status=prelude.status, **how)
    finally:
        invocation.abandon()  # the function continues when the client has gone


async def _relay_body(
    request: web.BaseRequest, response: web.StreamResponse, first: bytes, invocation: Invocation
) -> dict[str, Any]:
    """Return what is special about the end of the reply, as fields of RequestEnd."""
    try:
        await response.prepare(request)
        # A body where HTTP has none would be read as the beginning of the next response.
        if request.method != "HEAD" and response.status not in WITHOUT_BODY:
            await _write_body(request, response, first, invocation)
    except ConnectionError:
        log.debug("The client closed its connection.")
        return {"caller_gone": True}
    except Failed as exc:
        log.warning("antiphon local: %s %s failed: %s", request.method, request.path, exc)
        if request.transport is not None:
            request.transport.abort()  # after the status only a missing end can signal a failure
        return {"failure": str(exc)}
    return {}


async def _write_body(
    request: web.BaseRequest, response: web.StreamResponse, first: bytes, invocation: Invocation
) -> None:
    if first:
        await response.write(first)
    invocation.write_directly = _direct_writer(request, response)
    async for chunk in invocation.chunks:
        await response.write(chunk)


def _direct_writer(
    request: web.BaseRequest, response: web.StreamResponse
) -> Callable[[bytes], bool]:
    """Build a function that writes a chunk without a task switch, which saves a fifth of the work.

    It returns False, without writing, where the client is slow or the response is not chunked.
    """
    transport = request.transport
    if transport is None or response.headers.get("Transfer-Encoding") != "chunked":
        return lambda _: False

    def write(chunk: bytes) -> bool:
        if transport.is_closing() or transport.get_write_buffer_size():
            return False
        transport.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        return True

    return write


class PortInUse(Exception):
    """A port cannot be listened on."""

    def __init__(self, port: int, cause: OSError, type: EndpointType) -> None:
        option = type.port_option
        super().__init__(
            f"Cannot listen on 127.0.0.1:{port}: {cause.strerror}. Choose another port with "
            f"`{option} PORT`, or `{option} 0` for any free one."
        )


def reserve_port(port: int, type: EndpointType) -> socket.socket:
    """Bind a port of 127.0.0.1 (0: any free one) without listening, to detect conflicts early."""
    reserved = socket.socket()
    try:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.bind(("127.0.0.1", port))
    except OSError as exc:
        reserved.close()
        raise PortInUse(port, exc, type) from exc
    return reserved


def base_url(reserved: socket.socket) -> str:
    """The base URL for clients."""
    return f"http://127.0.0.1:{_port_number(reserved)}/v1"


class _Connection(web.RequestHandler):
    """Refuses what is no HTTP like AWS, and prints nothing of it: its lines may have a key."""

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002  repeats the line
    ) -> web.StreamResponse:
        if request.writer.output_size > 0:
            raise ConnectionError("The response has begun, so there is no other one.")
        log.warning("antiphon local: a request got status %d: %s", status, type(exc).__name__)
        response = _build_message(HTTPStatus(status), HTTPStatus(status).phrase)
        response.force_close()
        return response


class _Server(web.Server):
    def __call__(self) -> _Connection:
        return _Connection(self, loop=self._loop, **self._kwargs)


@asynccontextmanager
async def listen(endpoint: Endpoint, reserved: socket.socket) -> AsyncIterator[None]:
    """Serve the endpoint on the reserved port until the block ends; raise PortInUse."""
    server = _Server(
        endpoint.handle,
        access_log=None,
        auto_decompress=False,  # the function receives the client's bytes
        max_line_size=MAX_HEADER_BYTES,
        max_field_size=MAX_HEADER_BYTES,
    )
    runner = web.ServerRunner(server, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        await web.SockSite(runner, reserved, backlog=BACKLOG).start()
        yield
    except OSError as exc:  # another process listened first
        raise PortInUse(_port_number(reserved), exc, endpoint.type) from exc
    finally:
        await runner.cleanup()


def _port_number(reserved: socket.socket) -> int:
    port: int = reserved.getsockname()[1]
    return port
