"""A function as Lambda runs it, asked with Lambda's own events, one after the other."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local.environment import of_function
from infra.local.runtime import MANAGED
from tests.runtime.fake_runtime_api import PATIENCE_SECONDS, FakeRuntimeApi
from tests.support.gateway import KEYS

FUNCTIONS = Path(__file__).parents[2] / "functions"
PRELUDE_END = bytes(8)


@dataclass(frozen=True)
class Answer:
    """What API Gateway and Function URLs make an HTTP answer of."""

    id: str  # of the invocation
    status: int
    headers: Mapping[str, str]
    body: bytes


def create(ask: object, key: str = KEYS["acme"], query: str = "", **headers: str | None) -> bytes:
    """A Function URL's event of POST /v1/responses; text is sent as it is."""
    http = {"method": "POST", "path": "/v1/responses"}
    return json.dumps(
        {
            "version": "2.0",
            "rawPath": "/v1/responses",
            "rawQueryString": query,
            "headers": {"authorization": f"Bearer {key}", **headers},
            "requestContext": {"http": http, "stage": "$default"},
            "body": ask if isinstance(ask, str) else json.dumps(ask),
            "isBase64Encoded": False,
        }
    ).encode()


class Asked:
    """The one environment that the function has, behind a Runtime API that the test plays."""

    def __init__(self, api: FakeRuntimeApi) -> None:
        self._api = api

    def __call__(self, event: bytes) -> Answer:
        id = str(uuid.uuid4())
        self._api.give(event, id)
        post = self._api.response(id)
        whole = b"".join(post.chunks())
        assert post.trailers() == []  # which would tell of an answer that failed on its way
        self._api.reply()
        self._api.expect_close()
        prelude, _, body = whole.partition(PRELUDE_END)
        return _answer(id, json.loads(prelude), body)


def _answer(id: str, prelude: dict[str, Any], body: bytes) -> Answer:
    many = prelude.get("multiValueHeaders", {})
    headers = {**prelude.get("headers", {}), **{name: ",".join(many[name]) for name in many}}
    return Answer(id, prelude["statusCode"], headers, body)


@contextmanager
def running(aws_endpoint: str, config: Path, log: Path, **more: str) -> Iterator[Asked]:
    """`functions/api.py` in a real runtime process, with the AWS of a gateway that runs here.

    `more` are variables of its environment.
    """
    api = FakeRuntimeApi()
    env = of_function(FUNCTIONS, aws_endpoint, config, os.environ)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [FUNCTIONS / "start-streaming", sys.executable, MANAGED],
            env={**env, "AWS_LAMBDA_RUNTIME_API": api.address, **more},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Asked(api)
    finally:
        api.close()  # without it the runtime ends by itself
        try:
            process.wait(PATIENCE_SECONDS)
        finally:
            process.kill()
            process.wait()
