"""Validates request bodies as OpenAI does, and reads the fields of a create request."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from infra.example_models import EXAMPLE_MODEL, REASONING_MODELS
from infra.local.simulator.errors import (
    ApiError,
    invalid_parameter,
    missing_parameter,
    too_long,
)
from infra.local.simulator.items import Json, item_text
from infra.local.simulator.parameters import check_messages, check_parameters
from infra.local.simulator.project import Project
from infra.local.simulator.supported_values import check_values
from infra.local.simulator.tool_choice import ToolChoice
from infra.local.simulator.tool_definitions import (
    check_text_format,
    check_tool_choice,
    check_tools,
)

MAX_METADATA_NUMBER = 100_000  # highest number in the metadata that has an effect
ENCRYPTED_REASONING = "reasoning.encrypted_content"

type ExpectedType = tuple[type | tuple[type, ...], str]  # the type, and its name in messages
type Bounds = tuple[str, float | None, float | None]  # kind of number, minimum, maximum

INPUTS = ("input", "previous_response_id", "prompt", "conversation")
NO_INPUT = (
    """One of "input" or "previous_response_id" or 'prompt' or 'conversation_id' """
    "must be provided."
)
TYPES: dict[str, ExpectedType] = {
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
    "parallel_tool_calls": (bool, "a boolean"),
    "max_tool_calls": (int, "an integer"),
    "items": (list, "an array of objects"),
    "conversation": ((str, dict), "one of an object or string"),
    "max_output_tokens": (int, "an integer"),
    "temperature": ((int, float), "a decimal"),
    "top_p": ((int, float), "a decimal"),
}
RANGES: dict[str, Bounds] = {
    "max_output_tokens": ("integer", 16, None),
    "max_tool_calls": ("integer", 1, None),
    "temperature": ("decimal", 0, 2),
    "top_p": ("decimal", 0, 1),
    "top_logprobs": ("integer", 0, 20),
}
MAX_METADATA_PAIRS = 16
MAX_METADATA_LENGTH = 512
MAX_METADATA_KEY = 64


@dataclass(frozen=True)
class CreateRequest:
    """The body of a create request, with the items of the conversation before it."""

    body: Json
    input_items: Sequence[Json]
    history: Sequence[Json] = ()
    project: Project = field(default_factory=Project)  # that the tools of the provider work on

    @property
    def model(self) -> str:
        return str(self.body.get("model") or EXAMPLE_MODEL)

    @property
    def is_stream(self) -> bool:
        return bool(self.body.get("stream"))

    @property
    def is_background(self) -> bool:
        return bool(self.body.get("background"))

    @property
    def is_stored(self) -> bool:
        return self.body.get("store") is not False

    @property
    def tools(self) -> list[Json]:
        return self.body.get("tools") or []

    @property
    def format(self) -> Json:
        return (self.body.get("text") or {}).get("format") or {"type": "text"}

    @property
    def reasoning(self) -> Json | None:
        return self.body.get("reasoning")

    @property
    def has_reasoning(self) -> bool:
        if (self.reasoning or {}).get("effort") == "none":
            return False
        return bool(self.reasoning) or REASONING_MODELS.match(self.model) is not None

    @property
    def has_summary(self) -> bool:
        return bool((self.reasoning or {}).get("summary"))

    @property
    def include(self) -> list[str]:
        return self.body.get("include") or []

    @property
    def has_encrypted_reasoning(self) -> bool:
        return ENCRYPTED_REASONING in self.include

    @property
    def has_obfuscation(self) -> bool:
        return (self.body.get("stream_options") or {}).get("include_obfuscation") is not False

    @property
    def max_output_tokens(self) -> int | None:
        return self.body.get("max_output_tokens")

    def metadata_number(self, key: str) -> int | None:
        """Returns an integer from the metadata, such as `sim_events`."""
        text = str((self.body.get("metadata") or {}).get(key, ""))
        return min(int(text), MAX_METADATA_NUMBER) if text.isdecimal() else None

    @property
    def context(self) -> list[Json]:
        return [*self.history, *self.input_items]

    @property
    def user_texts(self) -> list[str]:
        """The texts of the user in this conversation, oldest first."""
        return [item_text(item) for item in self.context if item.get("role") == "user"]

    @property
    def question(self) -> str:
        """The last message of the user."""
        return "".join(self.user_texts[-1:])

    def mentions(self, name: str) -> bool:
        """Whether the question has this name, not as a part of a longer one."""
        return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", self.question) is not None

    @property
    def tool_choice(self) -> ToolChoice:
        return ToolChoice.parse(self.body.get("tool_choice"))

    @property
    def is_parallel(self) -> bool:
        return self.body.get("parallel_tool_calls") is not False

    @property
    def recent_items(self) -> Sequence[Json]:
        """The input after the last message of the user."""
        user_indexes = [
            index for index, item in enumerate(self.input_items) if item.get("role") == "user"
        ]
        return self.input_items[user_indexes[-1] + 1 :] if user_indexes else self.input_items

    @property
    def tool_outputs(self) -> list[str]:
        """The outputs of tools after the last message of the user."""
        return [item_text(each) for each in self.recent_items if _is_client_output(each)]


def _is_client_output(item: Json) -> bool:
    return bool(item["type"].endswith("call_output"))


def check_create(body: Json) -> None:
    """Raises ApiError for the first invalid field of a create request."""
    for check in (
        check_parameters,
        check_types,
        check_messages,
        _check_ranges,
        _check_model,
        _check_input,
        check_metadata,
        _check_one_parent,
        _check_background,
    ):
        check(body)
    with reject_invalid_shapes():
        for check in (check_values, check_tools, check_tool_choice, check_text_format):
            check(body)


def check_types(body: Json, types: Mapping[str, ExpectedType] = TYPES) -> None:
    for param, value in _present_fields(body, types):
        _check_type(param, value, types[param])


def check_conversation(body: Json) -> None:
    for check in (check_types, check_metadata):
        check(body)


def check_metadata(body: Json) -> None:
    pairs = body.get("metadata") or {}
    if len(pairs) > MAX_METADATA_PAIRS:
        fault = (
            f"too many properties. Expected an object with at most {MAX_METADATA_PAIRS} properties,"
            f" but got an object with {len(pairs)} properties instead."
        )
        raise invalid_parameter("metadata", fault, "object_above_max_properties")
    for key, value in pairs.items():
        if len(key) > MAX_METADATA_KEY:
            fault = f"the key '{key}' is too long: {too_long(key, MAX_METADATA_KEY)}"
            raise invalid_parameter("metadata", fault, "string_above_max_length")
        _check_type(f"metadata.{key}", value, (str, "a string"))
        if len(value) > MAX_METADATA_LENGTH:
            fault = too_long(value, MAX_METADATA_LENGTH)
            raise invalid_parameter(f"metadata.{key}", fault, "string_above_max_length")


@contextmanager
def reject_invalid_shapes() -> Iterator[None]:
    """Raises ApiError for an invalid type in a part of the body that has no check of its own."""
    try:
        yield
    except (AttributeError, LookupError, TypeError, ValueError) as exc:
        message = "Invalid type for a part of the request body."
        raise ApiError(400, message, "invalid_type") from exc


def check_length(param: str, values: list[Any], maximum: int) -> None:
    if len(values) > maximum:
        fault = (
            f"array too long. Expected an array with maximum length {maximum}, but got an array"
            f" with length {len(values)} instead."
        )
        raise invalid_parameter(param, fault, "array_above_max_length")


def check_range(param: str, number: float, bounds: Bounds) -> None:
    kind, low, high = bounds
    if low is not None and number < low:
        raise _out_of_range(param, number, f"{kind} below minimum value", f">= {low}")
    if high is not None and number > high:
        raise _out_of_range(param, number, f"{kind} above maximum value", f"<= {high}")


def _out_of_range(param: str, number: float, fault: str, expected: str) -> ApiError:
    code = fault.replace("imum", "").replace(" ", "_")
    return invalid_parameter(
        param, f"{fault}. Expected a value {expected}, but got {number} instead.", code
    )


def _present_fields(body: Json, params: Iterable[str]) -> Iterable[tuple[str, Any]]:
    return [(param, body[param]) for param in params if body.get(param) is not None]


def _check_type(param: str, value: object, expected: ExpectedType) -> None:
    kind, name = expected
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        message = (
            f"Invalid type for '{param}': expected {name}, but got {_type_name(value)} instead."
        )
        raise ApiError(400, message, "invalid_type", param)


def _type_name(value: object) -> str:
    kinds = {str: "a string", bool: "a boolean", int: "an integer", float: "a decimal"}
    return kinds.get(type(value), "an array" if isinstance(value, list) else "an object")


def _check_ranges(body: Json) -> None:
    for param, number in _present_fields(body, RANGES):
        check_range(param, number, RANGES[param])


def _check_model(body: Json) -> None:
    if not body.get("model") and not body.get("prompt"):
        raise missing_parameter("model")


def _check_input(body: Json) -> None:
    if not any(body.get(param) is not None for param in INPUTS):
        raise ApiError(400, NO_INPUT, "missing_required_parameter")


def _check_one_parent(body: Json) -> None:
    if body.get("conversation") and body.get("previous_response_id"):
        message = (
            "Mutually exclusive parameters: ''. Ensure you are only providing one of:"
            " 'pre..._id' or 'conversation'."
        )
        raise ApiError(400, message, "mutually_exclusive_parameters")


def _check_background(body: Json) -> None:
    if body.get("background") and body.get("store") is False:
        raise ApiError(400, "Background responses require `store` to be true.", None, "store")
