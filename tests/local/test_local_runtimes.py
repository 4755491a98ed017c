import asyncio
import json
import os
import signal

import pytest

from infra.local.runtime_api.invocation import InitFailed
from tests.local.rig import TASK, gateway


def gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


async def test_two_requests_at_once_meet_two_processes(gate):
    async with gateway(count=2) as doors:
        for _ in range(2):
            await doors.steps("url", ["gate", gate.port, "in"])
        one, two = await gate.arrival(), await gate.arrival()
        assert one.pid != two.pid
        one.go_on()
        two.go_on()


async def test_requests_beyond_the_processes_wait_in_their_order(gate):
    async with gateway() as doors:
        calls = [
            await doors.steps("url", ["gate", gate.port, name], ["send", name]) for name in "abc"
        ]
        for name, call in zip("abc", calls, strict=True):
            visitor = await gate.arrival()
            assert visitor.name == name
            visitor.go_on()
            assert await call.answer() == name.encode()


async def test_a_process_that_died_is_replaced_for_the_next_request():
    async with gateway() as doors:
        first = int(await (await doors.steps("url", ["pid"])).answer())
        os.kill(first, signal.SIGKILL)
        broken = await doors.steps("url", ["pid"])
        await broken.answer()
        second = await doors.steps("url", ["pid"])
        pid = int(await second.answer())
        assert second.status == 200
        assert pid != first
        assert gone(first)


async def test_an_invocation_that_takes_too_long_is_cut_off_and_its_process_replaced(gate):
    async with gateway(seconds=0.5) as doors:
        call = await doors.steps("url", ["send", "a"], ["gate", gate.port, "stuck"])
        await call.head()
        assert await call.chunk() == b"a"
        stuck = await gate.arrival()
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await call.chunk()
        stuck.go_on()
        again = await doors.steps("url", ["pid"])
        assert int(await again.answer()) != stuck.pid


async def test_a_function_that_never_begins_its_answer_times_out_as_a_502(gate):
    async with gateway(seconds=0.3) as doors:
        call = await doors.steps("rest", ["gate", gate.port, "stuck"], ["send", "a"])
        stuck = await gate.arrival()
        assert await call.head() == 502
        stuck.go_on()


async def test_the_function_is_told_its_deadline():
    async with gateway(seconds=30) as doors:
        left = int(await (await doors.send("url", "GET /deadline")).answer())
    assert 25_000 < left <= 30_000


async def test_a_function_that_cannot_start_says_why():
    with pytest.raises(InitFailed, match="this function cannot start"):
        async with gateway(count=3, env={**os.environ, "POWERTOOLS_LOG_LEVEL": "BROKEN"}):
            pass


async def test_the_environment_is_lambdas_and_holds_nothing_of_the_developers():
    developers = {**os.environ, "OPENAI_API_KEY": "sk-mine", "AWS_PROFILE": "mine"}
    async with gateway(env=developers) as doors:
        env = json.loads(await (await doors.send("url", "GET /env")).answer())
    assert env["_HANDLER"] == "api.handler"
    assert env["LAMBDA_TASK_ROOT"] == str(TASK)
    assert env["AWS_LAMBDA_FUNCTION_VERSION"] == "$LATEST"
    assert env["AWS_ACCESS_KEY_ID"] == "local"
    assert not env.keys() & {"OPENAI_API_KEY", "AWS_PROFILE", "AWS_SAM_LOCAL"}


async def test_no_process_outlives_its_gateway(gate):
    async with gateway(count=2) as doors:
        await doors.steps("url", ["send", "a"], ["gate", gate.port, "busy"])
        busy = await gate.arrival()
        idle = int(await (await doors.steps("url", ["pid"])).answer())
    assert gone(busy.pid)
    assert gone(idle)
    busy.go_on()
