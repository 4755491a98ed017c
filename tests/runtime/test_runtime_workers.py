"""Several invocations at once in one environment, each in a process of its own."""

import contextlib
import json
import os
import signal
import socket

import pytest

TWO = {"AWS_LAMBDA_MAX_CONCURRENCY": "2"}


@pytest.fixture
def workers(api):
    """The sides of two workers' connections; they come in any order."""
    with contextlib.closing(api.another()) as other:
        yield api, other


def serve(worker, id="id-1"):
    """Send a worker an event, and return its response."""
    worker.give(id=id)
    return answer(worker, id)


def answer(worker, id):
    result = json.loads(worker.response(id).body())
    worker.reply()
    return result


def test_two_invocations_at_once_meet_two_processes_with_handlers_of_their_own(start, workers):
    start("renewed.handler", **TWO)
    one, other = workers
    one.give(id="one")
    other.give(id="other")
    results = [answer(other, "other"), answer(one, "one")]
    assert [result["handler"] for result in results] == [2, 2]  # the first is the parent's
    parents, processes = zip(*(result["pids"] for result in results), strict=True)
    assert parents[0] == parents[1] not in processes
    assert processes[0] != processes[1]
    assert not any(result["repeats"] for result in results)


def test_a_worker_that_dies_is_replaced(start, workers):
    runtime = start("renewed.handler", **TWO)
    one, other = workers
    first, second = (serve(worker)["pids"][1] for worker in workers)
    one.expect("GET invocation/next")
    os.kill(first, signal.SIGKILL)
    one.expect_close()
    assert serve(one)["pids"][1] not in (first, second)
    assert serve(other)["pids"][1] == second
    assert runtime.log() == ["[WARN] A worker ended with -9; another one takes its place"]


def test_a_worker_whose_handler_exits_is_replaced(start, workers):
    start("handlers.raises", **TWO)
    one, _ = workers
    event = json.dumps({"raise": "SystemExit", "args": [3]}).encode()
    for _ in range(3):
        one.give(event)
        assert json.loads(one.error().body())["errorType"] == "Runtime.ExitError"
        one.reply()
        one.expect_close()


def test_sigterm_ends_all_workers(start, workers):
    runtime = start("handlers.echo", **TWO)
    for worker in workers:
        worker.expect("GET invocation/next")
    runtime.process.send_signal(signal.SIGTERM)
    for worker in workers:
        worker.expect_close()
    assert runtime.exit_code() == 0
    # Python may add lines of its own: the signal ends a worker anywhere, also in http.client.
    assert [line for line in runtime.log() if line.startswith("[")] == []


def test_a_worker_that_cannot_begin_ends_the_environment(start, api):
    runtime = start("renewed.handler", RENEWAL="no network", **TWO)
    error = json.loads(api.expect("POST init/error").body())
    assert (error["errorType"], error["errorMessage"]) == ("OSError", "no network")
    api.reply()
    assert runtime.exit_code() == 1


def test_a_failed_import_is_reported_once_before_any_worker_starts(start, api):
    runtime = start("broken.handler", **TWO)
    assert json.loads(api.expect("POST init/error").body())["errorType"] == "ValueError"
    api.reply()
    assert runtime.exit_code() == 1


def test_without_lambda_the_workers_end_and_are_not_replaced(start, workers):
    runtime = start("handlers.echo", **TWO)
    for worker in workers:
        worker.expect("GET invocation/next")
    for worker in workers:
        worker.close()
    assert runtime.exit_code() == 1
    log = "\n".join(runtime.log())
    assert "Runtime.Gone" in log
    assert "another one takes its place" not in log


def test_each_worker_writes_to_a_log_of_its_own(start, workers, tmp_path):
    path = str(tmp_path / "logs")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        start("handlers.raises", _LAMBDA_TELEMETRY_LOG_FD_PROVIDER_SOCKET=path, **TWO)
        logs = [listener.accept()[0] for _ in range(4)]  # two for each: output and errors
    event = json.dumps({"raise": "ValueError", "args": ["mine"]}).encode()
    workers[0].give(event)
    workers[0].error()
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(log.makefile("rb")) for log in logs]
        for log in logs:
            log.settimeout(0)
        lines = [line for file in files if (line := file.readline())]
        assert [b"ValueError: mine" in line for line in lines] == [True]
        for log in logs:
            log.close()


def test_one_at_a_time_needs_no_worker(start, api):
    start("renewed.handler", AWS_LAMBDA_MAX_CONCURRENCY="1")
    assert serve(api)["pids"] == [serve(api)["pids"][0]]
