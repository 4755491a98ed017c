"""Field types and nested objects of the Responses API's request bodies.

Only what the gateway acts on or can judge is checked: enumerations are not, since the provider may
accept new values, and neither are lengths above Lambda's request limit of 6 MB. The string below a
field is for the reference, which is generated from these models; it is not loaded at run time.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    FailFast,
    Field,
    GetCoreSchemaHandler,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

MAX_PAIRS, MAX_KEY_CHARS, MAX_VALUE_CHARS = 16, 64, 512  # of metadata
MAX_WHOLE = 2**53 - 1  # RFC 7493, 2.2: the largest integer that all readers of JSON read alike
FUNCTION_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
JSON_TYPE_NAMES: dict[type, str] = {str: "a string", dict: "an object", list: "an array"}
# What makes an item of these types complete, so that the provider need not look it up by its id.
CONTENT_KEYS = {
    "reasoning": {"content", "encrypted_content"},
    "image_generation_call": {"result"},
}
# An item of another type is complete if it has any other member than these.
STRUCTURAL_KEYS = {"type", "id", "status"}
EMPTY: tuple[object, ...] = (None, "", [], {})  # values that say no more than an absent member


def one_of(*types: type) -> BeforeValidator:
    """Build a check that a value is null or of one of these JSON types, with one message."""

    def check(value: Any) -> Any:
        if isinstance(value, types) or value is None:
            return value
        expected = " or ".join(JSON_TYPE_NAMES[each] for each in types)
        raise PydanticCustomError("wrong_type", "Input should be {wanted}", {"wanted": expected})

    return BeforeValidator(check)


def _to_whole_number(value: Any) -> Any:
    """Accept 16.0 as 16: JSON has only one type of number."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _check_pair_count(pairs: Any) -> Any:
    """Count before the pairs are checked: each invalid one would add an error."""
    if isinstance(pairs, dict) and len(pairs) > MAX_PAIRS:
        message = "Input should have at most {most} pairs"
        raise PydanticCustomError("too_many", message, {"most": MAX_PAIRS})
    return pairs


def _check_content_parts(content: Any) -> Any:
    if isinstance(content, list):
        for n, part in enumerate(content):
            if not isinstance(part, dict):
                raise PydanticCustomError("part", "Part {n} should be an object", {"n": n})
    return content


Whole = Annotated[int, BeforeValidator(_to_whole_number), Field(le=MAX_WHOLE)]
Text = str | None
Flag = bool | None
AnyObject = dict[str, Any] | None
StringOrArray = Annotated[
    Any, one_of(str, list), WithJsonSchema({"type": ["string", "array", "null"], "items": {}})
]
StringOrObject = Annotated[
    Any, one_of(str, dict), WithJsonSchema({"type": ["string", "object", "null"]})
]
MetadataKey = Annotated[str, StringConstraints(min_length=1, max_length=MAX_KEY_CHARS)]
MetadataValue = Annotated[str, StringConstraints(max_length=MAX_VALUE_CHARS)]
Metadata = Annotated[
    dict[MetadataKey, MetadataValue],
    BeforeValidator(_check_pair_count),
    Field(json_schema_extra={"maxProperties": MAX_PAIRS}),
]
CallId = Annotated[str, StringConstraints(min_length=1, max_length=64)]


@dataclass(frozen=True)
class CheckedBy:
    """Checks a value by a type, and returns the value itself.

    An array of parsed objects would need a hundred times the memory of its JSON.
    """

    type: Any

    def __get_pydantic_core_schema__(self, _: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def check(value: Any, validate: Callable[[Any], Any]) -> Any:
            validate(value)
            return value

        return core_schema.no_info_wrap_validator_function(
            check, handler.generate_schema(self.type)
        )


class PartialObject(BaseModel):
    """An object of which some members are checked; all others pass unchecked."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True, defer_build=True)

    @model_validator(mode="after")
    def _check_case(self) -> Self:
        """Refuse `Model` beside `model`: a reader without case would take it for the same name."""
        for name in self.model_extra or ():
            if name.casefold() in self.__pydantic_fields__:
                message = "The name should be in lower case: '{name}'"
                error = PydanticCustomError("lower_case", message, {"name": name.casefold()})
                details = InitErrorDetails(type=error, loc=(name,), input=None)
                raise ValidationError.from_exception_data(type(self).__name__, [details])
        return self


class Reasoning(PartialObject):
    effort: Text = None
    """How much reasoning to do."""
    summary: Text = None
    """Whether to return a summary of the reasoning, and how long."""
    generate_summary: Text = None
    """The older name of `summary`."""
    context: Text = None
    """Which earlier reasoning to use."""
    mode: Text = None
    """How the model runs."""


class TextFormat(PartialObject):
    type: Text = None
    """`json_schema` needs a `name` and a `schema`."""
    name: Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9_-]{1,64}$")] | None = None
    """The name of the schema."""
    description: Text = None
    """What the schema is for."""
    strict: Flag = None
    """Whether the text must fit the schema."""


class TextOptions(PartialObject):
    format: TextFormat | None = None
    """The format of the text."""
    verbosity: Text = None
    """How long the text is."""


class StreamOptions(PartialObject):
    include_obfuscation: Flag = None
    """Pads deltas, so that their length reveals nothing."""


class Prompt(PartialObject):
    id: str
    """The id of the prompt at the provider."""
    version: Text = None
    """Its version; the newest if absent."""
    variables: AnyObject = None
    """A value for each variable in it."""


class ContextRule(PartialObject):
    type: str
    """The kind of rule."""
    compact_threshold: Annotated[Whole, Field(ge=1000)] | None = None
    """From how many tokens on the rule applies."""


class Moderation(PartialObject):
    model: str
    """The moderation model."""
    policy: AnyObject = None
    """What follows from its result."""


class CacheOptions(PartialObject):
    mode: Text = None
    """Whether the provider decides what to cache, or the request does."""
    ttl: Text = None
    """How long it is cached."""
    prewarm: Flag = None
    """Fill the cache and generate nothing."""
    comparison_response_id: Text = None
    """A response to compare with to explain a cache miss. It must be the tenant's own."""


class BackgroundOptions(PartialObject):
    completion_window: Text = None
    """Within which time it must be complete. `2h` and `8h` need `background`, and no `stream`."""
    continuation_id: Text = None
    """The response to continue. It must be the tenant's own."""


class NamedObject(PartialObject):
    """An object that may have a name, which is checked only for functions."""

    type: Text = None
    """The kind of object; newer kinds pass."""
    name: Any = Field(default=None, validate_default=True)  # a function without one is refused
    """Required for a function: 1 to 128 letters, digits, underscores and dashes."""

    @field_validator("name")
    @classmethod
    def _check_function_name(cls, name: Any, info: ValidationInfo) -> Any:
        is_function = info.data.get("type") in ("function", "function_call")
        if is_function and not (isinstance(name, str) and FUNCTION_NAME.fullmatch(name)):
            raise PydanticCustomError(
                "function_name",
                "A function's name should be 1 to 128 letters, digits, underscores and dashes",
            )
        return name


class ConversationRef(PartialObject):
    id: str
    """The conversation's id. It must be the tenant's own."""


class Item(NamedObject):
    """One input item; without a type it is a message, or a reference if it has only an id."""

    id: Text = None
    """Its id, if it is stored."""
    role: Text = None
    """The author of a message."""
    call_id: CallId | None = None
    """The id of the tool call that it is, or whose output it is."""
    content: Annotated[StringOrArray, BeforeValidator(_check_content_parts)] = None
    """A message's text, or its parts: text, images, files."""


class Tool(NamedObject):
    type: str
    """The kind of tool; newer kinds pass."""
    parameters: AnyObject = None
    """The JSON schema of a function's arguments."""
    strict: Flag = None
    """Whether the arguments must fit that schema."""


# Checked up to the first fault, so that no list has more than one error.
CheckedItems = Annotated[list[Annotated[Any, CheckedBy(Item)]], FailFast()]
CheckedTools = Annotated[list[Annotated[Any, CheckedBy(str | Tool), one_of(str, dict)]], FailFast()]
ContextRules = Annotated[list[Annotated[Any, CheckedBy(ContextRule)]], FailFast()]


def stored_id(item: Mapping[str, Any]) -> str | None:
    """Return the id of the stored item that the provider would look up in place of this one.

    A reference is an item that has nothing but an id, whatever its type.
    """
    id, type = item.get("id"), item.get("type")
    if not id or type == "item_reference":
        return id
    members = {name for name, value in item.items() if value not in EMPTY} - STRUCTURAL_KEYS
    return None if members & CONTENT_KEYS.get(type or "", members) else id
