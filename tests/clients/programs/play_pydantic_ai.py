# /// script
# requires-python = ">=3.13,<3.15"
# dependencies = ["pydantic-ai-slim[openai]>=2"]
# ///
"""Pydantic AI's agents over OpenAIResponsesModel."""

import importlib.metadata

from cases import BASE, COUNTED, FAILING, KEY, LIMITED, OVERLOADED, WRONG_KEY, describe, report
from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIResponsesModel, OpenAIResponsesModelSettings
from pydantic_ai.providers.openai import OpenAIProvider


class Weather(BaseModel):
    city: str


def agent(model="sim-text", base_url=BASE, api_key=KEY, **more):
    provider = OpenAIProvider(base_url=base_url, api_key=api_key)
    return Agent(OpenAIResponsesModel(model, provider=provider), **more)


def create():
    return agent().run_sync("Hello").output


def stream():
    result = agent().run_stream_sync("Hello")
    texts = list(result.stream_text(delta=True, debounce_by=None))
    return {"pieces": len(texts) > 1, "text": "".join(texts)}


def tools():
    called = []
    asking = agent("sim-function-call")

    @asking.tool_plain
    def get_weather(city: str) -> str:
        called.append("get_weather")
        return "snow" if city else ""

    return {"call": called, "answer": asking.run_sync("How is the weather in Oslo?").output}


def structured():
    got = agent("sim-function-call", output_type=Weather).run_sync("Where?").output
    return isinstance(got, Weather)


def previous():
    settings = OpenAIResponsesModelSettings(openai_previous_response_id="auto")
    first = agent().run_sync("one")
    history = first.all_messages()
    return agent().run_sync("two", message_history=history, model_settings=settings).output


def resent():
    first = agent().run_sync("one")
    return agent().run_sync("two", message_history=first.all_messages()).output


def errors():
    return {
        "400": describe(lambda: agent().run_sync("x", model_settings={"temperature": 9})),
        "401": describe(lambda: agent(api_key=WRONG_KEY).run_sync("x")),
        "404": describe(lambda: agent("nobody-has-it").run_sync("x")),
        "429": describe(lambda: agent("gpt-5", base_url=COUNTED).run_sync(LIMITED)),
    }


def retries():
    asking = agent("gpt-5", base_url=COUNTED)
    return {
        "500": describe(lambda: asking.run_sync(FAILING))["kind"],
        "503": asking.run_sync(OVERLOADED).output,
    }


CASES = (create, stream, tools, structured, previous, resent, errors, retries)
report(importlib.metadata.version("pydantic-ai-slim"), {case.__name__: case for case in CASES})
