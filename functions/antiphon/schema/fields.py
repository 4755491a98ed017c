"""The kinds of values that fields of the Responses API take, as far as we look at them.

Enumerations are not checked: a value that is new today is for the provider to judge.
Lengths above Lambda's 6 MB request limit are not checked either. The string below a field is for
the reference, which is made from these models; a running gateway does not carry it.


Input items and tools: objects of many kinds, known and new, of which we check the bones.
"""

import re
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from pydantic_core import PydanticCustomError

MAX_PAIRS = 16  # of metadata


class PartialObject(BaseModel):
    """An object of which we look at some members and let all others pass."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True, defer_build=True)


def _whole_number(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def one_of(*kinds: type) -> BeforeValidator:
    """A check that a value is null or of one of these JSON types, told in one sentence."""
    names: dict[type, str] = {str: "a string", dict: "an object", list: "an array"}

    def check(value: Any) -> Any:
        if isinstance(value, kinds) or value is None:
            return value
        wanted = " or ".join(names[kind] for kind in kinds)
        raise PydanticCustomError("wrong_type", "Input should be {wanted}", {"wanted": wanted})

    return BeforeValidator(check)


def _check_pair_count(pairs: dict[str, Any]) -> dict[str, Any]:
    if len(pairs) > MAX_PAIRS:
        message = "Input should have at most {most} pairs"
        raise PydanticCustomError("too_many", message, {"most": MAX_PAIRS})
    return pairs


Whole = Annotated[int, BeforeValidator(_whole_number)]  # JSON's 16.0 is a whole number
Text = str | None
Flag = bool | None
AnyObject = dict[str, Any] | None
StringOrArray = Annotated[
    Any, one_of(str, list), WithJsonSchema({"type": ["string", "array", "null"]})
]
StringOrObject = Annotated[
    Any, one_of(str, dict), WithJsonSchema({"type": ["string", "object", "null"]})
]
MetadataKey = Annotated[str, StringConstraints(min_length=1, max_length=64)]
MetadataValue = Annotated[str, StringConstraints(max_length=512)]
Metadata = Annotated[
    dict[MetadataKey, MetadataValue],
    AfterValidator(_check_pair_count),
    Field(json_schema_extra={"maxProperties": MAX_PAIRS}),
]
CallId = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class Reasoning(PartialObject):
    effort: Text = None
    """How much to think."""
    summary: Text = None
    """Whether to tell of the thoughts, and how much."""
    generate_summary: Text = None
    """The older name of `summary`."""
    context: Text = None
    """Which earlier thoughts to think on from."""
    mode: Text = None
    """How the model is run."""


class TextFormat(PartialObject):
    type: Text = None
    """`json_schema` comes with a `name` and a `schema`."""
    name: Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9_-]{1,64}$")] | None = None
    """The name of the schema."""
    description: Text = None
    """What the schema is for."""
    strict: Flag = None
    """Whether the text must fit the schema."""


class TextOptions(PartialObject):
    format: TextFormat | None = None
    """What kind of text."""
    verbosity: Text = None
    """How many words."""


class StreamOptions(PartialObject):
    include_obfuscation: Flag = None
    """Pads deltas, so that their length tells nothing."""


class Prompt(PartialObject):
    id: str
    """The id of the prompt at the provider."""
    version: Text = None
    """Its version; the newest if absent."""
    variables: AnyObject = None
    """A value for each variable in it."""


class ContextRule(PartialObject):
    type: str
    """What to do."""
    compact_threshold: Annotated[Whole, Field(ge=1000)] | None = None
    """From how many tokens on."""


class Moderation(PartialObject):
    model: str
    """The moderation model."""
    policy: AnyObject = None
    """What follows from its judgement."""


class CacheOptions(PartialObject):
    mode: Text = None
    """Whether the provider finds what to cache, or is told."""
    ttl: Text = None
    """How long it is kept."""
    prewarm: Flag = None
    """Fill the cache and generate nothing."""
    comparison_response_id: Text = None
    """A response to explain a cache miss by. It must be the tenant's own."""


class BackgroundOptions(PartialObject):
    completion_window: Text = None
    """When it must be done. `2h` and `8h` need `background`, and no `stream`."""
    continuation_id: Text = None
    """The response to go on from. It must be the tenant's own."""


# Kinds that a provider looks up by their id unless this is there; all others if nothing is.
CONTENT_KEYS = {"reasoning": "encrypted_content", "image_generation_call": "result"}
STRUCTURAL_KEYS = {"type", "id", "status"}
FUNCTION_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")


class Named(PartialObject):
    """Of the many kinds of objects that have a name, only functions have rules for it."""

    type: Text = None
    """Which kind it is; newer kinds pass."""
    name: Any = Field(default=None, validate_default=True)  # a function without one is refused
    """A function has one: 1 to 128 letters, digits, underscores and dashes."""

    @field_validator("name")
    @classmethod
    def _function(cls, name: Any, others: ValidationInfo) -> Any:
        is_function = others.data.get("type") in ("function", "function_call")
        if is_function and not (isinstance(name, str) and FUNCTION_NAME.fullmatch(name)):
            raise PydanticCustomError(
                "function_name",
                "A function's name should be 1 to 128 letters, digits, underscores and dashes",
            )
        return name


class ConversationRef(PartialObject):
    id: str
    """The conversation's id. It must be the tenant's own."""


def _check_parts(content: Any) -> Any:
    if isinstance(content, list):
        for n, part in enumerate(content):
            if not isinstance(part, dict):
                raise PydanticCustomError("part", "Part {n} should be an object", {"n": n})
    return content


class Item(Named):
    """One input item; without a type it is a message, or a reference where it has only an id."""

    id: Text = None
    """Its id, where it was stored before."""
    role: Text = None
    """Who speaks, in a message."""
    call_id: CallId | None = None
    """The call of a tool that it is, or that it answers."""
    content: Annotated[StringOrArray, BeforeValidator(_check_parts)] = None
    """A message's text, or its parts: text, images, files."""

    @property
    def refers_to(self) -> str | None:
        """The id of the stored item that this one stands for, if the provider would look it up."""
        members = {name: value for name, value in self if value}
        carrier = CONTENT_KEYS.get(self.type or "")
        complete = carrier in members if carrier else bool(members.keys() - STRUCTURAL_KEYS)
        return self.id if self.type == "item_reference" or not complete else None


class Tool(Named):
    type: str
    """Which tool it is; newer ones pass."""
    parameters: AnyObject = None
    """The JSON schema of a function's arguments."""
    strict: Flag = None
    """Whether the arguments must fit that schema."""
