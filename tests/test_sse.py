"""Splitting and parsing server-sent events."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon import sse

EOL = st.sampled_from([b"\n", b"\r\n", b"\r"])
LINE = st.one_of(
    st.sampled_from([b": comment", b":", b"event: x", b"id", b"retry: 3", b"data"]),
    st.binary(max_size=8).map(lambda b: b"data: " + b.replace(b"\n", b"").replace(b"\r", b"")),
)


@st.composite
def streams(draw):
    lines = draw(st.lists(st.one_of(LINE, st.just(b"")), max_size=12))
    return b"".join(line + draw(EOL) for line in lines)


def split(stream, cuts):
    splitter, events, start = sse.EventSplitter(), [], 0
    for cut in [*sorted(cuts), len(stream)]:
        events += splitter.feed(stream[start:cut])
        start = cut
    return events, splitter.tail


@given(streams(), st.data())
def test_no_byte_is_lost_or_changed_wherever_the_chunks_end(stream, data):
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=10))
    events, tail = split(stream, cuts)
    assert b"".join(events) + tail == stream


@given(streams(), st.data())
def test_the_data_is_the_same_wherever_the_chunks_end(stream, data):
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=10))
    whole, _ = split(stream, [])
    chunked, _ = split(stream, cuts)
    assert [d for e in chunked if (d := sse.event_data(e)) is not None] == [
        d for e in whole if (d := sse.event_data(e)) is not None
    ]


@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n", b"\r\r", b"\n\r\n", b"\r\n\n", b"\n\r"])
def test_an_event_ends_at_a_blank_line_with_any_line_ending(end):
    splitter = sse.EventSplitter()
    assert splitter.feed(b"data: 1" + end + b"data: 2") == [b"data: 1" + end]
    assert splitter.tail == b"data: 2"


def test_a_single_line_ending_ends_no_event():
    splitter = sse.EventSplitter()
    assert splitter.feed(b"data: 1\r\ndata: 2\r") == []
    assert splitter.feed(b"\n") == []
    assert splitter.feed(b"\r\n") == [b"data: 1\r\ndata: 2\r\n\r\n"]


def test_an_event_above_the_limit_is_refused():
    splitter = sse.EventSplitter(max_event_bytes=10)
    with pytest.raises(sse.EventTooLarge):
        splitter.feed(b"data: 12345")


@pytest.mark.parametrize(
    ("event", "data"),
    [
        (b"data: 1\n\n", b"1"),
        (b"data:1\n\n", b"1"),
        (b"data:  1\n\n", b" 1"),
        (b"data: 1\ndata: 2\n\n", b"1\n2"),
        (b"data: 1\r\nid: 5\r\ndata: 2\r\n\r\n", b"1\n2"),
        (b"data\n\n", b""),
        (b"data:\n\n", b""),
        (b"\xef\xbb\xbfdata: 1\n\n", b"1"),
        (b": data: 1\n\n", None),
        (b"database: 1\n\n", None),
        (b"event: ping\n\n", None),
    ],
)
def test_data_lines_are_parsed_according_to_the_standard(event, data):
    assert sse.event_data(event) == data


def test_only_a_json_object_is_parsed_as_an_event():
    assert sse.parse_event(b"data: [DONE]\n\n") is None
    assert sse.parse_event(b"data: [1]\n\n") is None
    assert sse.parse_event(b": ping\n\n") is None


def test_an_event_has_its_response():
    event = sse.parse_event(b'data: {"type":"response.created","response":{"id":"resp_1"}}\n\n')
    assert event is not None
    assert event.type == "response.created"
    assert event.response == {"id": "resp_1", "status": "in_progress"}


@pytest.mark.parametrize(
    ("kind", "status", "expected"),
    [
        ("response.created", None, "in_progress"),
        ("response.queued", "queued", "queued"),
        ("response.in_progress", {}, "in_progress"),
        ("response.completed", None, "completed"),
        ("response.completed", "in_progress", "completed"),
        ("response.completed", "failed", "failed"),
        ("response.failed", 7, "failed"),
        ("response.incomplete", "incomplete", "incomplete"),
    ],
)
def test_the_type_of_an_event_stands_in_for_a_status_that_is_none(kind, status, expected):
    response = {"id": "resp_1", "usage": {}, "status": status}
    parsed = sse.parse_event(sse.encode_event({"type": kind, "response": response}))
    assert parsed.response == {**response, "status": expected}


def test_without_status_and_usage_a_response_is_not_final():
    parsed = sse.parse_event(b'data: {"type":"response.completed","response":{"status":null}}\n\n')
    assert parsed.response["status"] == "in_progress"


@pytest.mark.parametrize("odd", ["\\ud800", "9" * 4301, "[" * 300 + "]" * 300])
def test_an_event_with_a_value_that_no_parser_takes_is_read(odd):
    odd = f'"{odd}"' if odd.startswith("\\") else odd
    text = '{"type":"response.completed","odd":%s,"response":{"x":%s,"id":"resp_1","usage":{}}}'
    event = sse.parse_event(f"data: {text % (odd, odd)}\n\n".encode())
    assert event.type == "response.completed"
    assert event.response == {"id": "resp_1", "usage": {}, "status": "completed"}


def test_half_of_a_surrogate_pair_can_be_encoded():
    assert sse.encode_event({"type": "error", "x": "\ud83d"}).endswith(b'"x":"\\ud83d"}\n\n')


def test_an_encoded_event_can_be_parsed():
    value = {"type": "error", "message": 'größer\n"zwei" Zeilen'}
    event = sse.encode_event(value)
    assert event.startswith(b"event: error\ndata: {")
    assert event.endswith(b"}\n\n")
    assert json.loads(sse.event_data(event) or b"") == value


@given(st.lists(streams(), max_size=5))
def test_both_ways_to_split_agree(chunks):
    fast, full = sse.EventSplitter(), sse.EventSplitter()
    for chunk in chunks:
        assert fast.feed(chunk) == full._split_buffered(chunk)
        assert fast.tail == full.tail


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_both_ways_to_split_agree_wherever_the_chunks_end(end):
    lines = [b"event: a", b"data: 1", b"", b"", b"", b": ping", b"", b"data: 2", b"", b"data"]
    stream = b"".join(line + end for line in lines)
    for first in range(len(stream) + 1):
        for second in range(first, len(stream) + 1):
            fast, full = sse.EventSplitter(), sse.EventSplitter()
            for chunk in (stream[:first], stream[first:second], stream[second:]):
                assert fast.feed(chunk) == full._split_buffered(chunk)
                assert fast.tail == full.tail
