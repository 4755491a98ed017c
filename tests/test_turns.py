"""A chain of many turns: the last costs the table no more than the second."""

import json

import pytest

from tests.faults.aws_proxy import run_aws_proxy
from tests.support.concurrency import ROUNDS
from tests.support.events import make_response, new_id
from tests.support.function import make_create_event, run_function
from tests.support.provider import encode_response

TURNS = 10 * ROUNDS


@pytest.fixture
def counted(gateway):
    gateway.close_circuits()  # to close one would be a call more
    with run_aws_proxy(gateway.aws_endpoint) as proxy:
        yield proxy.address, proxy.calls


@pytest.fixture
def function(counted, provider, tmp_path):
    endpoint, _ = counted
    target = {"provider": "openai", "base_url": f"{provider.address}/v1", "models": ["gpt-*"]}
    config = tmp_path / "config.json"
    patient = {"key_cache_seconds": 300}  # so that the key is read once, however slow the machine
    config.write_text(json.dumps({"gateway": patient, "targets": {"openai": target}}))
    with run_function(endpoint, config, tmp_path / "log") as running:
        yield running


def test_the_last_turn_costs_no_more_than_the_second(function, counted, provider):
    _, calls = counted

    def turn(parent):
        """One more response behind its parent; its id, and the calls that it took."""
        calls.clear()
        id = new_id()
        answer = {**make_response(id), "output": [{"type": "message", "id": new_id("msg")}]}
        provider.respond_with(encode_response(json.dumps(answer).encode()))
        got = function(
            make_create_event({"model": "gpt-5", "input": "x", "previous_response_id": parent})
        )
        assert got.status == 200
        return id, list(calls)

    id, first = turn(None)
    assert first == [
        "GetItem",
        "GetItem",
        "GetSecretValue",
        "BatchWriteItem",
    ]  # the key first
    for _ in range(TURNS - 1):
        id, later = turn(id)
        assert later == ["GetItem", "BatchWriteItem"]  # the parent; the link and its items
