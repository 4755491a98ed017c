"""What is recorded of an answer: as much as a row can hold, and nothing that it cannot."""

import json
import math
import time

import jiter
import pytest

from antiphon.recording.reading import (
    MAX_NUMBER,
    conversation_id,
    item_ids,
    metadata_of,
    outcome_attributes,
    readable_id,
    status_of,
)
from antiphon.store.dynamodb import marshal

TOKENS = {"input_tokens": 3, "output_tokens": 4}
ODD_USAGES = {
    "NaN": ({**TOKENS, "x": math.nan}, {**TOKENS, "x": None}),
    "infinity": ({**TOKENS, "x": [-math.inf]}, {**TOKENS, "x": [None]}),
    "too small": ({**TOKENS, "x": 1e-300}, {**TOKENS, "x": None}),
    "too large": ({**TOKENS, "x": MAX_NUMBER * 10}, {**TOKENS, "x": None}),
    "4,000 digits": ({**TOKENS, "x": 10**4000}, {**TOKENS, "x": None}),
    "whole": ({"input_tokens": 3.0, "output_tokens": 4e0}, TOKENS),
    "fraction": ({**TOKENS, "x": 0.5, "y": True}, {**TOKENS, "x": 0.5, "y": True}),
    "no name": ({**TOKENS, "": 1}, TOKENS),
    "500 KB of text": ({"x": "y" * 500_000, **TOKENS}, {"x": None, **TOKENS}),
    "many members": ({**{f"x{n}": n for n in range(9_000)}, **TOKENS}, TOKENS),
    "many inner members": ({"x": {f"{n}": "y" * 200 for n in range(60)}, **TOKENS}, TOKENS),
    "nested": ({**TOKENS, "x": [[[[[[1]]]]]]}, {**TOKENS, "x": [[[[]]]]}),
    "no object": (7, None),
    "null": (None, None),
}


@pytest.mark.parametrize(("usage", "recorded"), ODD_USAGES.values(), ids=ODD_USAGES)
def test_a_row_can_hold_whatever_usage_a_provider_sends(usage, recorded):
    attributes = outcome_attributes({"status": "completed", "usage": usage})
    assert attributes["usage"] == recorded
    assert len(json.dumps(marshal(attributes))) < 20_000


@pytest.mark.parametrize("value", [{}, [], 7, True, math.nan, "x" * 500_000, None])
@pytest.mark.parametrize("name", ["status", "model", "service_tier", "completed_at", "usage"])
def test_a_member_of_a_wrong_type_is_left_out(name, value):
    attributes = outcome_attributes({"status": "completed", name: value})
    assert len(json.dumps(marshal(attributes))) < 1_000
    assert attributes["status"] == ("in_progress" if name == "status" else "completed")


@pytest.mark.parametrize("end", [1_800_000_000_000, MAX_NUMBER - 1], ids=["ms", "odd"])
def test_an_end_that_is_no_time_in_seconds_is_replaced(end):
    """A span ends at it, in nanoseconds of 64 bits: collectors refuse all spans with a larger one."""
    attributes = outcome_attributes({"status": "completed", "completed_at": end})
    assert abs(attributes["completed_at"] - time.time()) < 60


def test_a_text_that_is_no_unicode_is_left_out():
    """Half of a surrogate pair: no table and no sort key can hold it."""
    half = "\ud800"
    response = {"model": half, "service_tier": half, "usage": {**TOKENS, "x": half, half: 1}}
    attributes = outcome_attributes({**response, "metadata": {"a": half, half: "b"}})
    assert attributes["usage"] == {**TOKENS, "x": None}
    assert metadata_of({"metadata": {"a": half, half: "b", "c": "d"}}) == {"c": "d"}
    assert json.dumps(marshal(attributes), ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("response", "status"),
    [({}, "completed"), ({"status": None}, "in_progress"), ({"status": "new"}, "new")],
)
def test_null_is_not_completed(response, status):
    assert status_of(response) == status


@pytest.mark.parametrize(
    ("response", "store"), [({}, None), ({"store": True}, None), ({"store": False}, False)]
)
def test_a_provider_may_not_store_what_was_to_be_stored(response, store):
    assert outcome_attributes(response).get("store") is store


IDS = {
    **dict.fromkeys(["resp_1", "x" * 900, "a/b?c#d%20+==", ".a", "arn:aws:x"], True),
    **dict.fromkeys(["", "x" * 901, "a b", "a\n", "é", ".", "..", "\x7f"], False),
}


@pytest.mark.parametrize(("id", "is_readable"), IDS.items(), ids=range(len(IDS)))
def test_an_id_is_any_text_that_a_key_and_a_path_can_hold(id, is_readable):
    expected = id if is_readable else None
    assert readable_id({"id": id}) == conversation_id({"conversation": id}) == expected
    assert conversation_id({"conversation": {"id": id}}) == expected
    assert list(item_ids({"output": [{"id": id}]})) == ([id] if is_readable else [])


@pytest.mark.parametrize("value", [None, 7, {}, [], ["x"], True])
def test_what_is_no_text_is_no_id(value):
    assert readable_id({"id": value}) is None
    assert conversation_id({"conversation": value}) is None
    assert list(item_ids({"output": value, "data": [value, {"id": value}]})) == []


def test_metadata_is_what_the_api_allows():
    odd = {"a": "b", "": "x", "y" * 65: "x", "z": "x" * 513, "n": 1}
    assert metadata_of({"metadata": odd}) == {"a": "b"}
    assert len(metadata_of({"metadata": {str(n): "x" for n in range(40)}})) == 16
    assert metadata_of({"metadata": jiter.from_json(b"[1]")}) == {}
