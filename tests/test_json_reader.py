"""What is needed is found in any JSON, however it is cut into pieces and whatever else is in it."""

import json

import jiter
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.json_reader import (
    MAX_ELEMENTS,
    MAX_PARSED_BYTES,
    RESPONSE,
    UNREADABLE,
    JsonReader,
    read_json,
)
from tests.support.events import ODD_VALUES

NAMES = st.sampled_from([*RESPONSE, "input_tokens", 'a"\\b', "x"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text('a"\\{}[],:é\ud83d', max_size=9),
    lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner),
    max_leaves=20,
)


def read_in_pieces(text, cuts, wanted=RESPONSE):
    reader = JsonReader(wanted)
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        reader.feed(text[start:end])
    return reader.answer


def select(value, wanted):
    """The wanted members of a parsed value."""
    if isinstance(value, dict) and wanted is not None:
        return {name: select(value[name], wanted[name]) for name in value if name in wanted}
    if isinstance(value, list) and wanted is not None:
        return [select(inner, wanted) for inner in value if isinstance(inner, dict)]
    try:
        return jiter.from_json(json.dumps(value).encode())
    except ValueError:
        return UNREADABLE


@given(st.dictionaries(NAMES, VALUES), st.booleans(), st.data())
def test_the_members_are_those_of_a_parser_wherever_the_pieces_end(document, indents, data):
    text = json.dumps(document, indent=1 if indents else None).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=10)))
    answer = read_in_pieces(text, cuts)
    assert answer.is_whole
    assert answer.members == select(document, RESPONSE)


@given(st.binary(max_size=60) | st.text('{}[]",:\\ 1a', max_size=60).map(str.encode))
def test_no_bytes_are_too_strange(text):
    answer = read_json(text)
    if answer.is_whole:
        assert text.strip(b"\xef\xbb\xbf \t\r\n\x0b\x0c").startswith(b"{")


@pytest.mark.parametrize("value", ODD_VALUES.values(), ids=ODD_VALUES)
@pytest.mark.parametrize("at", ["x", "id", "model", "output", "usage"])
def test_a_value_that_cannot_be_read_hides_no_other(value, at):
    text = b'{"id":"resp_1","status":"completed","%b":%b,"object":"response"}'
    members = read_json(text % (at.encode(), value)).members
    assert members["status"] == "completed"
    assert members["object"] == "response"
    assert members["id"] == "resp_1" or at == "id"
    assert at == "x" or value == b"NaN" or members[at] in (UNREADABLE, [], {})


@pytest.mark.parametrize(
    ("text", "members"),
    [
        (b'{"id":"a","obj', {"id": "a"}),
        (b'{"id":"a","usage":{"input_tokens":3,"out', {"id": "a", "usage": {"input_tokens": 3}}),
        (b'{"id":"a"', {"id": "a"}),
        (b'{"id":"a', {}),
        (b'<p>{"id":"a"}</p>', {"id": "a"}),
        (b'{"id":"a"}{"id":"b"}', {"id": "a"}),
        (b'[{"id":"a"}]', {"id": "a"}),
        (b"", {}),
        (b'"id"', {}),
    ],
)
def test_what_is_not_one_whole_object_is_read_as_far_as_it_goes(text, members):
    answer = read_json(text)
    assert (answer.members, answer.is_whole) == (members, False)


def test_the_last_of_equal_names_counts_as_for_every_client():
    text = b'{"id":"a","x":"\\ud800","id":"b"}'
    assert read_json(text).members == {"id": "b"}


def test_a_name_may_be_escaped():
    assert read_json(b'{"\\u0069d":"a","x":"\\ud800"}').members == {"id": "a"}


def test_a_large_text_leaves_little_behind():
    dense = b'{"id":"a","x":[%b0],"data":[%b{}],"status":"completed"}' % (
        b'{"y":[0]},' * 100_000,
        b'{"id":"b"},' * (MAX_ELEMENTS + 1),
    )
    assert len(dense) > MAX_PARSED_BYTES
    answer = read_json(dense)
    assert answer.is_whole
    assert set(answer.members) == {"id", "data", "status"}
    assert len(answer.members["data"]) == MAX_ELEMENTS
