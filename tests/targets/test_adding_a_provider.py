"""Whoever speaks OpenAI's dialect is added by configuration alone."""

import json

import pytest

from tests.support.events import make_events, make_response, new_id
from tests.support.function import make_create_event, run_function
from tests.support.provider import encode_response, encode_stream

PATHS = {"fast": "/v1", "slow": "/api/paas/v4", "odd": "/a/b/"}  # of base URLs, by the model


@pytest.fixture(scope="module")
def function(many, _providers, tmp_path_factory):
    """The function as it is, with targets in its configuration that it has never heard of."""
    folder = tmp_path_factory.mktemp("function")
    address = _providers["first"].address
    targets = {
        name: {
            "provider": "openai",
            "base_url": address + path,
            "models": {model: f"vendor/{model}-1"},
        }
        for name, (model, path) in zip(("first", "second", "third"), PATHS.items(), strict=True)
    }
    config = folder / "config.json"
    config.write_text(json.dumps({"targets": targets}))
    with run_function(many.aws_endpoint, config, folder / "log") as running:
        yield running


@pytest.mark.parametrize("model", PATHS)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_provider_is_added_by_its_address(function, providers, model, stream):
    provider = providers["first"]
    events = make_events(new_id())
    response = json.dumps(make_response(new_id())).encode()
    provider.respond_with(encode_stream(*events) if stream else encode_response(response))
    got = function(make_create_event({"model": model, "input": "x", "stream": stream}))
    assert (got.status, got.body) == (200, b"".join(events) if stream else response)
    (sent,) = provider.received
    assert sent.line == f"POST {PATHS[model].rstrip('/')}/responses HTTP/1.1"
    assert sent.headers["authorization"] == "Bearer credential"
    assert json.loads(sent.body)["model"] == f"vendor/{model}-1"
