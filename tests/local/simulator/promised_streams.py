"""What the scenarios promise that answer a stream with one."""

import gzip
import json

from tests.local.simulator.told import check_events

TERMINAL = {"response.completed", "response.failed", "response.incomplete", "error"}


def text_of(told):
    return told.events[-1]["response"]["output"][-1]["content"][0]["text"]


def healthy(told):
    """A stream in any shape, with OpenAI's events."""
    assert told.status == 200
    assert told.broken is None
    check_events(told.events)
    assert told.types[-1] == "response.completed"
    assert text_of(told).startswith("You said: Hello there, friend")


def calls_a_function(told):
    check_events(told.events)
    assert told.events[-1]["response"]["output"][0]["name"] == "get_weather"


def answers_in_json(told):
    check_events(told.events)
    assert json.loads(text_of(told)) == {"answer": "You said: Hello there, friend"}


def refuses(told):
    check_events(told.events)
    assert "response.refusal.delta" in told.types
    assert told.events[-1]["response"]["output"][0]["content"][0]["refusal"].startswith("I'm sorry")


def reasons(told):
    check_events(told.events)
    assert "response.reasoning_summary_text.done" in told.types
    assert told.events[-1]["response"]["output"][0]["type"] == "reasoning"


def ends_as(status, reason=None):
    def check(told):
        check_events(told.events)
        response = told.events[-1]["response"]
        assert told.types[-1] == f"response.{status}"
        assert response["status"] == status
        assert (response["incomplete_details"] or {}).get("reason") == reason
        assert (response["error"] is not None) == (status == "failed")
        assert text_of(told) == "You said: "

    return check


def has_comments(told):
    healthy(told)
    assert told.body.startswith(b": keep-alive\n\nevent: ")
    assert told.body.count(b": keep-alive\n\n") == len(told.events)


def has_line_ends(end):
    def check(told):
        healthy(told)
        assert set(told.body) & set(b"\r\n") == set(end)
        assert told.body.count(end) == told.body.count(end[:1])

    return check


def spreads_data(told):
    healthy(told)
    assert told.body.startswith(b'event: response.created\ndata: {\ndata:  "type": ')


def has_no_event_lines(told):
    healthy(told)
    assert b"event:" not in told.body


def ends_with_done(told):
    healthy(told)
    assert told.body.endswith(b"\n\ndata: [DONE]\n\n")


def has_unknown_parts(told):
    types = set(told.types)
    assert types > {"response.completed", "response.hologram.delta"}
    assert told.types[-1] == "response.completed"
    assert all("since" in e for e in told.events if e["type"] != "response.hologram.delta")


def is_oddly_written(told):
    healthy(told)
    assert b"1e3, -0.0, 1.500, 1E-7, 12345678901234567890123" in told.body
    assert b" :  " in told.body
    assert told.events[0]["odd"][-1] == "é/"


def is_cut_into_bytes(told):
    healthy(told)
    assert "€, four: 🎶" in text_of(told)
    assert sum(len(chunk) == 1 for chunk in told.chunks) > len(told.body) / 2


def is_one_chunk(told):
    healthy(told)
    assert len(told.chunks) == 1


def has_a_big_event(told):
    healthy(told)
    assert [len(e["partial_image_b64"]) for e in told.events if "partial_image_b64" in e] == [
        5_000_000
    ]


def is_compressed(told):
    assert told.headers["content-encoding"] == "gzip"
    assert gzip.decompress(told.body).startswith(b"event: response.created\n")


def is_queued_first(told):
    check_events(told.events)
    assert told.types[:2] == ["response.queued", "response.created"]


def ends_in_flat_error(told):
    check_events(told.events)
    assert TERMINAL.isdisjoint(told.types[:-1])
    assert told.events[-1].keys() == {"type", "sequence_number", "code", "message", "param"}


def ends_in_nested_error(told):
    *_, error, failed = told.events
    assert TERMINAL.isdisjoint(told.types[:-2])
    assert error["error"].keys() == {"type", "code", "message", "param"}
    assert failed["type"] == "response.failed"
    assert failed["response"]["error"]["code"] == "server_error"


def is_an_error_alone(told):
    assert told.types == ["error"]
    assert told.events[0]["error"]["code"] == "server_error"


STREAMED = {
    "sim-text": healthy,
    "sim-function-call": calls_a_function,
    "sim-structured": answers_in_json,
    "sim-refusal": refuses,
    "sim-reasoning": reasons,
    "sim-incomplete": ends_as("incomplete", "max_output_tokens"),
    "sim-content-filter-output": ends_as("incomplete", "content_filter"),
    "sim-failed": ends_as("failed"),
    "sim-comments": has_comments,
    "sim-crlf": has_line_ends(b"\r\n"),
    "sim-cr": has_line_ends(b"\r"),
    "sim-multi-line-data": spreads_data,
    "sim-no-event-lines": has_no_event_lines,
    "sim-done": ends_with_done,
    "sim-unknown": has_unknown_parts,
    "sim-odd-json": is_oddly_written,
    "sim-one-byte": is_cut_into_bytes,
    "sim-one-chunk": is_one_chunk,
    "sim-big": has_a_big_event,
    "sim-gzip": is_compressed,
    "sim-queued-first": is_queued_first,
    "sim-error-flat": ends_in_flat_error,
    "sim-error-nested": ends_in_nested_error,
    "sim-error-first": is_an_error_alone,
}
