"""The simulator as a process."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[3]
LISTENING = re.compile(r"simulator listening on (http://127\.0\.0\.1:\d+)\n")


@pytest.fixture
def start():
    """Starts a process, which ends after the test."""
    started = []

    def start(*options):
        process = subprocess.Popen(
            [sys.executable, "-m", "infra.local.simulator", *options],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process, LISTENING.fullmatch(process.stdout.readline())[1]

    yield start
    for process in started:
        process.kill()
        with process:  # which closes its pipes
            process.wait()


def test_the_process_exits_after_ctrl_c(start):
    process, address = start("--record", "--deployment", "prod=gpt-5", "--exit-with-parent")
    body = {"model": "prod", "input": "Hi"}
    reply = httpx.post(f"{address}/openai/v1/responses", headers={"api-key": "k"}, json=body)
    assert reply.json()["model"] == "gpt-5"
    assert len(httpx.get(f"{address}/_sim/requests").json()) == 1
    process.send_signal(signal.SIGINT)
    assert process.wait(120) == 0
    assert process.stdout.read() == ""


def test_the_process_exits_when_its_input_ends(start):
    process, _ = start("--exit-with-parent")
    process.stdin.close()
    assert process.wait(120) == 0


def test_sigterm_ends_the_process_during_a_stream(start):
    process, address = start()
    body = {"model": "sim-slow", "input": "Hi", "stream": True}
    headers = {"authorization": "Bearer k"}
    with (
        httpx.Client(headers=headers) as client,
        client.stream("POST", f"{address}/v1/responses", json=body) as reply,
    ):
        next(reply.iter_raw())
        process.terminate()
        assert process.wait(120) == 0
    assert process.stdout.read() == ""
