"""The kinds of values that fields of the Responses API take, as far as we look at them.

Enumerations are not checked: a value that is new today is for the provider to judge.
Lengths above Lambda's 6 MB request limit are not checked either.
"""

from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)
from pydantic_core import PydanticCustomError


class Part(BaseModel):
    """An object of which we look at some members and let all others pass."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)


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
    if len(pairs) > 16:  # noqa: PLR2004
        raise PydanticCustomError("too_many", "Input should have at most 16 pairs")
    return pairs


Whole = Annotated[int, BeforeValidator(_whole)]  # JSON's 16.0 is a whole number
Text = str | None
Flag = bool | None
Anything = dict[str, Any] | None
StringOrArray = Annotated[Any, one_of(str, list)]
StringOrObject = Annotated[Any, one_of(str, dict)]
MetadataKey = Annotated[str, StringConstraints(max_length=64)]
MetadataValue = Annotated[str, StringConstraints(max_length=512)]
Metadata = Annotated[dict[MetadataKey, MetadataValue], AfterValidator(_metadata)]
CallId = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class Reasoning(Part):
    effort: Text = None
    summary: Text = None
    generate_summary: Text = None
    context: Text = None
    mode: Text = None


class TextFormat(Part):
    type: Text = None
    name: Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9_-]{1,64}$")] | None = None
    description: Text = None
    strict: Flag = None


class TextOptions(Part):
    format: TextFormat | None = None
    verbosity: Text = None


class StreamOptions(Part):
    include_obfuscation: Flag = None


class Prompt(Part):
    id: str
    version: Text = None
    variables: Anything = None


class ContextRule(Part):
    type: str
    compact_threshold: Annotated[Whole, Field(ge=1000)] | None = None


class Moderation(Part):
    model: str
    policy: Anything = None


class CacheOptions(Part):
    mode: Text = None
    ttl: Text = None
    prewarm: Flag = None
    comparison_response_id: Text = None


class BackgroundOptions(Part):
    completion_window: Text = None
    continuation_id: Text = None
