"""Checks of the scenarios that reply with a stream."""

import gzip
import json

from tests.local.simulator.reply import check_events

TERMINAL = {"response.completed", "response.failed", "response.incomplete", "error"}


def text_of(reply):
    return reply.events[-1]["response"]["output"][-1]["content"][0]["text"]


def is_complete_stream(reply):
    """Checks a complete stream in any encoding."""
    assert reply.status == 200
    assert reply.transport_error is None
    check_events(reply.events)
    assert reply.types[-1] == "response.completed"
    assert text_of(reply).startswith("You said: Hello there, friend")


def has_function_call(reply):
    check_events(reply.events)
    assert reply.events[-1]["response"]["output"][0]["name"] == "get_weather"


def has_json_output(reply):
    check_events(reply.events)
    assert json.loads(text_of(reply)) == {"answer": "You said: Hello there, friend"}


def has_refusal(reply):
    check_events(reply.events)
    assert "response.refusal.delta" in reply.types
    assert reply.events[-1]["response"]["output"][0]["content"][0]["refusal"].startswith(
        "I'm sorry"
    )


def has_reasoning(reply):
    check_events(reply.events)
    assert "response.reasoning_summary_text.done" in reply.types
    assert reply.events[-1]["response"]["output"][0]["type"] == "reasoning"


def has_status(status, reason=None):
    def check(reply):
        check_events(reply.events)
        response = reply.events[-1]["response"]
        assert reply.types[-1] == f"response.{status}"
        assert response["status"] == status
        assert (response["incomplete_details"] or {}).get("reason") == reason
        assert (response["error"] is not None) == (status == "failed")
        assert text_of(reply) == "You said: "

    return check


def has_comments(reply):
    is_complete_stream(reply)
    assert reply.body.startswith(b": keep-alive\n\nevent: ")
    assert reply.body.count(b": keep-alive\n\n") == len(reply.events)


def has_line_ends(end):
    def check(reply):
        is_complete_stream(reply)
        assert set(reply.body) & set(b"\r\n") == set(end)
        assert reply.body.count(end) == reply.body.count(end[:1])

    return check


def has_many_data_lines(reply):
    is_complete_stream(reply)
    assert reply.body.startswith(b'event: response.created\ndata: {\ndata:  "type": ')


def has_no_event_lines(reply):
    is_complete_stream(reply)
    assert b"event:" not in reply.body


def has_done_at_end(reply):
    is_complete_stream(reply)
    assert reply.body.endswith(b"\n\ndata: [DONE]\n\n")


def has_unknown_parts(reply):
    types = set(reply.types)
    assert types > {"response.completed", "response.hologram.delta"}
    assert reply.types[-1] == "response.completed"
    assert all("since" in e for e in reply.events if e["type"] != "response.hologram.delta")


def has_unusual_json(reply):
    is_complete_stream(reply)
    assert b"1e3, -0.0, 1.500, 1E-7, 12345678901234567890123" in reply.body
    assert b" :  " in reply.body
    assert reply.events[0]["odd"][-1] == "é/"


def is_split_into_bytes(reply):
    is_complete_stream(reply)
    assert "€, four: 🎶" in text_of(reply)
    assert sum(len(chunk) == 1 for chunk in reply.chunks) > len(reply.body) / 2


def is_one_chunk(reply):
    is_complete_stream(reply)
    assert len(reply.chunks) == 1


def has_big_event(reply):
    is_complete_stream(reply)
    assert [len(e["partial_image_b64"]) for e in reply.events if "partial_image_b64" in e] == [
        5_000_000
    ]


def is_compressed(reply):
    assert reply.headers["content-encoding"] == "gzip"
    assert gzip.decompress(reply.body).startswith(b"event: response.created\n")


def starts_with_queued(reply):
    check_events(reply.events)
    assert reply.types[:2] == ["response.queued", "response.created"]


def has_flat_error(reply):
    check_events(reply.events)
    assert TERMINAL.isdisjoint(reply.types[:-1])
    assert reply.events[-1].keys() == {"type", "sequence_number", "code", "message", "param"}


def has_nested_error(reply):
    *_, error, failed = reply.events
    assert TERMINAL.isdisjoint(reply.types[:-2])
    assert error["error"].keys() == {"type", "code", "message", "param"}
    assert failed["type"] == "response.failed"
    assert failed["response"]["error"]["code"] == "server_error"


def is_only_error(reply):
    assert reply.types == ["error"]
    assert reply.events[0]["error"]["code"] == "server_error"


STREAM_CHECKS = {
    "sim-text": is_complete_stream,
    "sim-function-call": has_function_call,
    "sim-structured": has_json_output,
    "sim-refusal": has_refusal,
    "sim-reasoning": has_reasoning,
    "sim-incomplete": has_status("incomplete", "max_output_tokens"),
    "sim-content-filter-output": has_status("incomplete", "content_filter"),
    "sim-failed": has_status("failed"),
    "sim-comments": has_comments,
    "sim-crlf": has_line_ends(b"\r\n"),
    "sim-cr": has_line_ends(b"\r"),
    "sim-multi-line-data": has_many_data_lines,
    "sim-no-event-lines": has_no_event_lines,
    "sim-done": has_done_at_end,
    "sim-unknown": has_unknown_parts,
    "sim-odd-json": has_unusual_json,
    "sim-one-byte": is_split_into_bytes,
    "sim-one-chunk": is_one_chunk,
    "sim-big": has_big_event,
    "sim-gzip": is_compressed,
    "sim-queued-first": starts_with_queued,
    "sim-error-flat": has_flat_error,
    "sim-error-nested": has_nested_error,
    "sim-error-first": is_only_error,
}
