"""Whoever speaks OpenAI's dialect is added by configuration alone."""

import json

import pytest

from tests.support.events import make_events, make_response, new_id
from tests.support.function import make_create_event, run_function
from tests.support.provider import encode_response, encode_stream


@pytest.fixture
def function(many, providers, tmp_path, request):
    """The function as it is, with a target in its configuration that it has never heard of."""
    base = providers["first"].address + request.param
    target = {"provider": "openai", "base_url": base, "models": {"fast": "vendor/fast-1"}}
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"targets": {"first": target}}))
    with run_function(many.aws_endpoint, config, tmp_path / "log") as asked:
        yield asked


@pytest.mark.parametrize("function", ["/v1", "/api/paas/v4", "/a/b/"], indirect=True)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_provider_is_added_by_its_address(function, providers, request, stream):
    provider = providers["first"]
    events = make_events(new_id())
    answer = json.dumps(make_response(new_id())).encode()
    provider.respond_with(encode_stream(*events) if stream else encode_response(answer))
    got = function(make_create_event({"model": "fast", "input": "x", "stream": stream}))
    assert (got.status, got.body) == (200, b"".join(events) if stream else answer)
    (sent,) = provider.received
    prefix = request.node.callspec.params["function"].rstrip("/")
    assert sent.line == f"POST {prefix}/responses HTTP/1.1"
    assert sent.headers["authorization"] == "Bearer credential"
    assert json.loads(sent.body)["model"] == "vendor/fast-1"
