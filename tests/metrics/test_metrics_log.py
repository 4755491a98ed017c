"""The log lines with metrics: one for each request, at any log level, without content."""

import json

from tests.support.events import make_events, make_response, new_id
from tests.support.function import kept_by_lambda, make_create_event
from tests.support.gateway import KEYS
from tests.support.metrics import read_emf_lines
from tests.support.provider import (
    CLOSE,
    encode_chunk,
    encode_response,
    encode_stream,
    encode_stream_head,
)

BODY = {"model": "gpt-5", "input": "x"}
MARK = "MARKER-0f3a"


def encode_success(**more):
    return encode_response(json.dumps(make_response(new_id(), **more)).encode())


def test_each_request_writes_one_line_with_its_id(invoke, measured, provider):
    ids = []
    for _ in range(3):
        provider.respond_with(encode_success())
        ids.append(invoke(make_create_event(BODY)).id)
        provider.respond_with(encode_stream(*make_events(new_id())))
        ids.append(invoke(make_create_event({**BODY, "stream": True})).id)
        ids.append(invoke(make_create_event("nonsense")).id)
    lines = read_emf_lines(measured.log)
    assert [line["request_id"] for line in lines] == ids
    assert {line["stage"] for line in lines} == {"test"}


def test_metrics_and_warnings_are_kept_by_lambda_at_the_level_warn(own, gateway, target, provider):
    more = {"AWS_LAMBDA_LOG_LEVEL": "WARN", "POWERTOOLS_LOG_LEVEL": ""}
    targets = {"measured-one": target()}
    provider.respond_with(encode_stream_head(), encode_chunk(make_events(new_id())[0]), CLOSE)
    with own.run(gateway.aws_endpoint, targets, **more) as call:
        assert call(make_create_event({**BODY, "stream": True})).status == 200
    kept = kept_by_lambda(own.log, "WARN")
    warning, line = kept
    assert warning["message"] == "stream cut"
    assert read_emf_lines(own.log) == [line]


def test_metrics_contain_no_keys_and_no_content(invoke, measured, provider):
    body = {"model": "gpt-5", "input": MARK, "metadata": {MARK: MARK}, "user": MARK}
    output = [{"type": "message", "id": new_id("msg"), "content": MARK}]
    provider.respond_with(encode_success(output=output))
    assert invoke(make_create_event(body, **{"x-own": MARK})).status == 200
    provider.respond_with(encode_stream_head(), encode_chunk(make_events(new_id())[0]), CLOSE)
    assert invoke(make_create_event({**body, "stream": True})).status == 200
    provider.respond_with(
        encode_response(json.dumps({"error": {"message": MARK, "code": MARK}}).encode(), 400)
    )
    assert invoke(make_create_event(body)).status == 400
    assert invoke(make_create_event(body, key=f"{MARK}-0123456789")).status == 401
    assert invoke(make_create_event({**body, "model": MARK})).status == 404
    assert invoke(make_create_event(f'{{"{MARK}":1,"{MARK}":2}}')).status == 400
    lines = read_emf_lines(measured.log)
    assert len(lines) == 6
    for text in (MARK, "acme", KEYS["acme"], "key_", "resp_"):
        assert text not in json.dumps(lines)


def test_disabled_metrics_are_not_written(own, gateway, target):
    targets, more = {"measured-one": target()}, {"POWERTOOLS_METRICS_DISABLED": "true"}
    with own.run(gateway.aws_endpoint, targets, **more) as call:
        assert call(make_create_event("nonsense")).status == 400
    assert own.values == []
