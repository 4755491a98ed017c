"""Input items and tools: objects of many kinds, known and new, of which we check the bones."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from antiphon.schema.fields import Anything, CallId, Flag, Part, StringOrArray, Text

# Kinds that a provider looks up by their id unless this is there; all others if nothing is.
CARRIERS = {"reasoning": "encrypted_content", "image_generation_call": "result"}
BONES = {"type", "id", "status"}
NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")


class Named(Part):
    """Of the many kinds of objects that have a name, only functions have rules for it."""

    type: Text = None
    """Which kind it is; newer kinds pass."""
    name: Any = Field(default=None, validate_default=True)  # a function without one is refused
    """A function has one: 1 to 128 letters, digits, underscores and dashes."""

    @field_validator("name")
    @classmethod
    def _function(cls, name: Any, others: ValidationInfo) -> Any:
        is_function = others.data.get("type") in ("function", "function_call")
        if is_function and not (isinstance(name, str) and NAME.fullmatch(name)):
            raise PydanticCustomError(
                "function_name",
                "A function's name should be 1 to 128 letters, digits, underscores and dashes",
            )
        return name


class ConversationRef(Part):
    id: str
    """The conversation's id. It must be the tenant's own."""


def _parts(content: Any) -> Any:
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
    content: Annotated[StringOrArray, BeforeValidator(_parts)] = None
    """A message's text, or its parts: text, images, files."""

    @property
    def refers_to(self) -> str | None:
        """The id of the stored item that this one stands for, if the provider would look it up."""
        members = {name: value for name, value in self if value}
        carrier = CARRIERS.get(self.type or "")
        complete = carrier in members if carrier else bool(members.keys() - BONES)
        return self.id if self.type == "item_reference" or not complete else None


class Tool(Named):
    type: str
    """Which tool it is; newer ones pass."""
    parameters: Anything = None
    """The JSON schema of a function's arguments."""
    strict: Flag = None
    """Whether the arguments must fit that schema."""
