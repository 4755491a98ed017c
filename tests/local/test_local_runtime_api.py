"""The Runtime API as a runtime sees it, byte by byte."""

import asyncio
import base64
import json
from contextlib import asynccontextmanager

import pytest

from infra.local.runtime_api.connection import Connection
from infra.local.runtime_api.invocation import Failed, InitFailed, Invocation, InvocationSlot

RUNTIME = "/2018-06-01/runtime"


class Runtime:
    def __init__(self, reader, writer):
        self._reader = reader
        self._writer = writer

    async def send(self, line, body=b"", *headers):
        length = [] if "Transfer-Encoding: chunked" in headers else [f"Content-Length: {len(body)}"]
        head = "\r\n".join([f"{line} HTTP/1.1", "Host: runtime", *length, *headers, "", ""])
        self._writer.write(head.encode() + body)

    async def answered(self):
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode()
        fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
        body = await self._reader.readexactly(int(fields["content-length"]))
        return int(head.split()[1]), fields, body

    async def next(self):
        await self.send(f"GET {RUNTIME}/invocation/next")
        return await self.answered()

    def leave(self):
        self._writer.close()


@asynccontextmanager
async def runtime_api():
    slot = InvocationSlot()
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(slot), "127.0.0.1", 0
    )
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        yield slot, Runtime(reader, writer)
        writer.close()
        await writer.wait_closed()
        await slot.wait_until_disconnected()


def assign(slot):
    invocation = Invocation(b'{"a":1}', 60)
    freed = asyncio.Event()
    slot.assign(invocation, freed.set)
    return invocation, freed


async def read_chunks(invocation):
    return [chunk async for chunk in invocation.chunks]


def path(invocation, what):
    return f"POST {RUNTIME}/invocation/{invocation.id}/{what}"


async def test_next_waits_for_an_event_and_returns_its_id_and_deadline():
    async with runtime_api() as (slot, runtime):
        invocation, _ = assign(slot)
        status, headers, body = await runtime.next()
    assert (status, body) == (200, b'{"a":1}')
    assert headers["lambda-runtime-aws-request-id"] == invocation.id
    assert int(headers["lambda-runtime-deadline-ms"]) == invocation.deadline_ms
    assert headers["lambda-runtime-trace-id"].startswith("root=1-")
    assert headers["lambda-runtime-invoked-function-arn"].startswith("arn:aws:lambda:")


async def test_a_buffered_answer_is_one_piece():
    async with runtime_api() as (slot, runtime):
        invocation, freed = assign(slot)
        await runtime.next()
        await runtime.send(path(invocation, "response"), b"whole")
        assert (await runtime.answered())[0] == 202
        assert await read_chunks(invocation) == [b"whole"]
        assert not freed.is_set()
        await runtime.send(f"GET {RUNTIME}/invocation/next")
        await freed.wait()


async def test_a_stream_that_ends_in_error_trailers_is_a_failure():
    error = base64.b64encode(json.dumps({"errorType": "E", "errorMessage": "why"}).encode())
    trailers = b"Lambda-Runtime-Function-Error-Type: E\r\n"
    trailers += b"Lambda-Runtime-Function-Error-Body: " + error + b"\r\n"
    async with runtime_api() as (slot, runtime):
        invocation, _ = assign(slot)
        await runtime.next()
        body = b"1\r\na\r\n0\r\n" + trailers + b"\r\n"
        mode = "Lambda-Runtime-Function-Response-Mode: streaming"
        await runtime.send(path(invocation, "response"), body, mode, "Transfer-Encoding: chunked")
        assert (await runtime.answered())[0] == 202
        assert await anext(invocation.chunks) == b"a"
        with pytest.raises(Failed, match="E: why"):
            await anext(invocation.chunks)


async def test_a_connection_lost_in_the_middle_is_a_failure():
    async with runtime_api() as (slot, runtime):
        invocation, _ = assign(slot)
        await runtime.next()
        await runtime.send(
            path(invocation, "response"), b"1\r\na\r\n", "Transfer-Encoding: chunked"
        )
        assert await anext(invocation.chunks) == b"a"
        runtime.leave()
        with pytest.raises(Failed, match="connection was lost"):
            await anext(invocation.chunks)


async def test_an_error_is_reported_with_its_type_and_message():
    async with runtime_api() as (slot, runtime):
        invocation, _ = assign(slot)
        await runtime.next()
        await runtime.send(path(invocation, "error"), b'{"errorType":"T","errorMessage":"m"}')
        assert (await runtime.answered())[0] == 202
        with pytest.raises(Failed, match="T: m"):
            await read_chunks(invocation)


async def test_a_restore_is_answered_at_once():
    async with runtime_api() as (slot, runtime):
        await runtime.send(f"GET {RUNTIME}/restore/next")
        assert (await runtime.answered())[0] == 200
        assert not slot.ready.done()  # before it requests an event


@pytest.mark.parametrize("step", ["init", "restore"])
async def test_an_error_before_the_first_event_fails_the_start_of_the_runtime(step):
    async with runtime_api() as (slot, runtime):
        await runtime.send(f"POST {RUNTIME}/{step}/error", b'{"errorType":"T","errorMessage":"m"}')
        assert (await runtime.answered())[0] == 202
        with pytest.raises(InitFailed, match="T: m"):
            await slot.ready


@pytest.mark.parametrize(
    ("line", "headers", "status", "kind"),
    [
        (f"POST {RUNTIME}/invocation/unknown/response", [], 400, "InvalidRequestID"),
        (f"POST {RUNTIME}/invocation/unknown/error", [], 400, "InvalidRequestID"),
        (
            f"POST {RUNTIME}/invocation/ID/response",
            ["Lambda-Runtime-Function-Response-Mode: drip"],
            400,
            "InvalidFunctionResponseMode",
        ),
        (f"POST {RUNTIME}/invocation/ID/other", [], 404, "NotFound"),
        (f"GET {RUNTIME}/invocation/next", [], 403, "InvalidStateTransition"),
        ("GET /2015-01-01/runtime/invocation/next", [], 404, "NotFound"),
    ],
)
async def test_what_aws_refuses_is_refused(line, headers, status, kind):
    async with runtime_api() as (slot, runtime):
        invocation, _ = assign(slot)
        await runtime.next()
        await runtime.send(line.replace("/ID/", f"/{invocation.id}/"), b"x", *headers)
        answered, _, body = await runtime.answered()
    assert answered == status
    assert json.loads(body)["errorType"] == kind


async def test_a_runtime_may_request_an_event_again_over_another_connection():
    async with runtime_api() as (slot, runtime):
        await runtime.send(f"GET {RUNTIME}/invocation/next")
        await slot.ready
        runtime.leave()
        await slot.wait_until_disconnected()
        invocation, _ = assign(slot)
        later = []
        slot.request_event(later.append)
        assert later == [invocation]
