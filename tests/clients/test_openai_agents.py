"""openai-agents in front of the gateway: a conversation kept by its own session."""

import openai
import pytest

from tests.support.gateway import KEYS
from tests.support.lazy import LazyModule

agents = LazyModule("agents")


@pytest.fixture
async def client(played, door):
    async with openai.AsyncOpenAI(base_url=played.base(door), api_key=KEYS["acme"]) as sdk:
        yield sdk


@pytest.fixture
def config(client):
    agents.set_tracing_disabled(disabled=True)
    provider = agents.OpenAIProvider(openai_client=client, use_responses=True)
    return agents.RunConfig(model_provider=provider, tracing_disabled=True)


async def test_a_session_keeps_its_conversation_at_the_gateway(client, config):
    session = agents.OpenAIConversationsSession(openai_client=client)
    agent = agents.Agent(name="Scribe", instructions="Be brief.", model="sim-text")
    first = await agents.Runner.run(agent, "My name is Ada.", session=session, run_config=config)
    second = await agents.Runner.run(agent, "What is it?", session=session, run_config=config)
    assert first.final_output
    assert second.final_output
    messages = [item for item in await session.get_items() if item.get("role") == "user"]
    assert len(messages) == 2
    await session.clear_session()


async def test_an_agent_calls_its_tool_and_streams_its_answer(config):
    called = []

    @agents.function_tool
    def look_up(word: str) -> str:
        """Look a word up."""
        called.append(word)
        return "found"

    agent = agents.Agent(name="Scribe", model="gpt-agent", tools=[look_up])
    run = agents.Runner.run_streamed(agent, "Please look_up something.", run_config=config)
    kinds = {event.type async for event in run.stream_events()}
    assert called
    assert run.final_output
    assert "raw_response_event" in kinds


async def test_an_agent_calls_a_tool_that_a_search_has_loaded(config):
    @agents.function_tool(defer_loading=True)
    def look_up(word: str) -> str:
        """Look a word up."""
        return f"found {word}"

    agent = agents.Agent(name="Scribe", model="gpt-agent", tools=[agents.ToolSearchTool(), look_up])
    run = agents.Runner.run_streamed(agent, "Please look_up something.", run_config=config)
    assert [event async for event in run.stream_events()]
    assert run.final_output == "The tool answered: found word"


async def test_another_tenants_conversation_is_unknown(client, played, door):
    made = await client.conversations.create()
    async with openai.AsyncOpenAI(base_url=played.base(door), api_key=KEYS["umbra"]) as other:
        with pytest.raises(openai.NotFoundError):
            await other.conversations.items.list(made.id)
