import asyncio
import json
import os
import signal

import pytest

from infra.local.runtime_api.invocation import InitFailed
from tests.local.gateway_rig import TASK, gateway
from tests.support.processes import children

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECONDS = 1_000  # more than any test takes


def gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


async def test_a_process_starts_when_a_request_finds_all_others_busy(gate):
    async with gateway(count=2, provisioned=0) as endpoints:
        calls = [
            await endpoints.steps("url", ["gate", gate.port, name], ["send", name])
            for name in "abc"
        ]
        one, two = await gate.arrival(), await gate.arrival()
        one.release()
        three = await gate.arrival()  # which is one too many: it waited for the end of another
        assert (len({one.pid, two.pid}), three.pid) == (2, one.pid)
        two.release()
        three.release()
        assert {await call.answer() for call in calls} == {b"a", b"b", b"c"}


async def test_a_request_waits_a_moment_for_a_busy_process_before_another_starts(gate):
    async with gateway(count=2, provisioned=1, patience=SECONDS) as endpoints:
        await endpoints.steps("url", ["gate", gate.port, "in"])
        busy, waiting = await gate.arrival(), await endpoints.steps("url", ["pid"])
        busy.release()
        assert int(await waiting.answer()) == busy.pid


async def test_a_process_that_cannot_start_fails_its_request_and_is_tried_again_for_the_next():
    reasons, broken = [], {**os.environ, "POWERTOOLS_LOG_LEVEL": "BROKEN"}
    async with gateway(provisioned=0, env=broken, on_end=reasons.append) as endpoints:
        for _ in range(2):
            assert await (await endpoints.steps("url", ["pid"])).head() == 502
    assert {end.failure for end in reasons} == {"RuntimeError: this function cannot start"}


async def test_a_process_that_is_starting_ends_with_its_gateway():
    others = set(children(os.getpid()))  # of fixtures
    async with gateway(provisioned=0) as endpoints:
        await endpoints.steps("url", ["pid"])
        while not (starting := set(children(os.getpid())) - others):  # noqa: ASYNC110  no event
            await asyncio.sleep(0)
    assert all(gone(pid) for pid in starting)


async def test_requests_beyond_the_processes_wait_in_their_order(endpoints, gate):
    calls = [
        await endpoints.steps("url", ["gate", gate.port, name], ["send", name]) for name in "abc"
    ]
    for name, call in zip("abc", calls, strict=True):
        waiting = await gate.arrival()
        assert waiting.name == name
        waiting.release()
        assert await call.answer() == name.encode()


async def test_a_process_that_died_is_replaced_for_the_next_request(endpoints):
    first = int(await (await endpoints.steps("url", ["pid"])).answer())
    os.kill(first, signal.SIGKILL)
    broken = await endpoints.steps("url", ["pid"])
    await broken.answer()
    second = await endpoints.steps("url", ["pid"])
    pid = int(await second.answer())
    assert second.status == 200
    assert pid != first
    assert gone(first)


async def test_invocations_that_take_too_long_are_ended_and_their_processes_replaced(gate):
    """Both at once, for they take their time: one has begun its answer, one has not."""
    async with gateway(count=2, seconds=2) as endpoints:
        begun = await endpoints.steps("url", ["send", "a"], ["gate", gate.port, "stuck"])
        silent = await endpoints.steps("rest", ["gate", gate.port, "stuck"], ["send", "a"])
        await begun.head()
        assert await begun.chunk() == b"a"
        stuck = [await gate.arrival() for _ in range(2)]
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await begun.chunk()
        assert await silent.head() == 502
        for function in stuck:
            function.release()
        again = await endpoints.steps("url", ["pid"])
        assert int(await again.answer()) not in {function.pid for function in stuck}


async def test_the_function_receives_its_deadline(endpoints):
    left = int(await (await endpoints.send("url", "GET /deadline")).answer())
    assert 30_000 < left <= 60_000


async def test_a_function_that_cannot_start_reports_the_reason():
    with pytest.raises(InitFailed, match="this function cannot start"):
        async with gateway(count=3, env={**os.environ, "POWERTOOLS_LOG_LEVEL": "BROKEN"}):
            pass


async def test_a_process_with_a_snapshot_is_restored_and_serves():
    async with gateway(AWS_LAMBDA_INITIALIZATION_TYPE="snap-start") as endpoints:
        call = await endpoints.steps("url", ["send", "a"])
        assert await call.answer() == b"a"


async def test_the_environment_is_lambdas_and_holds_nothing_of_the_developers():
    developers = {**os.environ, "OPENAI_API_KEY": "sk-mine", "AWS_PROFILE": "mine"}
    async with gateway(env=developers) as endpoints:
        env = json.loads(await (await endpoints.send("url", "GET /env")).answer())
    assert env["_HANDLER"] == "api.handler"
    assert env["LAMBDA_TASK_ROOT"] == str(TASK)
    assert env["AWS_LAMBDA_FUNCTION_VERSION"] == "$LATEST"
    assert env["AWS_ACCESS_KEY_ID"] == "local"
    assert not env.keys() & {"OPENAI_API_KEY", "AWS_PROFILE", "AWS_SAM_LOCAL"}


async def test_no_process_outlives_its_gateway(gate):
    async with gateway(count=2) as endpoints:
        await endpoints.steps("url", ["send", "a"], ["gate", gate.port, "busy"])
        busy = await gate.arrival()
        idle = int(await (await endpoints.steps("url", ["pid"])).answer())
        assert idle != busy.pid
    assert gone(busy.pid)
    assert gone(idle)
    busy.release()
