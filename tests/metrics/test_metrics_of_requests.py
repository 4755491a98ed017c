"""The figures of requests, one by one."""

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

ASK = {"model": "gpt-5", "input": "x"}


def good(**more):
    return encode_response(json.dumps(make_response(new_id(), **more)).encode())


def test_a_whole_answer(one, measured, provider):
    provider.respond_with(good())
    assert one(make_create_event(ASK)).status == 200
    told = measured.only
    assert pop_request_times(told) == "AnswerMs"
    assert told == {"Requests": 1}


def test_a_stream_is_told_of_at_its_true_end(one, measured, provider):
    events, gate = make_events(new_id()), Gate()
    provider.respond_with(
        encode_stream_head(),
        encode_chunk(events[0]),
        gate,
        *map(encode_chunk, events[1:]),
        LAST_CHUNK,
    )
    one._api.give(make_create_event({**ASK, "stream": True}), "id-of-it")
    post = one._api.response("id-of-it")
    assert events[0] in post.chunk()
    assert "answered" in measured.log
    assert measured.values == []
    gate.open()
    assert b"".join(post.chunks()) == b"".join(events[1:])
    post.trailers()
    one._api.reply()
    one._api.expect_close()
    assert one(make_create_event("nonsense")).status == 400  # by now all has been told
    told, _ = measured.values
    assert pop_request_times(told) == "FirstEventMs"
    assert told == {"Requests": 1}


def test_a_stream_that_is_cut(one, measured, provider):
    provider.respond_with(encode_stream_head(), encode_chunk(make_events(new_id())[0]), CLOSE)
    assert b"response.failed" in one(make_create_event({**ASK, "stream": True})).body
    assert one(make_create_event("nonsense")).status == 400
    told, _ = measured.values
    pop_request_times(told)
    assert told == {"Requests": 1, "CutStreams": 1}
    assert '"stream cut"' in measured.log


def test_a_stream_that_the_provider_ends_itself_is_not_cut(one, measured, provider):
    failed = make_event("response.failed", 1, response=make_response(new_id(), "failed"))
    provider.respond_with(encode_stream(make_events(new_id())[0], failed))
    assert one(make_create_event({**ASK, "stream": True})).status == 200
    assert one(make_create_event("nonsense")).status == 400
    assert "CutStreams" not in measured.values[0]


@pytest.mark.parametrize(
    ("event", "status", "kind"),
    [
        (make_create_event(ASK, key="sk-nobody-0123456789"), 401, "invalid_api_key"),
        (make_create_event("nonsense"), 400, "invalid_request"),
        (make_create_event({**ASK, "temperature": "x"}), 400, "invalid_request"),
        (make_create_event({**ASK, "model": "unheard-of"}), 404, "model_not_found"),
        (
            make_create_event({**ASK, "previous_response_id": "resp_x"}),
            400,
            "previous_response_not_found",
        ),
        (make_create_event(ASK).replace(b"/v1/responses", b"/v1/nothing"), 404, "not_found"),
        (
            make_create_event(ASK, **{"content-encoding": "gzip"}),
            415,
            "unsupported_content_encoding",
        ),
    ],
)
def test_what_the_gateway_refuses(one, measured, event, status, kind):
    assert one(event).status == status
    assert measured.only == {"Requests": 1, f"Errors {kind}": 1}


@pytest.mark.parametrize(
    ("status", "kind"),
    [(429, "provider_429"), (400, "provider_4xx"), (500, "provider_5xx"), (401, "upstream_auth")],
)
def test_what_a_provider_refuses(one, measured, provider, status, kind):
    for _ in range(2):  # after a 401 with another credential, if there is one
        provider.respond_with(encode_response(b'{"error":{"message":"m"}}', status))
    assert one(make_create_event(ASK)).status == (502 if status == 401 else status)
    assert measured.only == {"Requests": 1, f"Errors {kind}": 1}


def test_a_provider_that_hangs_up(one, measured, provider):
    provider.respond_with(CLOSE)
    assert one(make_create_event(ASK)).status == 502
    assert measured.only == {"Requests": 1, "Errors upstream_failed": 1}
