"""The body of POST /responses: https://platform.openai.com/docs/api-reference/responses/create."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from antiphon.errors import InvalidRequest
from antiphon.schema import fields, rules, splice
from antiphon.schema.continuing import Continuing, Reference
from antiphon.schema.fields import Anything, Flag, StringOrObject, Text, Whole, one_of
from antiphon.schema.items import Tool

Positive = Annotated[Whole, Field(ge=1)] | None


class CreateResponse(Continuing):
    """Every documented field is checked; keys we do not know pass with the rest."""

    prompt: fields.Prompt | None = None

    stream: Flag = None
    stream_options: fields.StreamOptions | None = None
    background: Flag = None
    background_options: fields.BackgroundOptions | None = None
    store: Flag = None
    include: list[str] | None = None
    metadata: fields.Metadata | None = None

    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    top_logprobs: Annotated[Whole, Field(ge=0, le=20)] | None = None
    max_output_tokens: Positive = None
    max_tokens: Positive = None  # another dialect's name for max_output_tokens
    max_tool_calls: Positive = None

    tools: list[Annotated[str | Tool, one_of(str, dict)]] | None = None
    tool_choice: StringOrObject = None
    parallel_tool_calls: Flag = None
    reasoning: fields.Reasoning | None = None
    text: fields.TextOptions | None = None
    truncation: Text = None
    context_management: Annotated[list[fields.ContextRule], Field(min_length=1)] | None = None
    moderation: fields.Moderation | None = None

    service_tier: Text = None
    prompt_cache_retention: Text = None
    access_programs: Anything = None
    image: Anything = None

    def refusals(self) -> Iterator[InvalidRequest]:
        yield from rules.refusals(self)

    @property
    def references(self) -> Iterator[Reference]:
        continued = self.background_options and self.background_options.continuation_id
        if continued:
            yield "background_options.continuation_id", "response", continued
        yield from super().references

    def spelled(self, body: bytes, model: str | None) -> bytes:
        body = super().spelled(body, model)
        if self.max_tokens is not None:
            body = splice.key(body, "max_tokens", "max_output_tokens")
        return body

    @property
    def rewrites(self) -> dict[str, str]:
        """The header that says which of the caller's parameters were given another name."""
        taken = self.max_tokens is not None
        return {"x_antiphon_rewrote": "max_tokens=max_output_tokens"} if taken else {}
