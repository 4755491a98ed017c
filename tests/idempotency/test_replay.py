"""A stored response told as a stream: every client makes the same response of both."""

import json

import httpx
import openai
import pytest
from hypothesis import given, settings

from antiphon.idempotency.replay import replay_events
from tests.idempotency.heard import heard, told
from tests.idempotency.stored import OUTPUTS, response
from tests.support.events import parse_events

TEXT = {"type": "output_text", "text": "Hello", "annotations": [], "logprobs": []}
MESSAGE = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed"}
CALL = {"type": "function_call", "call_id": "call_1", "name": "look_up", "arguments": "{}"}


def streamed(stored):
    return b"".join(replay_events(stored))


def client(stored):
    """openai-python, before a provider that says it whole or streamed, as it is asked."""

    def answer(request):
        if json.loads(request.content).get("stream"):
            kind = {"content-type": "text/event-stream"}
            return httpx.Response(200, headers=kind, content=streamed(stored))
        return httpx.Response(200, json=stored)

    transport = httpx.Client(transport=httpx.MockTransport(answer))
    return openai.OpenAI(base_url="http://provider/v1", api_key="x", http_client=transport)


@given(OUTPUTS)
@settings(deadline=None)
def test_openai_python_makes_the_same_of_the_stream_as_of_the_whole(output):
    with client(response(output)) as sdk:
        whole = sdk.responses.parse(model="gpt-5", input="x")
        with sdk.responses.stream(model="gpt-5", input="x") as stream:
            assert stream.get_final_response() == whole


@given(OUTPUTS)
def test_deltas_and_parts_add_up_to_the_items(output):
    assert told(heard(parse_events(streamed(response(output))))) == told(output)


@given(OUTPUTS)
def test_every_event_is_numbered_and_named_by_its_type(output):
    stored = response(output)
    blocks = list(replay_events(stored))
    told_events = parse_events(b"".join(blocks))
    assert [event["sequence_number"] for event in told_events] == list(range(len(blocks)))
    for block, event in zip(blocks, told_events, strict=True):
        assert block.startswith(f"event: {event['type']}\ndata: {{".encode())
        assert block.endswith(b"}\n\n")
        assert block.count(b"\n") == 3
    done = [event["item"] for event in told_events if event["type"] == "response.output_item.done"]
    assert done == output
    assert told_events[-1]["response"] == stored


def test_a_message_is_told_as_openai_tells_it():
    stored = response([{**MESSAGE, "content": [{**TEXT, "annotations": [{"type": "x"}]}]}])
    of_item = {"item_id": "msg_1", "output_index": 0}
    at = {**of_item, "content_index": 0}
    part = stored["output"][0]["content"][0]
    begun = {**stored, "status": "in_progress", "output": [], "usage": None, "completed_at": None}
    added = {**MESSAGE, "status": "in_progress", "content": []}
    expected = [
        {"type": "created", "response": begun},
        {"type": "in_progress", "response": begun},
        {"type": "output_item.added", "output_index": 0, "item": added},
        {"type": "content_part.added", **at, "part": TEXT | {"text": ""}},
        {"type": "output_text.delta", **at, "delta": "Hello", "logprobs": []},
        {
            "type": "output_text.annotation.added",
            **at,
            "annotation_index": 0,
            "annotation": {"type": "x"},
        },
        {"type": "output_text.done", **at, "text": "Hello", "logprobs": []},
        {"type": "content_part.done", **at, "part": part},
        {"type": "output_item.done", "output_index": 0, "item": stored["output"][0]},
        {"type": "completed", "response": stored},
    ]
    named = [
        {**event, "type": f"response.{event['type']}", "sequence_number": number}
        for number, event in enumerate(expected)
    ]
    assert parse_events(streamed(stored)) == named


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
def test_a_hosted_call_is_told_step_by_step(item, steps):
    between = parse_events(streamed(response([{**item, "id": "x_1"}])))[3:-2]
    assert [event["type"] for event in between] == [
        f"response.{item['type']}.{step}" for step in steps
    ]


ONE_PIECE = [
    {"type": "brand_new", "id": "new_1", "depth": {"x": [1]}},
    {**CALL, "status": "completed"},  # without an id there is nothing to name it by
    {"type": "shell_call", "id": "sh_1", "call_id": "c", "action": {"commands": ["ls"]}},
]


@pytest.mark.parametrize("item", ONE_PIECE, ids=lambda item: item["type"])
def test_what_cannot_be_told_piece_by_piece_is_told_in_one(item):
    _, _, added, done, _ = parse_events(streamed(response([item])))
    begun = {**item, "status": "in_progress"} if "status" in item else item
    assert (added["item"], done["item"]) == (begun, item)


def test_parts_of_unknown_kinds_are_told_in_one_piece_too():
    parts = [{"type": "brand_new", "x": 1}, {"type": "output_text", "text": None}, {}]
    told_events = parse_events(streamed(response([{**MESSAGE, "content": parts}])))
    named = [event["part"] for event in told_events if "content_part" in event["type"]]
    assert named == [part for part in parts for _ in "ad"]
    assert not any("output_text" in event["type"] for event in told_events)


@pytest.mark.parametrize(
    ("status", "ending"),
    [
        ("completed", "response.completed"),
        ("incomplete", "response.incomplete"),
        ("failed", "response.failed"),
        ("cancelled", "response.failed"),
    ],
)
def test_a_stream_ends_as_the_response_did(status, ending):
    stored = response([{**MESSAGE, "content": [TEXT]}], status, error={"code": "x"})
    *_, last = parse_events(streamed(stored))
    assert (last["type"], last["response"]) == (ending, stored)


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_no_client_takes_a_failure_for_an_answer(status):
    with (
        client(response([], status)) as sdk,
        sdk.responses.stream(model="m", input="x") as stream,
        pytest.raises(RuntimeError, match=r"response\.completed"),
    ):
        stream.get_final_response()


def test_as_much_as_is_there_is_told():
    """Other providers leave out what OpenAI never does."""
    created, _, completed = parse_events(streamed({"id": "resp_1", "object": "response"}))
    assert created["response"]["status"] == "in_progress"
    assert completed["response"] == {"id": "resp_1", "object": "response"}
