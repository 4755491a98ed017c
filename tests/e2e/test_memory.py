"""The smallest memory that Lambda offers suffices for the largest requests, events and streams."""

import base64
import json

from tests.support.events import make_event, make_response, new_id
from tests.support.function import make_create_event, run_function
from tests.support.processes import peak_memory
from tests.support.provider import LAST_CHUNK, encode_chunk, encode_stream_head

MEGABYTE = 1_000_000
LAMBDA_MINIMUM = 128 * MEGABYTE
LONGEST_BODY, LONGEST_EVENT, STREAM = 4_400_000, 16 * 1024 * 1024, 200 * MEGABYTE


def stream(delta, times):
    """A stream that sends the same delta so many times, and the bytes of its deltas."""
    id = new_id()
    first = make_event("response.created", 0, response=make_response(id, "in_progress"))
    last = make_event("response.completed", 2, response=make_response(id))
    event = make_event("response.output_text.delta", 1, item_id="msg_1", delta=delta)
    chunks = [encode_chunk(event)] * times
    head = encode_stream_head() + encode_chunk(first)
    return (head, *chunks, encode_chunk(last) + LAST_CHUNK), len(event) * times


def with_base64(event):
    """As a Function URL sends a body that it takes for binary: a third longer."""
    value = json.loads(event)
    body = base64.b64encode(value["body"].encode()).decode()
    return json.dumps({**value, "body": body, "isBase64Encoded": True}).encode()


def test_128_mb_suffice_for_the_longest_body_event_and_stream(gateway, provider, tmp_path):
    config = tmp_path / "gateway.json"
    target = {"provider": "openai", "base_url": f"{provider.address}/v1", "models": ["*"]}
    config.write_text(json.dumps({"targets": {"openai": target}}))
    with run_function(gateway.aws_endpoint, config, tmp_path / "log") as function:
        create = make_create_event({"model": "gpt-5", "input": "x" * LONGEST_BODY})
        for event in (create, with_base64(create)):
            provider.respond_with_json(make_response(new_id()))
            assert function(event).status == 200
        for delta, times in (
            ("x" * (LONGEST_EVENT - 1000), 1),
            ("x" * MEGABYTE, STREAM // MEGABYTE),
        ):
            script, size = stream(delta, times)
            provider.respond_with(*script)
            create = make_create_event({"model": "gpt-5", "input": "x", "stream": True})
            assert function.count_bytes(create) > size
        assert peak_memory(function.pid) < LAMBDA_MINIMUM
