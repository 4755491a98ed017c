import contextlib
import json
import os
import pathlib
import subprocess
import sys

import pytest
from fake_runtime_api import PATIENCE_SECONDS, FakeRuntimeApi

from tests.support.concurrency import wait_for

HERE = pathlib.Path(__file__).parent
WRAPPER = HERE.parents[1] / "functions" / "start-streaming"
TASK_ROOT = HERE / "task"


class Runtime:
    """The real runtime in a process of its own, started as Lambda starts it."""

    def __init__(self, api, output, handler, env):
        self.api = api
        self.output = output
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONWARNINGS": "error",
            "LAMBDA_TASK_ROOT": str(TASK_ROOT),
            "AWS_LAMBDA_RUNTIME_API": api.address,
            "_HANDLER": handler,
            **env,
        }
        with output.open("wb") as log:
            self.process = subprocess.Popen(
                [WRAPPER, sys.executable, "/var/runtime/bootstrap.py"],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
            )

    def invoke(self, id="id-1", headers=None, **event):
        """Send the runtime an event; the test then reads its response from the fake API."""
        self.api.give(json.dumps(event).encode(), id, **headers or {})

    def release(self):
        """Let a waiting handler continue."""
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()

    def exit_code(self):
        return self.process.wait(PATIENCE_SECONDS)

    def end(self):
        """Close the Runtime API, wait for the runtime to exit, and return its log."""
        self.api.close()
        self.exit_code()
        return self.log()

    def wait_for_line(self, line):
        wait_for(self.log, lambda log: line in log)

    def log(self):
        """The records so far, split as CloudWatch splits them: at line feeds only."""
        return self.output.read_bytes().decode().split("\n")[:-1]


@pytest.fixture
def api():
    with contextlib.closing(FakeRuntimeApi()) as fake:
        yield fake


@pytest.fixture
def start(api, tmp_path):
    """`start("module.handler", NAME="value")`: a runtime under the fake API."""
    started = []

    def start(handler, **env):
        runtime = Runtime(api, tmp_path / f"log-{len(started)}", handler, env)
        started.append(runtime)
        return runtime

    yield start
    for runtime in started:
        runtime.process.kill()
        runtime.process.wait()
        runtime.process.stdin.close()


@pytest.fixture(scope="session")
def wrapper():
    return WRAPPER


@pytest.fixture(scope="session")
def task_root():
    return TASK_ROOT
