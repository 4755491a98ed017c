"""What the specification requires of the shape of a response and of its items."""

from collections.abc import Callable, Mapping

from infra.conformance.endpoint import Json, require

type Test = Callable[[object], bool]


def _is_a(*types: type) -> Test:
    return lambda value: isinstance(value, types) and (bool in types or not isinstance(value, bool))


def _or_null(test: Test) -> Test:
    return lambda value: value is None or test(value)


TEXT, WHOLE, NUMBER = _is_a(str), _is_a(int), _is_a(int, float)
FLAG, LIST, OBJECT = _is_a(bool), _is_a(list), _is_a(dict)
STATUSES = {"completed", "failed", "in_progress", "cancelled", "queued", "incomplete"}
# Each field that the specification's response has to have, and the type of its value.
RESPONSE: Mapping[str, Test] = {
    "id": TEXT,
    "object": lambda value: value == "response",
    "created_at": WHOLE,
    "completed_at": _or_null(WHOLE),
    "status": lambda value: value in STATUSES,
    "incomplete_details": _or_null(OBJECT),
    "model": TEXT,
    "previous_response_id": _or_null(TEXT),
    "instructions": _or_null(_is_a(str, list)),
    "output": LIST,
    "error": _or_null(OBJECT),
    "tools": LIST,
    "tool_choice": _is_a(str, dict),
    "truncation": TEXT,
    "parallel_tool_calls": FLAG,
    "text": OBJECT,
    "top_p": NUMBER,
    "presence_penalty": NUMBER,
    "frequency_penalty": NUMBER,
    "top_logprobs": WHOLE,
    "temperature": NUMBER,
    "reasoning": _or_null(OBJECT),
    "usage": _or_null(OBJECT),
    "max_output_tokens": _or_null(WHOLE),
    "max_tool_calls": _or_null(WHOLE),
    "store": FLAG,
    "background": FLAG,
    "service_tier": TEXT,
    "metadata": OBJECT,
    "safety_identifier": _or_null(TEXT),
    "prompt_cache_key": _or_null(TEXT),
}
USAGE: Mapping[str, Test] = {
    "input_tokens": WHOLE,
    "output_tokens": WHOLE,
    "total_tokens": WHOLE,
    "input_tokens_details": OBJECT,
    "output_tokens_details": OBJECT,
}
ITEM: Mapping[str, Test] = {"id": TEXT, "type": TEXT, "status": TEXT}
ERROR: Mapping[str, Test] = {
    "message": TEXT,
    "type": TEXT,
    "param": _or_null(TEXT),
    "code": _or_null(TEXT),
}


def check(value: Json, shape: Mapping[str, Test], name: str) -> None:
    """Raise Violation with all fields that are missing or have another type."""
    wrong = [
        f"{name}.{field} is {value.get(field)!r}" if field in value else f"{name} has no {field}"
        for field, test in shape.items()
        if field not in value or not test(value[field])
    ]
    require(not wrong, "; ".join(wrong))


def check_response(response: Json, status: str = "completed") -> None:
    """Raise Violation unless this is a whole response with this status and some output."""
    check(response, RESPONSE, "response")
    require(response["status"] == status, f"The status is {response['status']!r}.")
    require(response["output"], "There is no output.")


def find_item(response: Json, type: str) -> Json:
    """Return the first item of this type; raise Violation if there is none."""
    found = [item for item in response["output"] if item.get("type") == type]
    types = [item.get("type") for item in response["output"]]
    require(found, f"There is no {type} in the output: {types}.")
    return dict(found[0])


def read_text(response: Json) -> str:
    """Return the text of the first message; raise Violation if it has no output_text."""
    parts = find_item(response, "message").get("content") or []
    texts = [part["text"] for part in parts if part.get("type") == "output_text"]
    require(texts, "The message has no output_text.")
    return "".join(texts)
