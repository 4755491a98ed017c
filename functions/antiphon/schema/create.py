"""The body of POST /responses: https://platform.openai.com/docs/api-reference/responses/create."""

from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import Field, ValidationError

from antiphon.schema import document, fields, rules, splice
from antiphon.schema.fields import Anything, Flag, Part, StringOrObject, Text, Whole, one_of
from antiphon.schema.items import ConversationRef, Item, Tool
from antiphon.schema.refusal import refused

Positive = Annotated[Whole, Field(ge=1)] | None


class CreateResponse(Part):
    """Every documented field is checked; keys we do not know pass with the rest."""

    model: Annotated[str, Field(min_length=1)] | None = None
    input: Annotated[str | list[Item] | None, one_of(str, list)] = None
    instructions: Text = None
    previous_response_id: Text = None
    conversation: Annotated[str | ConversationRef | None, one_of(str, dict)] = None
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
    prompt_cache_key: Text = None
    prompt_cache_options: fields.CacheOptions | None = None
    prompt_cache_retention: Text = None
    safety_identifier: Text = None
    user: Text = None
    access_programs: Anything = None
    image: Anything = None

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Read a request's body; raise InvalidRequest that names the field."""
        members = document.read(body)
        try:
            ask = cls.model_validate(members)
        except ValidationError as exc:
            raise refused(members, exc) from exc
        rules.check(ask)
        return ask

    @property
    def conversation_id(self) -> str | None:
        given = self.conversation
        return given.id if isinstance(given, ConversationRef) else given

    @property
    def item_references(self) -> Iterator[tuple[str, str]]:
        """Where the input refers to stored items: (param, item id)."""
        for n, item in enumerate(self.input if isinstance(self.input, list) else ()):
            if item.refers_to is not None:
                yield f"input[{n}].id", item.refers_to

    def spelled(self, body: bytes, model: str | None) -> bytes:
        """The caller's bytes as a target takes them: its own name of the model, no other change."""
        if model is not None and model != self.model:
            body = splice.value(body, "model", model)
        if self.max_tokens is not None:
            body = splice.key(body, "max_tokens", "max_output_tokens")
        return body

    @property
    def rewrites(self) -> dict[str, str]:
        """The header that says which of the caller's parameters were given another name."""
        taken = self.max_tokens is not None
        return {"x_antiphon_rewrote": "max_tokens=max_output_tokens"} if taken else {}
