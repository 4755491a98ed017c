"""The lines of figures: one for a request, whatever the log's level, and nobody's words."""

import json
import re

from tests.support.events import make_events, make_response, new_id
from tests.support.function import make_create_event
from tests.support.gateway import KEYS
from tests.support.metrics import read_emf_lines
from tests.support.provider import (
    CLOSE,
    encode_chunk,
    encode_response,
    encode_stream,
    encode_stream_head,
)

ASK = {"model": "gpt-5", "input": "x"}
MARK = "MARKER-0f3a"


def good(**more):
    return encode_response(json.dumps(make_response(new_id(), **more)).encode())


def test_nothing_is_told_twice_and_each_line_says_whose_it_is(one, measured, provider):
    ids = []
    for _ in range(3):
        provider.respond_with(good())
        ids.append(one(make_create_event(ASK)).id)
        provider.respond_with(encode_stream(*make_events(new_id())))
        ids.append(one(make_create_event({**ASK, "stream": True})).id)
        ids.append(one(make_create_event("nonsense")).id)
    told = read_emf_lines(measured.log)
    assert [line["request_id"] for line in told] == ids
    assert {line["stage"] for line in told} == {"test"}


def test_what_lambda_keeps_of_the_log_has_the_figures_at_any_level(another, gateway, target):
    more = {"AWS_LAMBDA_LOG_LEVEL": "WARN", "POWERTOOLS_LOG_LEVEL": ""}
    targets = {"measured-one": target()}
    with another.running(gateway.aws_endpoint, targets, **more) as asked:
        assert asked(make_create_event("nonsense")).status == 400
    (line,) = read_emf_lines(another.log)
    assert line["level"] == "WARN"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line["timestamp"])


def test_no_figure_says_who_called_or_what_was_said(one, measured, provider):
    ask = {"model": "gpt-5", "input": MARK, "metadata": {MARK: MARK}, "user": MARK}
    said = [{"type": "message", "id": new_id("msg"), "content": MARK}]
    provider.respond_with(good(output=said))
    assert one(make_create_event(ask, **{"x-own": MARK})).status == 200
    provider.respond_with(encode_stream_head(), encode_chunk(make_events(new_id())[0]), CLOSE)
    assert one(make_create_event({**ask, "stream": True})).status == 200
    provider.respond_with(
        encode_response(json.dumps({"error": {"message": MARK, "code": MARK}}).encode(), 400)
    )
    assert one(make_create_event(ask)).status == 400
    assert one(make_create_event(ask, key=f"{MARK}-0123456789")).status == 401
    assert one(make_create_event({**ask, "model": MARK})).status == 404
    assert one(make_create_event(f'{{"{MARK}":1,"{MARK}":2}}')).status == 400
    told = read_emf_lines(measured.log)
    assert len(told) == 6
    for text in (MARK, "acme", KEYS["acme"], "key_", "resp_"):
        assert text not in json.dumps(told)


def test_on_a_developers_machine_nothing_is_told(another, gateway, target):
    targets, more = {"measured-one": target()}, {"POWERTOOLS_METRICS_DISABLED": "true"}
    with another.running(gateway.aws_endpoint, targets, **more) as asked:
        assert asked(make_create_event("nonsense")).status == 400
    assert another.values == []
