"""Links record what a span needs, if spans are exported: times, and the trace of the caller."""

import json

from tests.support.events import make_events, make_response, new_id
from tests.support.function import make_create_event
from tests.support.provider import encode_response, encode_stream

TRACE_PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
INVALID = f"00-{0:032x}-b7ad6b7169203331-01"
TELEMETRY = {"telemetry": {"otlp_endpoint": "http://127.0.0.1:9"}}  # this function exports nothing


def test_a_link_records_when_its_request_began_and_ended_and_in_which_trace(
    own, gateway, target, provider
):
    rows = []
    with own.run(gateway.aws_endpoint, {"measured-one": target()}, TELEMETRY) as call:
        for stream in (False, True):
            for trace_parent in (TRACE_PARENT, INVALID):
                id = new_id()
                whole = encode_response(json.dumps(make_response(id)).encode())
                provider.respond_with(encode_stream(*make_events(id)) if stream else whole)
                body = {"model": "gpt-5", "input": "x", "stream": stream}
                assert call(make_create_event(body, traceparent=trace_parent)).status == 200
                rows.append(gateway.row(f"T#acme#R#{id}"))
    assert [row.get("trace_parent") for row in rows] == [TRACE_PARENT, None] * 2
    for row in rows:
        assert row["started_ms"] <= row["created_ms"] <= row["ended_ms"]
