import asyncio

import pytest

from infra.local.runtime_api.invocation import MAX_BUFFERED_BYTES, Failed, Invocation


class Transport:
    """The transport of the runtime's connection: only pausing and resuming."""

    reads = True

    def pause_reading(self):
        self.reads = False

    def resume_reading(self):
        self.reads = True


@pytest.fixture
def invocation():
    invocation = Invocation(b"{}", 60)
    invocation.transport = Transport()
    return invocation


async def test_reading_from_the_runtime_is_paused_while_much_is_buffered(invocation):
    for _ in range(3):
        invocation.put(bytes(MAX_BUFFERED_BYTES // 2))
    assert not invocation.transport.reads
    await anext(invocation.chunks)
    assert invocation.transport.reads


async def test_an_abandoned_invocation_discards_all_chunks(invocation):
    invocation.put(bytes(2 * MAX_BUFFERED_BYTES))
    invocation.abandon()
    assert invocation.transport.reads
    invocation.put(bytes(2 * MAX_BUFFERED_BYTES))
    assert invocation.transport.reads
    invocation.end()
    assert [piece async for piece in invocation.chunks] == []


async def test_chunks_are_written_directly_only_to_a_waiting_caller(invocation):
    direct = []

    def shortcut(piece):
        direct.append(piece)
        return len(direct) < 2

    invocation.write_directly = shortcut
    invocation.put(b"queued, as nobody waits")
    pieces = invocation.chunks
    assert await anext(pieces) == b"queued, as nobody waits"
    waiting = asyncio.ensure_future(anext(pieces))
    await asyncio.sleep(0)
    invocation.put(b"direct")
    invocation.put(b"refused, so queued")
    invocation.put(b"behind it")
    assert direct == [b"direct", b"refused, so queued"]
    assert await waiting == b"refused, so queued"
    assert await anext(pieces) == b"behind it"


async def test_only_the_first_end_counts(invocation):
    invocation.put(b"a")
    invocation.end("it broke")
    invocation.end()
    assert await anext(invocation.chunks) == b"a"
    with pytest.raises(Failed, match="it broke"):
        await anext(invocation.chunks)
