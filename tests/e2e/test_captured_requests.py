"""What somebody can do with a caller's whole request, its key included: little, and not for long.

Against capture itself there is TLS; nothing else makes a request with a valid key another's.
"""

import pytest

from antiphon.store import keys
from tests.support.function import make_create_event, run_function
from tests.support.provider import encode_response
from tests.support.requests import CREATE, KeyedRequest, count_posts, encode_stored

KEY = "sk-acme-captured-0123"
CONFIG = """
[gateway]
key_cache_seconds = 0

[targets.openai]
provider = "openai"
base_url = "{address}/v1"
models = ["gpt-*"]
"""


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_with_an_idempotency_key_it_is_paid_once_at_whichever_door(gateway, provider, stream):
    with gateway.client("url") as url, gateway.client("rest") as rest:
        captured, stored = KeyedRequest(url, stream=stream), encode_stored()
        for _ in range(4):
            provider.respond_with(encode_response(stored))
        answers = [captured.create(client) for client in (url, url, rest, rest)]
    assert [got.status_code for got in answers] == [200] * 4
    assert ["x-antiphon-replayed" in got.headers for got in answers] == [False, True, True, True]
    assert count_posts(provider) == 1


@pytest.fixture
def function(gateway, provider, tmp_path):
    """A function that reads a key for each request, so that no time must pass."""
    config = tmp_path / "gateway.toml"
    config.write_text(CONFIG.format(address=provider.address))
    with run_function(gateway.aws_endpoint, config, tmp_path / "log") as running:
        yield running


def test_a_revoked_key_ends_it_also_for_what_is_stored(gateway, provider, function):
    row = keys.key_row(KEY, "acme")
    gateway.put(row)
    captured = make_create_event(CREATE, KEY, **{"idempotency-key": "captured"})
    stored = encode_stored()
    for _ in range(2):
        provider.respond_with(encode_response(stored))
    assert [function(captured).body for _ in range(2)] == [stored] * 2
    gateway.change(row["pk"], "KEY", revoked_at=1)
    assert [function(captured).status for _ in range(2)] == [401] * 2
    assert len(provider.received) == 2
