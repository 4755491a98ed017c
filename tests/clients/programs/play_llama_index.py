# /// script
# requires-python = ">=3.13,<3.15"
# dependencies = ["llama-index-llms-openai>=0.8"]
# ///
"""LlamaIndex's OpenAIResponses."""

import importlib.metadata
import uuid

from cases import BASE, COUNTED, FAILING, KEY, LIMITED, OVERLOADED, WRONG_KEY, describe, report
from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai import OpenAIResponses
from pydantic import BaseModel


class Weather(BaseModel):
    city: str


def get_weather(city: str) -> str:
    """How the weather is."""
    return "snow" if city else ""


def llm(model="gpt-4o", **more):
    return OpenAIResponses(model=model, **{"api_base": BASE, "api_key": KEY, **more})


def user(text):
    return ChatMessage(role="user", content=text)


def create():
    return llm().complete("Hello").text


def stream():
    texts = [chunk.delta for chunk in llm().stream_complete("Hello") if chunk.delta]
    return {"pieces": len(texts) > 1, "text": "".join(texts)}


def tools():
    tool = FunctionTool.from_defaults(get_weather)
    history = [user("Please call get_weather for Oslo.")]
    first = llm().chat_with_tools([tool], chat_history=history)
    (call,) = llm().get_tool_calls_from_response(first)
    answer = ChatMessage(role="tool", content="snow", additional_kwargs={"call_id": call.tool_id})
    second = llm().chat([*history, first.message, answer])
    return {"call": [call.tool_name], "answer": second.message.content}


def structured():
    got = llm().as_structured_llm(Weather).complete("Please call Weather.").raw
    return isinstance(got, Weather)


def previous():
    model = llm(track_previous_responses=True)
    model.chat([user("one")])
    return model.chat([user("two")]).message.content


def resent():
    first = llm().chat([user("one")])
    return llm().chat([user("one"), first.message, user("two")]).message.content


def errors():
    patient = llm("gpt-5", api_base=COUNTED, max_retries=0)
    return {
        "400": describe(lambda: llm(additional_kwargs={"top_p": 9}).complete("x")),
        "401": describe(lambda: llm(api_key=WRONG_KEY).complete("x")),
        "404": describe(lambda: llm("o1").complete("x")),
        "429": describe(lambda: patient.complete(LIMITED)),
    }


def retries():
    """It reads no x-should-retry: a key makes each retry safe."""
    return {"500": describe(lambda: keyed(FAILING))["kind"], "503": keyed(OVERLOADED).text}


def keyed(text):
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    return llm("gpt-5", api_base=COUNTED).complete(text, extra_headers=headers)


CASES = (create, stream, tools, structured, previous, resent, errors, retries)
report(
    importlib.metadata.version("llama-index-llms-openai"), {case.__name__: case for case in CASES}
)
