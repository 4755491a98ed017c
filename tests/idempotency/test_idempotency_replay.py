"""A replayed stream: every client builds the stored response from it."""

import json

import httpx
import openai
import pytest
from hypothesis import given, settings

from antiphon.idempotency.replay import replay_events
from tests.idempotency.stored_responses import OUTPUTS, make_response
from tests.idempotency.stream_accumulator import accumulate, without_last_fields
from tests.support.events import parse_events

TEXT = {"type": "output_text", "text": "Hello", "annotations": [], "logprobs": []}
MESSAGE = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed"}
CALL = {"type": "function_call", "call_id": "call_1", "name": "look_up", "arguments": "{}"}


def replay(stored):
    return b"".join(replay_events(stored))


def make_client(stored):
    """Return openai-python with a provider that answers complete or as a stream."""

    def respond(request):
        if json.loads(request.content).get("stream"):
            kind = {"content-type": "text/event-stream"}
            return httpx.Response(200, headers=kind, content=replay(stored))
        return httpx.Response(200, json=stored)

    transport = httpx.Client(transport=httpx.MockTransport(respond))
    return openai.OpenAI(base_url="http://provider/v1", api_key="x", http_client=transport)


@given(OUTPUTS)
@settings(deadline=None)
def test_openai_python_builds_the_same_response_from_both(output):
    with make_client(make_response(output)) as sdk:
        complete = sdk.responses.parse(model="gpt-5", input="x")
        with sdk.responses.stream(model="gpt-5", input="x") as stream:
            assert stream.get_final_response() == complete


@given(OUTPUTS)
def test_deltas_and_parts_add_up_to_the_items(output):
    events = parse_events(replay(make_response(output)))
    assert without_last_fields(accumulate(events)) == without_last_fields(output)


@given(OUTPUTS)
def test_every_event_is_numbered_and_named_by_its_type(output):
    stored = make_response(output)
    blocks = list(replay_events(stored))
    events = parse_events(b"".join(blocks))
    assert [event["sequence_number"] for event in events] == list(range(len(blocks)))
    for block, event in zip(blocks, events, strict=True):
        assert block.startswith(f"event: {event['type']}\ndata: {{".encode())
        assert block.endswith(b"}\n\n")
        assert block.count(b"\n") == 3
    items = [event["item"] for event in events if event["type"] == "response.output_item.done"]
    assert items == output
    assert events[-1]["response"] == stored


def test_a_message_has_the_events_that_openai_sends():
    stored = make_response([{**MESSAGE, "content": [{**TEXT, "annotations": [{"type": "x"}]}]}])
    item_position = {"item_id": "msg_1", "output_index": 0}
    position = {**item_position, "content_index": 0}
    part = stored["output"][0]["content"][0]
    initial = {**stored, "status": "in_progress", "output": [], "usage": None, "completed_at": None}
    added = {**MESSAGE, "status": "in_progress", "content": []}
    expected = [
        {"type": "created", "response": initial},
        {"type": "in_progress", "response": initial},
        {"type": "output_item.added", "output_index": 0, "item": added},
        {"type": "content_part.added", **position, "part": TEXT | {"text": ""}},
        {"type": "output_text.delta", **position, "delta": "Hello", "logprobs": []},
        {
            "type": "output_text.annotation.added",
            **position,
            "annotation_index": 0,
            "annotation": {"type": "x"},
        },
        {"type": "output_text.done", **position, "text": "Hello", "logprobs": []},
        {"type": "content_part.done", **position, "part": part},
        {"type": "output_item.done", "output_index": 0, "item": stored["output"][0]},
        {"type": "completed", "response": stored},
    ]
    numbered = [
        {**event, "type": f"response.{event['type']}", "sequence_number": number}
        for number, event in enumerate(expected)
    ]
    assert parse_events(replay(stored)) == numbered


STEPS = [
    ({"type": "web_search_call", "status": "completed"}, ["in_progress", "searching", "completed"]),
    ({"type": "web_search_call", "status": "failed"}, ["in_progress", "searching"]),
    ({"type": "file_search_call", "status": "incomplete"}, ["in_progress", "searching"]),
    (
        {"type": "image_generation_call", "status": "completed"},
        ["in_progress", "generating", "completed"],
    ),
    ({"type": "mcp_list_tools", "tools": []}, ["in_progress", "completed"]),
    ({"type": "mcp_list_tools", "tools": [], "error": "x"}, ["in_progress", "failed"]),
    ({"type": "mcp_call", "status": "failed"}, ["in_progress", "failed"]),
    ({"type": "mcp_call", "status": "incomplete"}, ["in_progress"]),
    ({"type": "mcp_call", "error": {"type": "x"}}, ["in_progress", "failed"]),
    ({"type": "compaction", "encrypted_content": "x"}, ["compacting"]),
]


@pytest.mark.parametrize(("item", "steps"), STEPS, ids=str)
def test_a_hosted_call_has_an_event_for_each_state(item, steps):
    between = parse_events(replay(make_response([{**item, "id": "x_1"}])))[3:-2]
    assert [event["type"] for event in between] == [
        f"response.{item['type']}.{step}" for step in steps
    ]


WITHOUT_INNER_EVENTS = [
    {"type": "brand_new", "id": "new_1", "depth": {"x": [1]}},
    {**CALL, "status": "completed"},  # without an id, no event can refer to it
    {"type": "shell_call", "id": "sh_1", "call_id": "c", "action": {"commands": ["ls"]}},
]


@pytest.mark.parametrize("item", WITHOUT_INNER_EVENTS, ids=lambda item: item["type"])
def test_unknown_items_have_no_inner_events(item):
    _, _, added, done, _ = parse_events(replay(make_response([item])))
    initial = {**item, "status": "in_progress"} if "status" in item else item
    assert (added["item"], done["item"]) == (initial, item)


def test_unknown_parts_have_no_inner_events():
    parts = [{"type": "brand_new", "x": 1}, {"type": "output_text", "text": None}, {}]
    events = parse_events(replay(make_response([{**MESSAGE, "content": parts}])))
    event_parts = [event["part"] for event in events if "content_part" in event["type"]]
    assert event_parts == [part for part in parts for _ in "ad"]
    assert not any("output_text" in event["type"] for event in events)


@pytest.mark.parametrize(
    ("status", "terminal"),
    [
        ("completed", "response.completed"),
        ("incomplete", "response.incomplete"),
        ("failed", "response.failed"),
        ("cancelled", "response.failed"),
    ],
)
def test_the_terminal_event_follows_the_status(status, terminal):
    stored = make_response([{**MESSAGE, "content": [TEXT]}], status, error={"code": "x"})
    *_, last = parse_events(replay(stored))
    assert (last["type"], last["response"]) == (terminal, stored)


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_no_client_takes_a_failure_for_a_response(status):
    with (
        make_client(make_response([], status)) as sdk,
        sdk.responses.stream(model="m", input="x") as stream,
        pytest.raises(RuntimeError, match=r"response\.completed"),
    ):
        stream.get_final_response()


def test_missing_fields_stay_missing():
    """Other providers omit fields that OpenAI always sends."""
    created, _, completed = parse_events(replay({"id": "resp_1", "object": "response"}))
    assert created["response"]["status"] == "in_progress"
    assert completed["response"] == {"id": "resp_1", "object": "response"}
