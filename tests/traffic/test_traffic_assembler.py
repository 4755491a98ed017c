"""Log lines become requests: in any order, with and without the local gateway's own lines."""

import pytest

from infra.traffic.assembler import MAX_OPEN, RequestAssembler
from infra.traffic.record import CALLER_GONE
from tests.traffic.lines import answered, ended, refused, reply, report, started


def assemble(*lines, needs_reply=False):
    assembler = RequestAssembler(needs_reply=needs_reply)
    return assembler, [record for record in map(assembler.add, lines) if record is not None]


def test_a_complete_answer_is_one_line():
    _, [record] = assemble(answered("r1"))
    assert (record.tenant, record.status, record.ms) == ("acme", 200, 812.3)
    assert (record.input_tokens, record.end, record.is_error) == (1234, "completed", False)
    assert record.to_json()["time"] == "2027-01-15T08:00:00.000+00:00"


def test_a_stream_is_complete_at_its_end_with_the_tokens_of_it():
    assembler, records = assemble(started("r1"))
    assert records == []
    assert [each["model"] for each in assembler.streams_since(0)] == ["gpt-5-mini"]
    record = assembler.add(ended("r1"))
    assert (record.first_event_ms, record.ms, record.output_tokens) == (310.4, 24_100.0, 34_567)
    assert (record.method, record.path, record.end) == ("POST", "/v1/responses", "completed")
    assert assembler.streams_since(0) == []


@pytest.mark.parametrize("is_last", [True, False])
def test_on_this_machine_a_reply_adds_the_message_of_an_error(is_last):
    lines = [refused("r1"), reply("r1", status=429, message="Rate limit reached.")]
    _, [record] = assemble(*(lines if is_last else lines[::-1]), needs_reply=True)
    assert (record.message, record.code, record.is_error) == (
        "Rate limit reached.",
        "rate_limit_exceeded",
        True,
    )


def test_a_caller_that_left_ends_the_request_when_the_function_has_ended_it():
    gone = reply("r1", status=200, caller_gone=True)
    assembler, records = assemble(started("r1"), gone, needs_reply=True)
    assert records == []
    record = assembler.add(ended("r1"))
    assert (record.end, record.is_error, record.output_tokens) == (CALLER_GONE, True, 34_567)


def test_a_function_that_timed_out_ends_the_stream():
    assembler, [record] = assemble(started("r1"), report("r1"))
    assert (record.code, record.message) == ("function_failed", "the function timed out")
    assert assembler.streams_since(0) == []


def test_a_function_that_never_answered_is_a_request_too():
    _, [record] = assemble(
        reply("r1", method="GET", path="/v1/models", status=502, failure="It ended."),
        needs_reply=True,
    )
    assert (record.path, record.status, record.message) == ("/v1/models", 502, "It ended.")


def test_what_the_endpoint_refuses_itself_is_a_request_without_an_id():
    line = reply(None, method="POST", path="/v1/files", status=413, message="Too large")
    _, [record] = assemble(line, needs_reply=True)
    assert (record.status, record.message, record.request_id) == (413, "Too large", None)


def test_other_lines_are_ignored():
    text = "Traceback (most recent call last):"
    _, records = assemble(text, "[1]", '{"message":"circuit opened"}', report("r1", "success"))
    assert records == []


def test_requests_that_never_end_are_forgotten():
    assembler, _ = assemble(*(started(f"r{n}") for n in range(MAX_OPEN + 1)))
    assert len(assembler.streams_since(0)) == MAX_OPEN
