"""openai-python through the gateway: what its users do all day, against the simulator."""

import json

import openai
import pytest
from openai.types.responses import Response
from pydantic import BaseModel

WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather of a city",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string", "enum": ["Oslo"]}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}


class Event(BaseModel):
    name: str
    year: int
    guests: list[str]


async def test_an_answer_is_a_response(sdk):
    got = await sdk.create(model="sim-text", input="Hello")
    assert isinstance(got, Response)
    assert (got.status, got.error, got.output_text) == ("completed", None, "You said: Hello")
    assert got.usage is not None
    assert got.usage.total_tokens == got.usage.input_tokens + got.usage.output_tokens
    assert got._request_id


async def test_a_stream_is_events_to_its_end(sdk):
    got = [event async for event in sdk.streamed(model="sim-text", input="Hello")]
    assert [event.sequence_number for event in got] == list(range(len(got)))
    assert (got[0].type, got[-1].type) == ("response.created", "response.completed")
    text = "".join(event.delta for event in got if event.type == "response.output_text.delta")
    assert text == got[-1].response.output_text == "You said: Hello"


async def test_the_helper_adds_snapshots_and_knows_the_final_response(sdk):
    got = [event async for event in sdk.helped(model="sim-text", input="Hello")]
    *_, last = (event for event in got if event.type == "response.output_text.delta")
    assert last.snapshot == "You said: Hello"
    final = await sdk.final(model="sim-text", input="Hello")
    assert (final.status, final.output_text) == ("completed", "You said: Hello")


async def test_a_conversation_goes_on_by_the_previous_response(sdk):
    first = await sdk.create(model="sim-text", input="one")
    second = await sdk.create(model="sim-text", input="two", previous_response_id=first.id)
    third = await sdk.final(model="sim-text", input="three", previous_response_id=second.id)
    assert second.previous_response_id == first.id
    assert third.output_text == "You said: three (Turn 3; before that you said: two)"


ENCRYPTED = {"store": False, "include": ["reasoning.encrypted_content"]}


@pytest.mark.parametrize("options", [{}, ENCRYPTED], ids=["stored", "encrypted"])
async def test_a_conversation_continues(sdk, options):
    """The output's own items go back in, as the SDK read them; reasoning is one of them."""
    items = [{"role": "user", "content": "one"}]
    first = await sdk.create(model="o3", input=items, **options)
    items += [*first.output, {"role": "user", "content": "two"}]
    second = await sdk.create(model="o3", input=items, **options)
    assert second.output_text == "You said: two (Turn 2; before that you said: one)"


async def test_reasoning_that_nobody_keeps_is_not_found(sdk):
    """As at OpenAI: without the encrypted content, such an item is a reference to a stored one."""
    first = await sdk.create(model="o3", input="one", store=False)
    with pytest.raises(openai.NotFoundError, match="not found"):
        await sdk.create(model="o3", input=first.output, store=False)


async def test_a_function_is_called_and_answered(sdk):
    ask = {"model": "sim-function-call", "tools": [WEATHER]}
    first = await sdk.create(input="How is the weather in Oslo?", **ask)
    (call,) = first.output
    assert (call.type, call.name) == ("function_call", "get_weather")
    assert json.loads(call.arguments) == {"city": "Oslo"}
    answer = {"type": "function_call_output", "call_id": call.call_id, "output": "snow"}
    second = await sdk.create(input=[answer], previous_response_id=first.id, **ask)
    assert second.output_text == "The tool answered: snow"


async def test_a_function_call_is_streamed(sdk):
    ask = {"model": "sim-function-call", "input": "How is it?", "tools": [WEATHER]}
    got = [event async for event in sdk.helped(**ask)]
    (done,) = (event for event in got if event.type == "response.function_call_arguments.done")
    deltas = (e.delta for e in got if e.type == "response.function_call_arguments.delta")
    assert json.loads("".join(deltas)) == json.loads(done.arguments) == {"city": "Oslo"}


async def test_an_answer_is_parsed_into_the_callers_model(sdk):
    ask = {"model": "sim-structured", "input": "A party", "text_format": Event}
    parsed = (await sdk.parse(**ask)).output_parsed
    assert isinstance(parsed, Event)
    assert parsed == (await sdk.final(**ask)).output_parsed


async def test_output_follows_the_json_schema(sdk):
    schema = {**WEATHER["parameters"], "$schema": "https://json-schema.org/draft/2020-12/schema"}
    form = {"type": "json_schema", "name": "weather", "strict": True, "schema": schema}
    got = await sdk.create(model="sim-text", input="Hello", text={"format": form})
    assert json.loads(got.output_text) == {"city": "Oslo"}
    assert got.text.format.schema_ == schema


async def test_a_refusal_is_no_answer(sdk):
    got = await sdk.parse(model="sim-refusal", input="Hello", text_format=Event)
    assert got.output[0].content[0].type == "refusal"
    assert got.output_parsed is None


async def test_reasoning_comes_before_the_answer(sdk):
    ask = {"model": "o3", "input": "Hello", "reasoning": {"effort": "low", "summary": "auto"}}
    got = await sdk.create(**ask)
    assert [item.type for item in got.output] == ["reasoning", "message"]
    assert got.output[0].summary[0].text
    types = [event.type async for event in sdk.streamed(**ask)]
    first_word = types.index("response.output_text.delta")
    assert types.index("response.reasoning_summary_text.delta") < first_word


async def test_reasoning_that_is_not_stored_comes_encrypted(sdk):
    got = await sdk.create(model="o3", input="Hello", **ENCRYPTED)
    assert got.output[0].encrypted_content


async def test_the_options_of_the_request_are_in_the_response(sdk):
    options = {
        "instructions": "Be brief.",
        "metadata": {"team": "blue"},
        "temperature": 0.5,
        "top_p": 0.25,
        "parallel_tool_calls": False,
        "safety_identifier": "user-7",
        "truncation": "auto",
    }
    got = await sdk.create(model="sim-text", input="Hello", **options)
    assert got.model_dump(include=set(options)) == options


async def test_an_answer_that_is_cut_short_says_so(sdk):
    ask = {"model": "sim-text", "input": "word " * 40, "max_output_tokens": 16}
    got = await sdk.create(**ask)
    assert (got.status, got.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    *_, last = [event async for event in sdk.streamed(**ask)]
    assert (last.type, last.response.status) == ("response.incomplete", "incomplete")


async def test_work_in_the_background_is_begun(sdk):
    got = await sdk.create(model="sim-text", input="Hello", background=True)
    assert got.status in {"queued", "in_progress", "completed"}
    assert got.background is True


SHAPES = (
    "sim-big",
    "sim-comments",
    "sim-cr",
    "sim-crlf",
    "sim-done",
    "sim-gzip",
    "sim-long",
    "sim-multi-line-data",
    "sim-no-event-lines",
    "sim-odd-json",
    "sim-one-byte",
    "sim-one-chunk",
    "sim-unknown",
)


@pytest.mark.parametrize("model", SHAPES)
async def test_however_a_provider_writes_it_an_answer_is_read(sdk, model):
    ask = {"model": model, "input": "Hello"}
    *_, streamed = [event async for event in sdk.streamed(**ask)]
    helped = await sdk.final(**ask)
    whole = await sdk.create(**ask)
    assert whole.status == helped.status == streamed.response.status == "completed"
    assert whole.output_text == helped.output_text == streamed.response.output_text
