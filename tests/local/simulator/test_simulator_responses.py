"""Responses without faults, as the SDK receives them."""

import json

import pytest

from tests.local.simulator.reply import check_events, check_response, send_create

OPENING = ["response.created", "response.in_progress"]
TEXT = [
    "response.output_item.added",
    "response.content_part.added",
    *["response.output_text.delta"] * 5,
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
]


def test_the_output_repeats_the_input(client):
    response = client.responses.create(model="gpt-4.1", input="What is rain?")
    assert response.output_text == "You said: What is rain?"
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens
    assert response._request_id.startswith("req_")


def test_a_response_repeats_the_fields_of_its_request(simulator):
    fields = {
        "instructions": "Be brief.",
        "metadata": {"team": "a"},
        "temperature": 1,
        "tools": [{"type": "web_search"}],
        "tool_choice": "none",
        "user": "u1",
        "store": False,
        "max_output_tokens": 100,
        "reasoning": {"effort": "low"},
        "client_metadata": {"unknown": True},
    }
    response = json.loads(send_create(simulator, "gpt-5", **fields).body)
    check_response(response)
    reply = {key: response.get(key) for key in fields if key != "client_metadata"}
    assert reply == {
        **{key: value for key, value in fields.items() if key != "client_metadata"},
        "reasoning": {"effort": "low", "summary": None},
    }
    assert isinstance(response["created_at"], int)
    assert response["completed_at"] >= response["created_at"]
    assert response["usage"]["input_tokens_details"] == {
        "cached_tokens": 0,
        "cache_write_tokens": 0,
    }


def test_a_response_has_every_required_field(simulator):
    response = json.loads(send_create(simulator).body)
    required = "id object created_at error incomplete_details instructions metadata model output"
    required += " parallel_tool_calls temperature tool_choice tools top_p"
    assert set(required.split()) <= response.keys()
    assert response["model"] == "gpt-4.1"
    assert response["id"].startswith("resp_")
    assert len(response["id"]) == len("resp_") + 48


def test_a_text_is_streamed_in_the_events_of_openai(simulator):
    reply = send_create(simulator, stream=True)
    assert reply.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert reply.types == [*OPENING, *TEXT, "response.completed"]
    check_events(reply.events)
    assert reply.body.startswith(b'event: response.created\ndata: {"type":"response.created",')
    assert reply.body.endswith(b"}\n\n")


def test_a_reasoning_model_starts_with_a_reasoning_item(simulator):
    reply = send_create(
        simulator,
        "o4-mini",
        stream=True,
        reasoning={"summary": "auto"},
        include=["reasoning.encrypted_content"],
    )
    check_events(reply.events)
    reasoning, message = reply.events[-1]["response"]["output"]
    assert reasoning["type"] == "reasoning"
    assert reasoning["encrypted_content"]
    assert reasoning["summary"][0]["text"]
    assert message["content"][0]["text"] == "You said: Hello there, friend"
    assert "response.reasoning_summary_text.delta" in reply.types
    assert reply.events[-1]["response"]["usage"]["output_tokens_details"]["reasoning_tokens"] > 0


def test_a_reasoning_item_without_summary_has_no_text(client):
    item = client.responses.create(model="gpt-5", input="Hi").output[0]
    assert (item.type, item.summary, item.encrypted_content) == ("reasoning", [], None)


@pytest.mark.parametrize(
    ("options", "padded"), [({}, True), ({"include_obfuscation": False}, False)]
)
def test_deltas_are_padded_unless_the_request_disables_it(simulator, options, padded):
    reply = send_create(simulator, stream=True, stream_options=options)
    deltas = [event for event in reply.events if event["type"].endswith(".delta")]
    assert all(("obfuscation" in event) == padded for event in deltas)


def test_the_sdk_accumulates_a_stream(client):
    with client.responses.stream(model="gpt-5", input="Hi") as stream:
        text = "".join(e.delta for e in stream if e.type == "response.output_text.delta")
        assert stream.get_final_response().output_text == text == "You said: Hi"


def test_the_metadata_sets_the_number_of_deltas(simulator):
    reply = send_create(simulator, stream=True, metadata={"sim_events": "37", "sim_delay_ms": "1"})
    assert reply.types.count("response.output_text.delta") == 37


def test_too_few_tokens_leave_the_answer_incomplete(client):
    response = client.responses.create(
        model="gpt-4.1", input="word " * 30, max_output_tokens=16, metadata={"sim_events": "20"}
    )
    assert response.status == "incomplete"
    assert response.incomplete_details.reason == "max_output_tokens"
    assert len(response.output_text.split()) == 16


@pytest.mark.parametrize(("limit", "reasoning", "words"), [(16, 16, 0), (80, 64, 16)])
def test_reasoning_counts_against_the_tokens(client, limit, reasoning, words):
    response = client.responses.create(model="o4-mini", input="word " * 30, max_output_tokens=limit)
    assert response.incomplete_details.reason == "max_output_tokens"
    assert response.output_text.count(" ") == words
    assert [item.type for item in response.output] == ["reasoning", "message"][: 1 + bool(words)]
    assert response.usage.output_tokens == limit
    assert response.usage.output_tokens_details.reasoning_tokens == reasoning


def test_without_effort_a_model_does_not_reason(client):
    response = client.responses.create(
        model="gpt-6.1-terra", input="Hi", temperature=0.5, reasoning={"effort": "none"}
    )
    assert [item.type for item in response.output] == ["message"]
    assert response.usage.output_tokens_details.reasoning_tokens == 0


def test_images_files_and_long_texts_are_accepted(client):
    file = client.files.create(file=("b.txt", b"b" * 10_000), purpose="user_data")
    parts = [
        {"type": "input_text", "text": "Look: " + "a" * 10_000},
        {"type": "input_image", "image_url": "data:image/png;base64,AAAA"},
        {"type": "input_file", "file_id": file.id},
    ]
    response = client.responses.create(
        model="gpt-4.1", input=[{"role": "user", "content": parts}], include=[], tools=[]
    )
    assert response.output_text.startswith("You said: Look: aaa")
    assert " The file b.txt has: bbb" in response.output_text
    assert len(response.output_text) < 1_000
