# /// script
# requires-python = ">=3.13,<3.15"
# dependencies = ["langchain-openai>=1.7"]
# ///
"""LangChain's ChatOpenAI, with use_responses_api=True and without."""

import importlib.metadata

from cases import (
    BASE,
    COUNTED,
    FAILING,
    KEY,
    LIMITED,
    OVERLOADED,
    WEATHER,
    WRONG_KEY,
    describe,
    report,
)
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

TOOL = {"type": "function", "name": "get_weather", "parameters": WEATHER, "strict": True}


class Weather(BaseModel):
    city: str


def chat(model="sim-text", **more):
    settings = {"base_url": BASE, "api_key": KEY, "use_responses_api": True}
    return ChatOpenAI(model=model, **{**settings, **more})


def create():
    return chat().invoke("Hello").text


def stream():
    texts = [chunk.text for chunk in chat().stream("Hello") if chunk.text]
    return {"pieces": len(texts) > 1, "text": "".join(texts)}


def tools():
    model = chat("sim-function-call").bind_tools([TOOL])
    messages = [HumanMessage("How is the weather in Oslo?")]
    messages.append(model.invoke(messages))
    (call,) = messages[-1].tool_calls
    messages.append(ToolMessage("snow", tool_call_id=call["id"]))
    return {"call": [call["name"]], "answer": model.invoke(messages).text}


def structured():
    got = chat("sim-structured").with_structured_output(Weather).invoke("Where?")
    return isinstance(got, Weather)


def previous():
    model = chat(use_previous_response_id=True)
    first = model.invoke("one")
    return model.invoke([HumanMessage("one"), first, HumanMessage("two")]).text


def resent():
    first = chat().invoke("one")
    return chat().invoke([HumanMessage("one"), AIMessage(first.text), HumanMessage("two")]).text


def conversation():
    model = chat()
    made = model.root_client.conversations.create()
    for word in ("one", "two"):
        last = model.invoke(word, conversation=made.id)
    return last.text


def errors():
    patient = chat("gpt-5", base_url=COUNTED, max_retries=0)
    return {
        "400": describe(lambda: chat(temperature=9).invoke("x")),
        "401": describe(lambda: chat(api_key=WRONG_KEY).invoke("x")),
        "404": describe(lambda: chat("nobody-has-it").invoke("x")),
        "429": describe(lambda: patient.invoke(LIMITED)),
    }


def retries():
    model = chat("gpt-5", base_url=COUNTED)
    return {
        "500": describe(lambda: model.invoke(FAILING))["kind"],
        "503": model.invoke(OVERLOADED).text,
    }


def chat_completions():
    """What its users get who leave the default: the API that the gateway does not serve."""
    return describe(lambda: chat(use_responses_api=False).invoke("x"))


CASES = (
    create,
    stream,
    tools,
    structured,
    previous,
    resent,
    conversation,
    errors,
    retries,
    chat_completions,
)
report(importlib.metadata.version("langchain-openai"), {case.__name__: case for case in CASES})
