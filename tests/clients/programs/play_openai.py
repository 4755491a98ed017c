"""openai-python, any version since 1.66.0: newer methods are used where they exist.

With the argument `azure` its client for Azure OpenAI, as its users set it up.
"""

import sys

import openai
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
from pydantic import BaseModel


def connect(base):
    """A client of the gateway whose base URL ends in /v1."""
    if "azure" not in sys.argv:
        return openai.OpenAI(base_url=base, api_key=KEY)
    root, version = base.removesuffix("/v1"), "2025-04-01-preview"
    return openai.AzureOpenAI(azure_endpoint=root, api_version=version, api_key=KEY)


client = connect(BASE)
counted = connect(COUNTED)
responses = client.responses
TOOL = {"type": "function", "name": "get_weather", "parameters": WEATHER, "strict": True}


class Weather(BaseModel):
    city: str


def create():
    return responses.create(model="sim-text", input="Hello").output_text


def stream():
    with responses.stream(model="sim-text", input="Hello") as events:
        deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
        final = events.get_final_response()
    return {"pieces": len(deltas) > 1, "text": final.output_text}


def tools():
    ask = {"model": "sim-function-call", "tools": [TOOL]}
    first = responses.create(input="How is the weather in Oslo?", **ask)
    (call,) = first.output
    answer = {"type": "function_call_output", "call_id": call.call_id, "output": "snow"}
    second = responses.create(input=[answer], previous_response_id=first.id, **ask)
    return {"call": [call.name], "answer": second.output_text}


def structured():
    parsed = responses.parse(model="sim-structured", input="Where?", text_format=Weather)
    return isinstance(parsed.output_parsed, Weather)


def previous():
    first = responses.create(model="sim-text", input="one")
    return responses.create(
        model="sim-text", input="two", previous_response_id=first.id
    ).output_text


def resent():
    items = [{"role": "user", "content": "one"}]
    items += responses.create(model="sim-text", input=items).output
    items += [{"role": "user", "content": "two"}]
    return responses.create(model="sim-text", input=items).output_text


def conversation():
    made = client.conversations.create()
    for word in ("one", "two"):
        last = responses.create(model="sim-text", input=word, conversation=made.id)
    return last.output_text


def retrieve():
    made = responses.create(model="sim-text", input="Hello")
    return responses.retrieve(made.id).output_text


def delete():
    made = responses.create(model="sim-text", input="Hello")
    responses.delete(made.id)
    return describe(lambda: responses.retrieve(made.id))["kind"]


def cancel():
    made = responses.create(model="sim-queued-30s", input="Hello", background=True)
    return responses.cancel(made.id).status


def errors():
    stranger = client.with_options(api_key=WRONG_KEY).responses
    patient = counted.with_options(max_retries=0).responses
    return {
        "400": describe(lambda: responses.create(model="sim-text", input="x", temperature=9)),
        "401": describe(lambda: stranger.create(model="sim-text", input="x")),
        "404": describe(lambda: responses.create(model="nobody-has-it", input="x")),
        "429": describe(lambda: patient.create(model="gpt-5", input=LIMITED)),
    }


def retries():
    failed = describe(lambda: counted.responses.create(model="gpt-5", input=FAILING))
    return {"500": failed["kind"], "503": retried()}


def retried():
    return counted.responses.create(model="gpt-5", input=OVERLOADED).output_text


NEWER = {"conversation": hasattr(client, "conversations"), "cancel": hasattr(responses, "cancel")}
ALL = (create, stream, tools, structured, previous, resent, conversation, retrieve, delete, cancel)

CASES = {case.__name__: case for case in (*ALL, errors, retries) if NEWER.get(case.__name__, True)}

with client, counted:
    report(openai.__version__, CASES)
