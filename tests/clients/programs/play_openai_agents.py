"""openai-agents, tracing off: its sessions, its runs, its stream of events."""

import asyncio
import importlib.metadata

import agents
import openai
from cases import BASE, COUNTED, FAILING, KEY, LIMITED, OVERLOADED, WRONG_KEY, describe, report
from pydantic import BaseModel

agents.set_tracing_disabled(disabled=True)
CLIENT = openai.AsyncOpenAI(base_url=BASE, api_key=KEY)
LOOP = asyncio.Runner()  # connections of the client are bound to one loop


class Weather(BaseModel):
    city: str


def configure(**options):
    """The configuration of a run whose client has these options."""
    provider = agents.OpenAIProvider(openai_client=CLIENT.with_options(**options))
    return agents.RunConfig(model_provider=provider, tracing_disabled=True)


def agent(model="sim-text", **more):
    return agents.Agent(name="Scribe", model=model, **more)


def run(text, *, model="sim-text", options=None, of=None, **more):
    config = configure(**(options or {}))
    return LOOP.run(agents.Runner.run(of or agent(model), text, run_config=config, **more))


def create():
    return run("Hello").final_output


def stream():
    return LOOP.run(streamed())


async def streamed():
    result = agents.Runner.run_streamed(agent(), "Hello", run_config=configure())
    raw = [e.data async for e in result.stream_events() if e.type == "raw_response_event"]
    deltas = [event.delta for event in raw if event.type == "response.output_text.delta"]
    return {"pieces": len(deltas) > 1, "text": result.final_output}


def tools():
    called = []

    @agents.function_tool
    def get_weather(city: str) -> str:
        """How the weather is."""
        called.append("get_weather")
        return "snow" if city else ""

    asking = agent("sim-function-call", tools=[get_weather])
    return {"call": called, "answer": run("How is it in Oslo?", of=asking).final_output}


def structured():
    got = run("Where?", of=agent("sim-structured", output_type=Weather)).final_output
    return isinstance(got, Weather)


def previous():
    first = run("one")
    return run("two", previous_response_id=first.last_response_id).final_output


def resent():
    items = [*run("one").to_input_list(), {"role": "user", "content": "two"}]
    return run(items).final_output


def conversation():
    return LOOP.run(conversed())


async def conversed():
    session = agents.OpenAIConversationsSession(openai_client=CLIENT)
    for word in ("one", "two"):
        last = await agents.Runner.run(agent(), word, session=session, run_config=configure())
    return last.final_output


def errors():
    hot = agent(model_settings=agents.ModelSettings(temperature=9))
    patient = {"base_url": COUNTED, "max_retries": 0}
    return {
        "400": describe(lambda: run("x", of=hot)),
        "401": describe(lambda: run("x", options={"api_key": WRONG_KEY})),
        "404": describe(lambda: run("x", model="nobody-has-it")),
        "429": describe(lambda: run(LIMITED, model="gpt-5", options=patient)),
    }


def retries():
    there = {"model": "gpt-5", "options": {"base_url": COUNTED}}
    return {
        "500": describe(lambda: run(FAILING, **there))["kind"],
        "503": run(OVERLOADED, **there).final_output,
    }


CASES = (create, stream, tools, structured, previous, resent, conversation, errors, retries)
with LOOP:
    report(importlib.metadata.version("openai-agents"), {case.__name__: case for case in CASES})
    LOOP.run(CLIENT.close())
