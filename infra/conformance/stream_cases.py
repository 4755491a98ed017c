"""Cases of POST /responses that is streamed. A docstring is what the specification says."""

import json

from infra.conformance.create_cases import LONG_TASK, QUESTION, WEATHER
from infra.conformance.endpoint import DONE, STREAM_TYPE, Endpoint, require
from infra.conformance.shapes import check_response, find_item, read_text

PROMPT = "Count from 1 to 5."
LEAST_OUTPUT_TOKENS = 16
TEXT_EVENTS = [
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
]


def streaming_response(endpoint: Endpoint) -> None:
    """A stream has the content type text/event-stream and ends with the whole response."""
    stream = endpoint.stream(input=PROMPT)
    kind = stream.headers.get("content-type", "")
    require(kind.startswith(STREAM_TYPE), f"The content type is {kind!r}.")
    require(stream.events[-1]["type"] == "response.completed", "It is not completed.")
    check_response(stream.final)


def event_names(endpoint: Endpoint) -> None:
    """The field `event` is the type in the event's body, and there is no field `id`."""
    for each in endpoint.stream(input=PROMPT).raw:
        if each.data == DONE:
            continue
        type = json.loads(each.data)["type"]
        require(each.event == type, f"The event of {type} is {each.event!r}.")
        require(not each.id, f"{type} has the id {each.id!r}.")


def sequence_numbers(endpoint: Endpoint) -> None:
    """Events have a `sequence_number` that increases, so that clients detect gaps."""
    numbers = [event.get("sequence_number") for event in endpoint.stream(input=PROMPT).events]
    first = numbers[0]
    require(isinstance(first, int), f"The first is {first!r}.")
    expected = list(range(first or 0, (first or 0) + len(numbers)))
    require(numbers == expected, f"The numbers are {numbers}.")


def state_events(endpoint: Endpoint) -> None:
    """A response goes from `created` over `in_progress` to its last state."""
    types = [event["type"] for event in endpoint.stream(input=PROMPT).events]
    require(types[0] == "response.created", f"The first event is {types[0]}.")
    require("response.in_progress" in types, "There is no response.in_progress.")


def item_lifecycle(endpoint: Endpoint) -> None:
    """A message is added, then its part, deltas, and each is closed by its `done` in turn."""
    stream = endpoint.stream(input=PROMPT)
    (index, *_) = [event["output_index"] for event in stream.of("response.output_text.delta")]
    types = [event["type"] for event in stream.events if event.get("output_index") == index]
    order = [type for n, type in enumerate(types) if n == 0 or types[n - 1] != type]
    require(order == TEXT_EVENTS, f"The order is {order}.")


def item_states(endpoint: Endpoint) -> None:
    """An item is added as in_progress with the role of its message, and done as completed."""
    stream = endpoint.stream(input=PROMPT)
    added = [each["item"] for each in stream.of(TEXT_EVENTS[0])]
    (first, *_) = [item for item in added if item["type"] == "message"]
    done = [each["item"] for each in stream.of(TEXT_EVENTS[-1])]
    (last, *_) = [item for item in done if item["id"] == first["id"]]
    require(first["status"] == "in_progress", f"It is added as {first['status']}.")
    require(first["role"] == "assistant", f"Its role is {first['role']}.")
    require(last["status"] == "completed", f"It is done as {last['status']}.")


def text_deltas(endpoint: Endpoint) -> None:
    """The deltas are the text of `done`, which is the text of the final response."""
    stream = endpoint.stream(input=PROMPT)
    deltas = "".join(event["delta"] for event in stream.of("response.output_text.delta"))
    (done, *_) = stream.of("response.output_text.done")
    require(deltas == done["text"] == read_text(stream.final), "They differ.")


def tool_calling_streaming(endpoint: Endpoint) -> None:
    """A function call is added with its name; its arguments come as deltas and as a whole."""
    stream = endpoint.stream(input=QUESTION, tools=[WEATHER])
    added = [event["item"] for event in stream.of("response.output_item.added")]
    names = [item.get("name") for item in added if item["type"] == "function_call"]
    require(names == ["get_weather"], f"The names are {names}.")
    deltas = stream.of("response.function_call_arguments.delta")
    (done, *_) = stream.of("response.function_call_arguments.done")
    call = find_item(stream.final, "function_call")
    joined = "".join(event["delta"] for event in deltas)
    require(joined == done["arguments"] == call["arguments"], "The arguments differ.")


def incomplete_streaming(endpoint: Endpoint) -> None:
    """A stream that reaches its token budget ends with response.incomplete."""
    stream = endpoint.stream(input=LONG_TASK, max_output_tokens=LEAST_OUTPUT_TOKENS)
    last = stream.events[-1]["type"]
    require(last == "response.incomplete", f"The last event is {last}.")


def done_sentinel(endpoint: Endpoint) -> None:
    """The terminal event is the literal string [DONE]."""
    last = endpoint.stream(input=PROMPT).raw[-1]
    require(last.data == DONE, f"The last event is {last.event}.")


STREAM_CASES = (
    streaming_response,
    event_names,
    sequence_numbers,
    state_events,
    item_lifecycle,
    item_states,
    text_deltas,
    tool_calling_streaming,
    incomplete_streaming,
    done_sentinel,
)
