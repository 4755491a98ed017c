"""Strict JSON: what is refused, and where the refusal says it stands."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.errors import InvalidRequest
from antiphon.schema.json_document import read_document

DEEP = 150


def refusal(body):
    with pytest.raises(InvalidRequest) as caught:
        read_document(body)
    return caught.value


def outcome(body):
    try:
        read_document(body)
    except InvalidRequest as fault:
        return fault
    return None


@pytest.mark.parametrize(
    ("body", "param", "says"),
    [
        (b'{"model":"a","model":"b"}', "model", 'duplicate key "model" (line 1, column 22'),
        (b'{"x":{"b":[1,{"a":1,"a":2}]}}', "x.b[1].a", "line 1, column 25"),
        (b'{\n "a": 1,\n "a": 2\n}', "a", "line 3"),
        (b'{"mod\\u0065l":1,"model":2}', "model", "duplicate key"),
        (b'{"temperature":NaN}', "temperature", "NaN and Infinity"),
        (b'{"x":[1,{"y":Infinity}]}', "x[1].y", "NaN and Infinity"),
        (b'{"x":[1,{"y":-Infinity}]}', "x[1].y", "NaN and Infinity"),
        (b'{"temperature":1e999}', "temperature", "out of range"),
        (b'{"a":{"b":[[-1e999]]}}', "a.b[0][0]", "out of range"),
        (b'{"a":1' + b"0" * 5000 + b"}", "a", "out of range"),
        (b'{"input":"\xff"}', "input", "unicode"),
        (b'{"input":"\\ud800"}', "input", "line 1"),
        (b'{"input":"\xed\xa0\x80"}', "input", "unicode"),
        (b'{"input":"a\x01b"}', "input", "control character"),
        (b"\xef\xbb\xbf{}", "body", "UTF-8 byte-order mark"),
        ('{"a":1}'.encode("utf-16"), "body", "UTF-16 byte-order mark"),
        ('{"a":1}'.encode("utf-32-le"), "body", "line 1"),
        (b"", "body", "empty"),
        (b"  \n", "body", "empty"),
        (b"[]", "body", "object"),
        (b'"text"', "body", "object"),
        (b'{"a":1} x', "body", "trailing"),
        (b'{"a":1,}', "body", "trailing comma"),
        (b"{'a':1}", "body", "line 1"),
        (b'{"input": "unfinished', "input", "line 1"),
        (b'{"input": [{"role": "user"', "input[0].role", "line 1"),
        (b'{"x":' + b"[" * DEEP + b"]" * DEEP + b"}", "x", "100 levels"),
        (b'{"x":' + b"[" * 5000 + b"]" * 5000 + b"}", "x", "100 levels"),
        (b'{"x":' + b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"}", "x", "100 levels"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_two_parsers_could_read_differently_is_refused(body, param, says):
    fault = refusal(body)
    assert fault.param == param
    assert says in str(fault)
    assert fault.code == "invalid_json"


def test_a_hundred_levels_are_not_too_deep():
    body = b'{"x":' + b"[" * 99 + b"]" * 99 + b"}"
    assert "x" in read_document(body)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), VALUES, max_size=5))
def test_every_good_document_is_read_as_it_is(value):
    assert read_document(json.dumps(value).encode()) == value


@given(st.binary(max_size=60))
def test_bytes_are_read_or_refused_and_never_break_anything(body):
    fault = outcome(body)
    assert fault is None or (fault.param and fault.code == "invalid_json")


@given(st.dictionaries(st.text(), VALUES, min_size=1, max_size=5), st.data())
def test_a_broken_document_is_refused_with_a_place(value, data):
    text = json.dumps(value).encode()
    at = data.draw(st.integers(0, len(text) - 1))
    broken = (
        text[:at] + data.draw(st.sampled_from([b"\xff", b"\x00", b"NaN", b'"', b"}"])) + text[at:]
    )
    fault = outcome(broken)
    assert fault is None or fault.param
