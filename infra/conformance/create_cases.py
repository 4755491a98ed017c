"""Cases of POST /responses that is answered in JSON. A docstring is what the specification says."""

import json

from infra.conformance.endpoint import Endpoint, Json, read_json, require
from infra.conformance.shapes import (
    ERROR,
    ITEM,
    USAGE,
    check,
    check_response,
    find_item,
    read_text,
)

SQUARE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGA"
    "WjR9awAAAABJRU5ErkJggg=="
)
NOTE = "data:text/plain;base64,VGhlIGJvYXQgaXMgcmVkLg=="
WEATHER: Json = {
    "type": "function",
    "name": "get_weather",
    "description": "Get the weather in a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
}
TIME: Json = {**WEATHER, "name": "get_time", "description": "Get the local time in a city."}
QUESTION = "Call get_weather for Oslo."
BAD_REQUEST, UNAUTHORIZED, NOT_FOUND = 400, 401, 404
LEAST_OUTPUT_TOKENS = 16
LONG_TASK = "Write a story of 500 words. " * 20


def message(role: str, content: object) -> Json:
    return {"type": "message", "role": role, "content": content}


def basic_response(endpoint: Endpoint) -> None:
    """A request with an array of items returns a `response` with an `output` array."""
    check_response(endpoint.create(input=[message("user", "Say hello.")]))


def string_input(endpoint: Endpoint) -> None:
    """A string as input is a user message."""
    check_response(endpoint.create(input="Say hello."))


def usage(endpoint: Endpoint) -> None:
    """The usage of a completed response has its token counts and their details."""
    response = endpoint.create(input="Say hello.")
    check(response.get("usage") or {}, USAGE, "usage")


def item_fields(endpoint: Endpoint) -> None:
    """Every item has an id, a type and a status."""
    for item in endpoint.create(input="Say hello.")["output"]:
        check(item, ITEM, str(item.get("type")))


def system_prompt(endpoint: Endpoint) -> None:
    """The input may begin with a message of the role system."""
    items = [message("system", "Answer like a pirate."), message("user", "Say hello.")]
    check_response(endpoint.create(input=items))


def multi_turn(endpoint: Endpoint) -> None:
    """Items are bidirectional: messages of the assistant may stand in the input."""
    turns = [("user", "I am Ada."), ("assistant", "Hello Ada!"), ("user", "Who am I?")]
    check_response(endpoint.create(input=[message(*turn) for turn in turns]))


def image_input(endpoint: Endpoint) -> None:
    """The content of a user message may have images, as base64 or by their URL."""
    parts = [
        {"type": "input_text", "text": "Which colour is this?"},
        {"type": "input_image", "image_url": SQUARE},
    ]
    check_response(endpoint.create(input=[message("user", parts)]))


def file_input(endpoint: Endpoint) -> None:
    """A file may be given as base64 `file_data` with a `filename`."""
    parts = [
        {"type": "input_text", "text": "Which colour is the boat?"},
        {"type": "input_file", "filename": "boat.txt", "file_data": NOTE},
    ]
    check_response(endpoint.create(input=[message("user", parts)]))


def tool_calling(endpoint: Endpoint) -> None:
    """A function_call has a call_id, a name, and arguments as a string of JSON."""
    call = find_item(endpoint.create(input=QUESTION, tools=[WEATHER]), "function_call")
    require(call.get("call_id"), "The call has no call_id.")
    require(call.get("name") == "get_weather", f"The name is {call.get('name')!r}.")
    require("city" in json.loads(call["arguments"]), f"The arguments are {call['arguments']}.")


def tool_output(endpoint: Endpoint) -> None:
    """The client sends the result back as a function_call_output with the same call_id."""
    first = endpoint.create(input=QUESTION, tools=[WEATHER])
    call = find_item(first, "function_call")
    output = {"type": "function_call_output", "call_id": call["call_id"], "output": "snow"}
    items = [message("user", QUESTION), *first["output"], output]
    require(read_text(endpoint.create(input=items, tools=[WEATHER])), "There is no answer.")


def tool_choice_none(endpoint: Endpoint) -> None:
    """With `none` the model must not call any tools."""
    response = endpoint.create(input=QUESTION, tools=[WEATHER], tool_choice="none")
    types = {item["type"] for item in response["output"]}
    require("function_call" not in types, "A function was called.")


def tool_choice_required(endpoint: Endpoint) -> None:
    """With `required` the model must call at least one tool."""
    find_item(
        endpoint.create(input="Hello.", tools=[WEATHER], tool_choice="required"), "function_call"
    )


def tool_choice_function(endpoint: Endpoint) -> None:
    """With a function's name the model must call that function."""
    choice = {"type": "function", "name": "get_time"}
    response = endpoint.create(input=QUESTION, tools=[WEATHER, TIME], tool_choice=choice)
    require(find_item(response, "function_call")["name"] == "get_time", "Another was called.")


def allowed_tools(endpoint: Endpoint) -> None:
    """A tool that is not among the `allowed_tools` must not be called."""
    named = [{"type": "function", "name": "get_time"}]
    choice = {"type": "allowed_tools", "mode": "auto", "tools": named}
    response = endpoint.create(input=QUESTION, tools=[WEATHER, TIME], tool_choice=choice)
    names = {item.get("name") for item in response["output"]}
    require("get_weather" not in names, "get_weather was called.")


def structured_output(endpoint: Endpoint) -> None:
    """With a json_schema as the format of the text, the text is JSON that is valid for it."""
    form = {"type": "json_schema", "name": "weather", "schema": WEATHER["parameters"]}
    response = endpoint.create(input="Name a city.", text={"format": {**form, "strict": True}})
    require("city" in json.loads(read_text(response)), "The text is not valid for the schema.")


def previous_response(endpoint: Endpoint) -> None:
    """The server loads the input and the output of the `previous_response_id`, and names it."""
    first = endpoint.create(input="My name is Ada.")
    second = endpoint.create(input="What is my name?", previous_response_id=first["id"])
    require(second["previous_response_id"] == first["id"], "It does not name its predecessor.")
    require("Ada" in read_text(second), "It does not know what came before.")


def conversation(endpoint: Endpoint) -> None:
    """A response of a conversation identifies it in `response.conversation`."""
    made = read_json(endpoint.send("POST", "/conversations", json={}))
    response = endpoint.create(input="Hello.", conversation=made["id"])
    found = response.get("conversation") or {}
    require(found.get("id") == made["id"], f"The conversation is {found}.")


def incomplete_response(endpoint: Endpoint) -> None:
    """At the end of its token budget a response is `incomplete`, and says why."""
    response = endpoint.create(input=LONG_TASK, max_output_tokens=LEAST_OUTPUT_TOKENS)
    require(response["status"] == "incomplete", f"The status is {response['status']!r}.")
    reason = (response.get("incomplete_details") or {}).get("reason")
    require(reason == "max_output_tokens", f"The reason is {reason!r}.")


def echoed_settings(endpoint: Endpoint) -> None:
    """The response repeats the settings of the request."""
    sent: Json = {
        "instructions": "Be brief.",
        "metadata": {"team": "blue"},
        "temperature": 0.5,
        "truncation": "auto",
        "parallel_tool_calls": False,
        "store": False,
    }
    response = endpoint.create(input="Say hello.", **sent)
    got = {name: response.get(name) for name in sent}
    require(got == sent, f"It has {got}.")


def invalid_request(endpoint: Endpoint) -> None:
    """An invalid parameter is refused with 400 and an error that names it."""
    answer = endpoint.refuse(input="Hello.", temperature="hot")
    require(answer.status_code == BAD_REQUEST, f"The status is {answer.status_code}.")
    error = read_json(answer).get("error") or {}
    check(error, ERROR, "error")
    require(error["param"] == "temperature", f"The param is {error['param']!r}.")


def unknown_model(endpoint: Endpoint) -> None:
    """An unknown model is refused with the code model_not_found."""
    answer = endpoint.refuse(input="Hello.", model="no-such-model")
    error = read_json(answer).get("error") or {}
    check(error, ERROR, "error")
    require(answer.status_code in {BAD_REQUEST, NOT_FOUND}, f"It is {answer.status_code}.")
    require(error["code"] == "model_not_found", f"The code is {error['code']!r}.")


def missing_authorization(endpoint: Endpoint) -> None:
    """The header Authorization is required."""
    headers = {"authorization": ""}
    answer = endpoint.send("POST", "/responses", json={"input": "Hello."}, headers=headers)
    require(answer.status_code == UNAUTHORIZED, f"The status is {answer.status_code}.")
    check(read_json(answer).get("error") or {}, ERROR, "error")


CREATE_CASES = (
    basic_response,
    string_input,
    usage,
    item_fields,
    system_prompt,
    multi_turn,
    image_input,
    file_input,
    tool_calling,
    tool_output,
    tool_choice_none,
    tool_choice_required,
    tool_choice_function,
    allowed_tools,
    structured_output,
    previous_response,
    conversation,
    incomplete_response,
    echoed_settings,
    invalid_request,
    unknown_model,
    missing_authorization,
)
