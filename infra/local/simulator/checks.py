"""What OpenAI refuses in the body of a create, in its words."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from infra.local.simulator.items import Json
from infra.local.simulator.refusals import Refusal, invalid, missing

type Wanted = tuple[type | tuple[type, ...], str]  # and how that is said
type Bounds = tuple[str, float | None, float | None]  # what it is, least, most

INPUTS = ("input", "previous_response_id", "prompt", "conversation")
NO_INPUT = (
    """One of "input" or "previous_response_id" or 'prompt' or 'conversation_id' """
    "must be provided."
)
TYPES: dict[str, Wanted] = {
    "model": (str, "a string"),
    "input": ((str, list), "one of an array of objects or string"),
    "instructions": (str, "a string"),
    "stream": (bool, "a boolean"),
    "background": (bool, "a boolean"),
    "store": (bool, "a boolean"),
    "metadata": (dict, "an object"),
    "tools": (list, "an array of objects"),
    "include": (list, "an array"),
    "text": (dict, "an object"),
    "reasoning": (dict, "an object"),
    "stream_options": (dict, "an object"),
    "previous_response_id": (str, "a string"),
    "top_logprobs": (int, "an integer"),
    "items": (list, "an array of objects"),
    "conversation": ((str, dict), "one of an object or string"),
    "max_output_tokens": (int, "an integer"),
    "temperature": ((int, float), "a decimal"),
    "top_p": ((int, float), "a decimal"),
}
RANGES: dict[str, Bounds] = {
    "max_output_tokens": ("integer", 16, None),
    "temperature": ("decimal", 0, 2),
    "top_p": ("decimal", 0, 1),
    "top_logprobs": ("integer", 0, 20),
}
MOST_METADATA = 16
LONGEST_METADATA = 512


def create(body: Json) -> None:
    """Raise what is wrong with it, if anything is."""
    for check in (types, _ranges, _model, _input, metadata, _one_parent, _background):
        check(body)


def types(body: Json) -> None:
    for param, value in _given(body, TYPES):
        _of_type(param, value, TYPES[param])


def conversation(body: Json) -> None:
    for check in (types, metadata):
        check(body)


def metadata(body: Json) -> None:
    pairs = body.get("metadata") or {}
    if len(pairs) > MOST_METADATA:
        fault = (
            f"too many properties. Expected an object with at most {MOST_METADATA} properties,"
            f" but got an object with {len(pairs)} properties instead."
        )
        raise invalid("metadata", fault, "object_above_max_properties")
    for key, value in pairs.items():
        _of_type(f"metadata.{key}", value, (str, "a string"))
        if len(value) > LONGEST_METADATA:
            fault = f"string too long. Expected a string with maximum length {LONGEST_METADATA}."
            raise invalid(f"metadata.{key}", fault, "string_above_max_length")


@contextmanager
def shapes() -> Iterator[None]:
    """Refuse whatever a part of the body turns out to be, where nobody looked before."""
    try:
        yield
    except (AttributeError, LookupError, TypeError, ValueError) as exc:
        message = "Invalid type for a part of the request body."
        raise Refusal(400, message, "invalid_type") from exc


def at_most(param: str, things: list[Any], most: int) -> None:
    if len(things) > most:
        fault = (
            f"array too long. Expected an array with maximum length {most}, but got an array"
            f" with length {len(things)} instead."
        )
        raise invalid(param, fault, "array_above_max_length")


def within(param: str, number: float, bounds: Bounds) -> None:
    kind, low, high = bounds
    if low is not None and number < low:
        raise _outside(param, number, f"{kind} below minimum value", f">= {low}")
    if high is not None and number > high:
        raise _outside(param, number, f"{kind} above maximum value", f"<= {high}")


def _outside(param: str, number: float, fault: str, wanted: str) -> Refusal:
    code = fault.replace("imum", "").replace(" ", "_")
    return invalid(param, f"{fault}. Expected a value {wanted}, but got {number} instead.", code)


def _given(body: Json, params: Iterable[str]) -> Iterable[tuple[str, Any]]:
    return [(param, body[param]) for param in params if body.get(param) is not None]


def _of_type(param: str, value: object, wanted: Wanted) -> None:
    kind, told = wanted
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        message = f"Invalid type for '{param}': expected {told}, but got {_kind(value)} instead."
        raise Refusal(400, message, "invalid_type", param)


def _kind(value: object) -> str:
    kinds = {str: "a string", bool: "a boolean", int: "an integer", float: "a decimal"}
    return kinds.get(type(value), "an array" if isinstance(value, list) else "an object")


def _ranges(body: Json) -> None:
    for param, number in _given(body, RANGES):
        within(param, number, RANGES[param])


def _model(body: Json) -> None:
    if not body.get("model") and not body.get("prompt"):
        raise missing("model")


def _input(body: Json) -> None:
    if not any(body.get(param) is not None for param in INPUTS):
        raise Refusal(400, NO_INPUT, "missing_required_parameter")


def _one_parent(body: Json) -> None:
    if body.get("conversation") and body.get("previous_response_id"):
        message = (
            "Mutually exclusive parameters: 'previous_response_id' and 'conversation'."
            " Ensure you are only providing one of them."
        )
        raise Refusal(400, message, "mutually_exclusive_parameters")


def _background(body: Json) -> None:
    if body.get("background") and body.get("store") is False:
        raise Refusal(400, "Background responses require `store` to be true.", None, "store")
