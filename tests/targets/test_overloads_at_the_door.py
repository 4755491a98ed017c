"""A stream that is overloaded before its output moves to the next target, and is accounted for."""

import json

import pytest

from tests.support.events import make_event, make_events, make_response, new_id
from tests.support.function import make_create_event, run_function
from tests.support.provider import encode_stream


@pytest.fixture
def function(many, providers, tmp_path):
    """A function with two targets that holds events back for longer than any test takes."""
    addresses = {name: providers[name].address for name in ("first", "second")}
    targets = {
        name: {"provider": "openai", "base_url": f"{url}/v1", "models": ["m"], "priority": rank}
        for rank, (name, url) in enumerate(addresses.items())
    }
    config = tmp_path / "config.json"
    document = {"gateway": {"hold_lifecycle_events": 60}, "targets": targets}
    config.write_text(json.dumps(document))
    with run_function(many.aws_endpoint, config, tmp_path / "log") as running:
        yield running


def overloaded(id):
    error = {"code": "server_is_overloaded", "message": "m"}
    return encode_stream(
        make_events(id)[0],
        make_event("response.failed", 1, response=make_response(id, "failed", error=error)),
    )


def test_an_overload_moves_and_both_responses_have_their_owner(function, providers, many):
    lost, served = new_id(), new_id()
    providers["first"].respond_with(overloaded(lost))
    providers["second"].respond_with(encode_stream(*make_events(served)))
    got = function(make_create_event({"model": "m", "input": "x", "stream": True}))
    assert got.body == b"".join(make_events(served))
    assert (got.headers["x-antiphon-target"], got.headers["x-antiphon-attempts"]) == ("second", "2")
    rows = [many.row(f"T#acme#R#{id}") for id in (lost, served)]
    assert [(row["target"], row["status"]) for row in rows] == [
        ("first", "failed"),
        ("second", "completed"),
    ]
