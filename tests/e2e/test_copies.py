"""The API function in a process that goes on as a copy: restored from a snapshot, or forked."""

import contextlib
import gc
import json
import multiprocessing
import os
import ssl
import threading
import types
from concurrent.futures import ProcessPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer

import botocore.credentials
import pytest

from antiphon import wiring
from antiphon.store.aws_api import JsonApi
from antiphon.upstream.credentials import Credentials
from antiphon.upstream.transport import LlhttpTransport
from tests.support.concurrency import wait_for
from tests.support.events import make_response, new_id
from tests.support.function import (
    SECONDS_LEFT,
    RunningFunction,
    make_create_event,
    run_function,
)
from tests.support.provider import Gate, encode_response

# What two copies of a process must not both use.
OWN = (
    botocore.credentials.Credentials,
    Credentials,
    JsonApi,
    LlhttpTransport,
    ssl.SSLContext,
    type(threading.Lock()),
)
NOT_OF_THE_HANDLER = (types.ModuleType, type)  # a process has these once


class CredentialServer(HTTPServer):
    """What Lambda gives a function with SnapStart its AWS credentials by."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.count = 0
        self.uri = f"http://127.0.0.1:{self.server_port}/credentials"


class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.count += 1
        document = {
            "AccessKeyId": f"number-{self.server.count}",
            "SecretAccessKey": "secret",
            "Token": "token",
            "Expiration": "2099-01-01T00:00:00Z",
        }
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Write nothing to the terminal."""


@pytest.fixture
def credentials():
    with CredentialServer() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def config(provider, tmp_path):
    url = f"{provider.address}/v1"
    target = {"provider": "openai", "base_url": url, "models": ["gpt-*"]}
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"targets": {"openai": target}}))
    return path


def test_a_restored_function_reads_its_credentials_again_and_serves(
    gateway, provider, config, credentials, tmp_path
):
    provider.respond_with_json(make_response(new_id()))
    variables = {
        "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start",
        "AWS_ACCESS_KEY_ID": "",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": credentials.uri,
    }
    log = tmp_path / "log"
    with run_function(gateway.aws_endpoint, config, log, **variables) as invoke:
        invoke._api.expect("GET restore/next")
        before = credentials.count
        invoke._api.reply(200)
        response = invoke(make_create_event({"model": "gpt-5-mini", "input": "Hi."}))
    assert response.status == 200
    assert credentials.count > before > 0


def test_forked_workers_serve_at_the_same_time(gateway, provider, config, tmp_path):
    gate, whole = Gate(), encode_response(json.dumps(make_response(new_id())).encode())
    provider.respond_with(gate, whole)
    event = make_create_event({"model": "gpt-5-mini", "input": "Hi."})
    variables = {"AWS_LAMBDA_MAX_CONCURRENCY": "2"}
    with (
        run_function(gateway.aws_endpoint, config, tmp_path / "log", **variables) as invoke,
        contextlib.closing(invoke._api.another()) as other,
    ):
        waiting = invoke._give(event, SECONDS_LEFT)
        wait_for(lambda: provider.received, bool)
        provider.respond_with(whole)
        assert RunningFunction(other)(event).status == 200
        gate.open()
        assert b'"statusCode": 200' in invoke._api.response(waiting).chunk()


def owned(handler):
    """Return the ids of the objects of OWN that a handler refers to, by any way."""
    seen, todo, found = set(), [handler], {}
    while todo:
        each = todo.pop()
        if id(each) in seen or isinstance(each, NOT_OF_THE_HANDLER) or is_namespace(each):
            continue
        seen.add(id(each))
        if isinstance(each, OWN):
            found[id(each)] = each
        todo += gc.get_referents(each)
    return found


def is_namespace(each):
    """Whether it is the dictionary of a module, which functions refer to."""
    return isinstance(each, dict) and "__builtins__" in each


def make_handlers(config, env):
    """Return the names of the kinds of OWN that a handler has, and what two handlers share."""
    os.environ.update(env)
    of_one, of_other = (owned(wiring.api({**env, "CONFIG_FILE": config})) for _ in "12")
    kinds = {kind.__name__ for kind in OWN for each in of_one.values() if isinstance(each, kind)}
    return kinds, [repr(each) for id, each in of_one.items() if id in of_other]


def test_two_handlers_share_no_connection_tls_context_lock_or_credential(config):
    """In a process of their own: what other tests leave behind could lead from one to the other."""
    env = {"TABLE_NAME": "t", "QUEUE_URL": "http://127.0.0.1:1/q"}
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        env[name] = "eu-west-1"
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        kinds, shared = pool.submit(make_handlers, str(config), env).result()
    assert kinds == {kind.__name__ for kind in OWN}
    assert shared == []
