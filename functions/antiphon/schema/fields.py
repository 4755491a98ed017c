"""The kinds of values that fields of the Responses API take, as far as we look at them.

Enumerations are not checked: a value that is new today is for the provider to judge.
Lengths above Lambda's 6 MB request limit are not checked either. The string below a field is for
the reference, which is made from these models; a running gateway does not carry it.
"""

from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

MOST_PAIRS = 16  # of metadata


class Part(BaseModel):
    """An object of which we look at some members and let all others pass."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True, defer_build=True)


def _whole(value: Any) -> Any:
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


def _metadata(pairs: dict[str, Any]) -> dict[str, Any]:
    if len(pairs) > MOST_PAIRS:
        message = "Input should have at most {most} pairs"
        raise PydanticCustomError("too_many", message, {"most": MOST_PAIRS})
    return pairs


Whole = Annotated[int, BeforeValidator(_whole)]  # JSON's 16.0 is a whole number
Text = str | None
Flag = bool | None
Anything = dict[str, Any] | None
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
    AfterValidator(_metadata),
    Field(json_schema_extra={"maxProperties": MOST_PAIRS}),
]
CallId = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class Reasoning(Part):
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


class TextFormat(Part):
    type: Text = None
    """`json_schema` comes with a `name` and a `schema`."""
    name: Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9_-]{1,64}$")] | None = None
    """The name of the schema."""
    description: Text = None
    """What the schema is for."""
    strict: Flag = None
    """Whether the text must fit the schema."""


class TextOptions(Part):
    format: TextFormat | None = None
    """What kind of text."""
    verbosity: Text = None
    """How many words."""


class StreamOptions(Part):
    include_obfuscation: Flag = None
    """Pads deltas, so that their length tells nothing."""


class Prompt(Part):
    id: str
    """The id of the prompt at the provider."""
    version: Text = None
    """Its version; the newest if absent."""
    variables: Anything = None
    """A value for each variable in it."""


class ContextRule(Part):
    type: str
    """What to do."""
    compact_threshold: Annotated[Whole, Field(ge=1000)] | None = None
    """From how many tokens on."""


class Moderation(Part):
    model: str
    """The moderation model."""
    policy: Anything = None
    """What follows from its judgement."""


class CacheOptions(Part):
    mode: Text = None
    """Whether the provider finds what to cache, or is told."""
    ttl: Text = None
    """How long it is kept."""
    prewarm: Flag = None
    """Fill the cache and generate nothing."""
    comparison_response_id: Text = None
    """A response to explain a cache miss by. It must be the tenant's own."""


class BackgroundOptions(Part):
    completion_window: Text = None
    """When it must be done. `2h` and `8h` need `background`, and no `stream`."""
    continuation_id: Text = None
    """The response to go on from. It must be the tenant's own."""
