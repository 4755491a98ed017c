"""AWS's Lambda Runtime Interface Emulator (from aws-sam-cli), started without Docker."""

import contextlib
import http.client
import importlib.util
import json
import pathlib
import platform
import shutil
import socket
import subprocess
import sys
import threading

ARCH = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine()]
INVOCATIONS = "/2015-03-31/functions/function/invocations"
ATTEMPTS = 1000


class Emulator:
    """One function, started from its asset as Lambda does, without other packages."""

    def __init__(self, folder, task_root, env):
        self._port = _free_port()
        addresses = [
            *("--runtime-interface-emulator-address", f"127.0.0.1:{self._port}"),
            *("--runtime-api-address", f"127.0.0.1:{_free_port()}"),
        ]
        wrapper = task_root / "start-streaming"
        command = [_binary(folder), *addresses, wrapper, bare_python(folder), "bootstrap.py"]
        given = {"PATH": "/usr/bin:/bin", "LAMBDA_TASK_ROOT": str(task_root), **env}
        self._log = folder / "function.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=given)
        _wait_until_listening(self._port)

    def invoke(self, event):
        """Return the whole output of the function; the emulator does not stream."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        with contextlib.closing(connection):
            connection.request("POST", INVOCATIONS, json.dumps(event))
            return connection.getresponse().read()

    def invoke_streaming(self, event):
        """Return the metadata and the body of a streamed response."""
        raw = self.invoke(event)
        prelude, end, body = raw.partition(bytes(8))
        assert end, (raw, self._log.read_text())
        return json.loads(prelude), body

    def close(self):
        self._process.terminate()
        self._process.wait(20)


def _binary(folder):
    (package,) = importlib.util.find_spec("samcli").submodule_search_locations
    binary = folder / "emulator"
    shutil.copy(pathlib.Path(package, "local", "rapid", f"aws-lambda-rie-{ARCH}"), binary)
    binary.chmod(0o755)
    return binary


def bare_python(folder):
    """Write an interpreter that has the standard library but no installed package."""
    python = folder / "python3"
    python.write_text(f'#!/bin/sh\nexec {sys._base_executable} -S "$@"\n')
    python.chmod(0o755)
    return python


def _free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def _wait_until_listening(port):
    pause = threading.Event()
    for _ in range(ATTEMPTS):
        with contextlib.suppress(ConnectionRefusedError):
            return socket.create_connection(("127.0.0.1", port)).close()
        pause.wait(0.01)
    raise TimeoutError(port)
