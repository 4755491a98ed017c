"""Metrics of single requests."""

import json

import pytest

from tests.support.events import make_event, make_events, make_response, new_id
from tests.support.function import make_create_event
from tests.support.metrics import pop_request_times
from tests.support.provider import (
    CLOSE,
    LAST_CHUNK,
    Gate,
    encode_chunk,
    encode_response,
    encode_stream,
    encode_stream_head,
)

BODY = {"model": "gpt-5", "input": "x"}


def encode_success(**more):
    return encode_response(json.dumps(make_response(new_id(), **more)).encode())


def test_a_complete_response(invoke, measured, provider):
    provider.respond_with(encode_success())
    assert invoke(make_create_event(BODY)).status == 200
    values = measured.only_values
    assert pop_request_times(values) == "AnswerMs"
    assert values == {"Requests": 1}


def test_metrics_of_a_stream_are_written_at_its_end(invoke, measured, provider):
    events, gate = make_events(new_id()), Gate()
    provider.respond_with(
        encode_stream_head(),
        encode_chunk(events[0]),
        gate,
        *map(encode_chunk, events[1:]),
        LAST_CHUNK,
    )
    invoke._api.give(make_create_event({**BODY, "stream": True}), "id-of-stream")
    response = invoke._api.response("id-of-stream")
    assert events[0] in response.chunk()
    assert "answered" in measured.log
    assert measured.values == []
    gate.open()
    assert b"".join(response.chunks()) == b"".join(events[1:])
    response.trailers()
    invoke._api.reply()
    invoke._api.expect_close()
    assert invoke(make_create_event("nonsense")).status == 400  # everything is written by now
    values, _ = measured.values
    assert pop_request_times(values) == "FirstEventMs"
    assert values == {"Requests": 1}


def test_a_cut_stream(invoke, measured, provider):
    provider.respond_with(encode_stream_head(), encode_chunk(make_events(new_id())[0]), CLOSE)
    assert b"response.failed" in invoke(make_create_event({**BODY, "stream": True})).body
    assert invoke(make_create_event("nonsense")).status == 400
    values, _ = measured.values
    pop_request_times(values)
    assert values == {"Requests": 1, "CutStreams": 1}
    assert '"stream cut"' in measured.log


def test_a_failed_response_is_not_a_cut_stream(invoke, measured, provider):
    failed = make_event("response.failed", 1, response=make_response(new_id(), "failed"))
    provider.respond_with(encode_stream(make_events(new_id())[0], failed))
    assert invoke(make_create_event({**BODY, "stream": True})).status == 200
    assert invoke(make_create_event("nonsense")).status == 400
    assert "CutStreams" not in measured.values[0]


@pytest.mark.parametrize(
    ("event", "status", "kind"),
    [
        (make_create_event(BODY, key="sk-nobody-0123456789"), 401, "invalid_api_key"),
        (make_create_event("nonsense"), 400, "invalid_request"),
        (make_create_event({**BODY, "temperature": "x"}), 400, "invalid_request"),
        (make_create_event({**BODY, "model": "unheard-of"}), 404, "model_not_found"),
        (
            make_create_event({**BODY, "previous_response_id": "resp_x"}),
            400,
            "previous_response_not_found",
        ),
        (
            make_create_event(BODY).replace(b"/v1/responses", b"/v1/nothing"),
            404,
            "endpoint_not_served",
        ),
        (
            make_create_event(BODY, **{"content-encoding": "gzip"}),
            415,
            "unsupported_content_encoding",
        ),
    ],
)
def test_errors_of_the_gateway(invoke, measured, event, status, kind):
    assert invoke(event).status == status
    assert measured.only_values == {"Requests": 1, f"Errors {kind}": 1}


@pytest.mark.parametrize(
    ("status", "kind"),
    [(429, "provider_429"), (400, "provider_4xx"), (500, "provider_5xx"), (401, "upstream_auth")],
)
def test_errors_of_a_provider(invoke, measured, provider, status, kind):
    for _ in range(2):  # a 401 is retried once, if there is a newer credential
        provider.respond_with(encode_response(b'{"error":{"message":"m"}}', status))
    assert invoke(make_create_event(BODY)).status == (502 if status == 401 else status)
    failed = {"ServerErrors": 1} if status in {401, 500} else {}
    assert measured.only_values == {"Requests": 1, f"Errors {kind}": 1, **failed}


def test_a_provider_that_closes_the_connection(invoke, measured, provider):
    provider.respond_with(CLOSE)
    assert invoke(make_create_event(BODY)).status == 502
    assert measured.only_values == {
        "Requests": 1,
        "Errors upstream_failed": 1,
        "ServerErrors": 1,
    }
