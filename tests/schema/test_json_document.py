"""Strict JSON: what is refused, and the position in the error."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.errors import InvalidRequest
from antiphon.schema.json_document import read_document

DEEP = 150


def find_error(body):
    """The error for a body; None if it is valid."""
    try:
        read_document(body)
    except InvalidRequest as exc:
        return exc
    return None


@pytest.mark.parametrize(
    ("body", "param", "message"),
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
def test_ambiguous_json_is_refused(body, param, message):
    error = find_error(body)
    assert error.param == param
    assert message in str(error)
    assert error.code == "invalid_json"


def test_a_hundred_levels_are_accepted():
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
def test_every_valid_document_is_read(value):
    assert read_document(json.dumps(value).encode()) == value


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(body):
    error = find_error(body)
    assert error is None or (error.param and error.code == "invalid_json")


@given(st.dictionaries(st.text(), VALUES, min_size=1, max_size=5), st.data())
def test_the_error_of_an_invalid_document_has_a_position(value, data):
    text = json.dumps(value).encode()
    at = data.draw(st.integers(0, len(text) - 1))
    broken = (
        text[:at] + data.draw(st.sampled_from([b"\xff", b"\x00", b"NaN", b'"', b"}"])) + text[at:]
    )
    error = find_error(broken)
    assert error is None or error.param
