"""The API function in a real runtime process, invoked with Lambda's own events, one at a time."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local.runtime_api.function import function_environment
from infra.local.runtime_api.runtimes import MANAGED_RUNTIME
from tests.runtime.fake_runtime_api import PATIENCE_SECONDS, FakeRuntimeApi
from tests.support.gateway import KEYS

FUNCTIONS = Path(__file__).parents[2] / "functions"
PRELUDE_END = bytes(8)
SECONDS_LEFT = 30.0
MOST_SECONDS = 900.0  # of an answer that takes a busy machine long
LEVELS = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


@dataclass(frozen=True)
class FunctionResponse:
    """The HTTP response that API Gateway and Function URLs make of the function's output."""

    id: str  # of the invocation
    status: int
    headers: Mapping[str, str]
    body: bytes


def make_create_event(
    body: object, key: str = KEYS["acme"], query: str = "", **headers: str | None
) -> bytes:
    """A Function URL's event of POST /v1/responses; a string is sent as it is."""
    text = body if isinstance(body, str) else json.dumps(body)
    given = {"authorization": f"Bearer {key}", **headers}
    return _make_event("POST", "/v1/responses", query, given, text)


def make_get_event(path: str, query: str = "", key: str = KEYS["acme"]) -> bytes:
    """A Function URL's event of GET; the path begins behind /v1."""
    return _make_event("GET", f"/v1{path}", query, {"authorization": f"Bearer {key}"}, None)


def _make_event(
    method: str, path: str, query: str, headers: Mapping[str, str | None], body: str | None
) -> bytes:
    http = {"method": method, "path": path}
    return json.dumps(
        {
            "version": "2.0",
            "rawPath": path,
            "rawQueryString": query,
            "headers": headers,
            "requestContext": {"http": http, "stage": "$default"},
            "body": body,
            "isBase64Encoded": False,
        }
    ).encode()


class RunningFunction:
    """The function's only execution environment, behind a fake Runtime API."""

    def __init__(self, api: FakeRuntimeApi, pid: int = 0) -> None:
        self._api = api
        self.pid = pid

    def __call__(self, event: bytes, seconds_left: float = SECONDS_LEFT) -> FunctionResponse:
        """Invoke it so long before Lambda would end the invocation."""
        id = self._give(event, seconds_left)
        post = self._api.response(id)
        content = b"".join(post.chunks())
        assert post.trailers() == []  # they would report a response that failed midway
        self._api.reply()
        self._api.expect_close()
        prelude, _, body = content.partition(PRELUDE_END)
        return _to_response(id, json.loads(prelude), body)

    def count_bytes(self, event: bytes) -> int:
        """Invoke it, and return the size of an answer that is too long to be in memory here."""
        post = self._api.response(self._give(event, MOST_SECONDS))
        received = sum(map(len, iter(post.chunk, None)))
        assert post.trailers() == []
        self._api.reply()
        self._api.expect_close()
        return received

    def call(self, event: object) -> object:
        """Invoke it with an event of another kind; return the JSON of its result."""
        post = self._api.response(self._give(json.dumps(event).encode(), SECONDS_LEFT))
        result = json.loads(post.body())
        self._api.reply()
        return result

    def cut(self, event: bytes, events: int) -> None:
        """Invoke it, and break its connection behind so many events of the answer."""
        post, content = self._api.response(self._give(event, SECONDS_LEFT)), b""
        while content.count(b"\n\n") < events:
            content += post.chunk()
        self._api.cut()

    def begin(self, event: bytes, seconds_left: float) -> socket.socket:
        """Invoke it, and read no more than the head of the answer; close what this returns."""
        self._api.response(self._give(event, seconds_left))
        return self._api.stop_reading()

    def _give(self, event: bytes, seconds_left: float) -> str:
        id, ends_at = str(uuid.uuid4()), time.time() + seconds_left
        self._api.give(event, id, lambda_runtime_deadline_ms=int(ends_at * 1000))
        return id


def kept_by_lambda(log: str, level: str) -> list[dict[str, Any]]:
    """The records of a log that Lambda keeps, where it filters JSON by level.

    A record without a valid level or timestamp has the level INFO:
    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
    """
    records = map(_parse_record, log.splitlines())
    return [each for each in records if _rank_of(each) >= LEVELS.index(level)]


def _parse_record(line: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError:
        record = None
    return record if isinstance(record, dict) else {"text": line}


def _rank_of(record: Mapping[str, Any]) -> int:
    is_valid = record.get("level") in LEVELS and RFC_3339.fullmatch(record.get("timestamp", ""))
    return LEVELS.index(record["level"] if is_valid else "INFO")


def _to_response(id: str, prelude: dict[str, Any], body: bytes) -> FunctionResponse:
    many = prelude.get("multiValueHeaders", {})
    headers = {**prelude.get("headers", {}), **{name: ",".join(many[name]) for name in many}}
    return FunctionResponse(id, prelude["statusCode"], headers, body)


@contextmanager
def run_function(
    aws_endpoint: str, config: Path, log: Path, **more: str
) -> Iterator[RunningFunction]:
    """Runs `functions/api.py` in a runtime process that uses the AWS of a running gateway.

    `more` are variables of its environment.
    """
    api = FakeRuntimeApi()
    env = function_environment(FUNCTIONS, aws_endpoint, config, os.environ)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [FUNCTIONS / "start-streaming", sys.executable, MANAGED_RUNTIME],
            env={**env, "AWS_LAMBDA_RUNTIME_API": api.address, **more},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield RunningFunction(api, process.pid)
    finally:
        api.close()  # without it the runtime ends by itself
        try:
            process.wait(PATIENCE_SECONDS)
        finally:
            process.kill()
            process.wait()
