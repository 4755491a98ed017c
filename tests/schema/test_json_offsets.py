"""Edits of one member that leave every other byte unchanged."""

import json

from hypothesis import given
from hypothesis import strategies as st

from antiphon.schema.json_offsets import replace_key, replace_value

WHITE_SPACE = st.text(" \t\r\n", max_size=3).map(str.encode)
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


@st.composite
def bodies(draw):
    """The bytes of a JSON object, with any white space, before and after the value of `model`."""
    keys = draw(
        st.lists(st.text(max_size=5).filter(lambda k: k != "model"), unique=True, max_size=4)
    )
    members = [(json.dumps(k).encode(), json.dumps(draw(VALUE)).encode()) for k in keys]
    model_key = draw(st.sampled_from([b'"model"', b'"mod\\u0065l"']))
    members.insert(draw(st.integers(0, len(members))), (model_key, b"\0"))
    text = b",".join(
        draw(WHITE_SPACE)
        + key
        + draw(WHITE_SPACE)
        + b":"
        + draw(WHITE_SPACE)
        + value
        + draw(WHITE_SPACE)
        for key, value in members
    )
    return tuple((draw(WHITE_SPACE) + b"{" + text + b"}" + draw(WHITE_SPACE)).split(b"\0"))


@given(bodies(), st.text(max_size=8), st.text(max_size=8))
def test_only_the_value_changes(around, old, new):
    before, after = around
    body = before + json.dumps(old).encode() + after
    assert replace_value(body, "model", new) == before + json.dumps(new).encode() + after


def test_members_of_nested_objects_are_unchanged():
    body = b'{"input":{"model":"a"},"tools":[{"model":"b"}],"model":"c"}'
    assert replace_value(body, "model", "d") == body[:-4] + b'"d"}'


def test_a_body_without_the_member_is_unchanged():
    assert replace_value(b'{"a":{"model":1}}', "model", "d") == b'{"a":{"model":1}}'


def test_a_renamed_member_has_the_same_value():
    assert replace_key(b'{ "max_tokens" : 1e2 }', "max_tokens", "max_output_tokens") == (
        b'{ "max_output_tokens" : 1e2 }'
    )
