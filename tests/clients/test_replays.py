"""A create that comes again with its key, as OpenAI's clients see it: the same answer once more."""

import itertools

import openai
import pytest

from tests.support.gateway import KEYS
from tests.support.lazy import LazyModule

agents = LazyModule("agents")

_numbers = itertools.count()
TOOL = {
    "type": "function",
    "name": "look_up",
    "strict": True,
    "parameters": {
        "type": "object",
        "properties": {"word": {"type": "string"}},
        "required": ["word"],
        "additionalProperties": False,
    },
}
SPOKEN = {
    "sim-text": {},
    "sim-reasoning": {"include": ["reasoning.encrypted_content"]},
    "sim-function-call": {"tools": [TOOL]},
    "sim-refusal": {},
    "sim-structured": {},
}
CUT_SHORT = {"sim-incomplete": {}, "sim-failed": {}}


@pytest.fixture
def ask():
    """The same request as often as it is made, with a key of its own."""
    key = f"replay-{next(_numbers)}"
    return {"input": "Say something.", "extra_headers": {"Idempotency-Key": key}}


def condensed(events):
    """The events, whichever the pieces: neighbouring deltas as one, without their padding."""
    merged = []
    for event in events:
        one = event.to_dict()
        one.pop("sequence_number")
        one.pop("obfuscation", None)
        if merged and one["type"].endswith(".delta") and merged[-1]["type"] == one["type"]:
            merged[-1]["delta"] += one["delta"]
        else:
            merged.append(one)
    return merged


@pytest.mark.parametrize(("model", "more"), (SPOKEN | CUT_SHORT).items(), ids=SPOKEN | CUT_SHORT)
async def test_openai_python_gets_the_same_events_again(sdk, ask, model, more):
    first = [event async for event in sdk.streamed(model=model, **ask, **more)]
    again = [event async for event in sdk.streamed(model=model, **ask, **more)]
    assert condensed(again) == condensed(first)
    assert [event.sequence_number for event in again] == list(range(len(again)))


@pytest.mark.parametrize(("model", "more"), SPOKEN.items(), ids=SPOKEN)
async def test_openai_pythons_helper_makes_the_same_response_again(sdk, ask, model, more):
    first = await sdk.final(model=model, **ask, **more)
    assert await sdk.final(model=model, **ask, **more) == first


async def test_openai_python_is_given_the_same_json_again(sdk, ask):
    first = await sdk.raw(model="sim-text", **ask)
    again = await sdk.raw(model="sim-text", **ask)
    assert again.headers["x-antiphon-replayed"] == "true"
    assert again.text == first.text


async def test_openai_python_does_not_try_a_key_of_another_request_again(sdk, ask):
    await sdk.create(model="sim-text", **ask)
    with pytest.raises(openai.UnprocessableEntityError) as refused:
        await sdk.create(model="sim-text", **ask, instructions="Be brief.")
    assert refused.value.code == "idempotency_key_reused"


async def test_openai_agents_run_on_a_replay(played, door, ask):
    async with openai.AsyncOpenAI(base_url=played.base(door), api_key=KEYS["acme"]) as client:
        agents.set_tracing_disabled(disabled=True)
        provider = agents.OpenAIProvider(openai_client=client, use_responses=True)
        config = agents.RunConfig(model_provider=provider, tracing_disabled=True)
        settings = agents.ModelSettings(extra_headers=ask["extra_headers"])
        agent = agents.Agent(name="Scribe", model="sim-reasoning", model_settings=settings)
        ids = []
        for _ in range(2):
            run = agents.Runner.run_streamed(agent, ask["input"], run_config=config)
            assert {event.type async for event in run.stream_events()}
            assert run.final_output == "You said: Say something."
            ids.append(run.last_response_id)
    assert ids[0] == ids[1]
