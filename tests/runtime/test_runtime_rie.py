"""The runtime under Lambda's own Runtime Interface Emulator, the binary that aws-sam-cli brings.

The emulator buffers streams and crashes on concurrent requests: each test sends one at a time.
"""

import contextlib
import http.client
import importlib.util
import json
import os
import pathlib
import platform
import secrets
import shutil
import socket
import subprocess
import sys
import threading

import pytest

INVOCATIONS = "/2015-03-31/functions/function/invocations"
MACHINES = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
OPENING = b'{"statusCode": 200, "headers": {"content-type": "text/event-stream"}}' + bytes(8)
ATTEMPTS = 6000
# Outside the range that the system chooses ports from: nobody is given the port meanwhile.
PORTS = range(20_000, 32_000)


def free_port():
    while True:
        # Not of `random`, which has the same seed in each process of the tests.
        address = ("127.0.0.1", secrets.choice(PORTS))
        with contextlib.suppress(OSError), socket.create_server(address):
            return address[1]


def wait_until_listening(port):
    pause = threading.Event()
    for _ in range(ATTEMPTS):
        with contextlib.suppress(ConnectionRefusedError):
            return socket.create_connection(("127.0.0.1", port)).close()
        pause.wait(0.01)
    raise TimeoutError(port)


class Emulator:
    def __init__(self, binary, wrapper, handler, task_root):
        self.port = free_port()
        addresses = [
            *("--runtime-interface-emulator-address", f"127.0.0.1:{self.port}"),
            *("--runtime-api-address", f"127.0.0.1:{free_port()}"),
        ]
        self.process = subprocess.Popen(
            [binary, "--log-level", "error", *addresses, wrapper, sys.executable, "ignored"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONDONTWRITEBYTECODE": "1",
                "LAMBDA_TASK_ROOT": str(task_root),
                "_HANDLER": handler,
            },
        )
        wait_until_listening(self.port)

    def invoke(self, **event):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.closing(connection):
            connection.request("POST", INVOCATIONS, json.dumps(event))
            return connection.getresponse().read()

    def close(self):
        self.process.terminate()
        self.process.wait(20)


@pytest.fixture(scope="module")
def emulate(tmp_path_factory, wrapper, task_root):
    """`emulate("module.handler")`: a function behind the emulator."""
    samcli = importlib.util.find_spec("samcli")
    (package,) = samcli.submodule_search_locations
    name = f"aws-lambda-rie-{MACHINES[platform.machine()]}"
    binary = tmp_path_factory.mktemp("rie") / name
    shutil.copy(pathlib.Path(package, "local", "rapid", name), binary)
    binary.chmod(0o755)
    with contextlib.ExitStack() as started:
        yield lambda handler: started.enter_context(
            contextlib.closing(Emulator(binary, wrapper, handler, task_root))
        )


@pytest.fixture(scope="module")
def scripted(emulate):
    return emulate("handlers.scripted")


def test_an_http_result_arrives_in_prelude_form(emulate):
    result = {"statusCode": 200, "cookies": ["a=b"]}
    raw = emulate("handlers.returned").invoke(result={**result, "body": "hé"})
    prelude, body = raw.split(bytes(8))
    assert (json.loads(prelude), body) == (result, "hé".encode())


def test_a_streamed_body_arrives_with_all_its_chunks(scripted):
    script = [["chunk", f"data: {number}\n\n"] for number in range(100)]
    data = b"".join(b"data: %d\n\n" % number for number in range(100))
    assert scripted.invoke(script=script) == OPENING + data


def test_an_error_before_the_first_byte_is_the_response_and_the_next_request_is_served(scripted):
    error = json.loads(scripted.invoke(script=[["raise", "ValueError", "no é upstream"]]))
    assert (error["errorType"], error["errorMessage"]) == ("ValueError", "no é upstream")
    assert scripted.invoke(script=[["chunk", "a"]]) == OPENING + b"a"


def test_an_error_after_it_leaves_trailers_that_a_go_server_can_read(scripted):
    script = [["chunk", "a"], ["raise", "ValueError", "é" * 10_000]]
    assert scripted.invoke(script=script) == OPENING + b"a"  # its trailers are read, and ignored
    assert scripted.invoke(script=[["chunk", "b"]]) == OPENING + b"b"


def test_an_error_at_the_start_is_the_response(emulate):
    error = json.loads(emulate("broken.handler").invoke())
    assert (error["errorType"], error["errorMessage"]) == ("ValueError", "init é")
