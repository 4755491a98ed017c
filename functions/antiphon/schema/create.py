"""The body of POST /responses: https://platform.openai.com/docs/api-reference/responses/create."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from antiphon.errors import InvalidRequest
from antiphon.schema import fields, splice
from antiphon.schema.continuing import Continuing, Reference
from antiphon.schema.fields import Anything, Flag, StringOrObject, Text, Whole, one_of
from antiphon.schema.items import Tool
from antiphon.schema.refusal import invalid, missing

DELAYED = {"2h", "8h"}  # completion windows that are for the background alone
Positive = Annotated[Whole, Field(ge=1)] | None


class CreateResponse(Continuing):
    """Every documented field is checked; keys we do not know pass with the rest."""

    prompt: fields.Prompt | None = None
    """A stored prompt and its variables, in the place of `model` and `input`."""

    stream: Flag = None
    """Answer with server-sent events while the response is generated."""
    stream_options: fields.StreamOptions | None = None
    """Only with `stream`."""
    background: Flag = None
    """Answer at once and go on without a connection; GET /responses/{id} follows it."""
    background_options: fields.BackgroundOptions | None = None
    """When a background response is wanted, and what it goes on from."""
    store: Flag = None
    """Whether the provider keeps the response. Without that it cannot be retrieved."""
    include: list[str] | None = None
    """What else the answer is to tell."""
    metadata: fields.Metadata | None = None
    """At most 16 pairs to find the response by: `GET /responses?metadata[key]=value`."""

    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    """Higher is more random."""
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    """Only the most probable tokens, up to this share; an alternative to `temperature`."""
    top_logprobs: Annotated[Whole, Field(ge=0, le=20)] | None = None
    """How many alternatives to tell for each token, with their probabilities."""
    max_output_tokens: Positive = None
    """The most tokens to generate, reasoning included. Some providers ask for 16 or more."""
    max_tokens: Positive = None
    """Another dialect's name for `max_output_tokens`, and sent on as that."""
    max_tool_calls: Positive = None
    """The most calls of hosted tools."""

    tools: list[Annotated[str | Tool, one_of(str, dict)]] | None = None
    """What the model may call: functions of your own, and tools that the provider hosts."""
    tool_choice: StringOrObject = None
    """`auto`, `none`, `required`, or an object that names a tool."""
    parallel_tool_calls: Flag = None
    """Whether the model may call several tools at once."""
    reasoning: fields.Reasoning | None = None
    """How a reasoning model thinks."""
    text: fields.TextOptions | None = None
    """What the text must be: free, JSON, or JSON of a schema."""
    truncation: Text = None
    """With `disabled`, an input that is too long for the model is refused."""
    context_management: Annotated[list[fields.ContextRule], Field(min_length=1)] | None = None
    """Rules by which the provider keeps the context small."""
    moderation: fields.Moderation | None = None
    """Has the provider judge input and output by a moderation model."""

    service_tier: Text = None
    """How fast, and at what price."""
    prompt_cache_retention: Text = None
    """How long the provider keeps the prompt in its cache."""
    access_programs: Anything = None
    """Programs of the provider that the account takes part in."""
    image: Anything = None
    """How the provider treats images in the context."""

    def refusals(self) -> Iterator[InvalidRequest]:
        yield from _refusals(self)

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


def _refusals(ask: CreateResponse) -> Iterator[InvalidRequest]:
    """The wider reading holds where descriptions of the API differ."""
    yield from _required(ask)
    yield from _exclusive(ask)
    yield from _streaming(ask)
    yield from _background(ask)


def _required(ask: CreateResponse) -> Iterator[InvalidRequest]:
    if ask.model is None and ask.prompt is None:
        yield missing("model")
    given = (ask.input, ask.prompt, ask.conversation, ask.previous_response_id)
    if all(value is None for value in given):
        yield missing("input")


def _exclusive(ask: CreateResponse) -> Iterator[InvalidRequest]:
    if ask.conversation is not None and ask.previous_response_id is not None:
        message = "Give only one of 'previous_response_id' and 'conversation'."
        yield InvalidRequest(
            message, param="previous_response_id", code="mutually_exclusive_parameters"
        )
    if ask.max_tokens is not None and ask.max_output_tokens is not None:
        message = "Give either 'max_output_tokens' or 'max_tokens', which means the same."
        yield InvalidRequest(message, param="max_tokens", code="mutually_exclusive_parameters")


def _streaming(ask: CreateResponse) -> Iterator[InvalidRequest]:
    if ask.stream_options is not None and not ask.stream:
        yield invalid("stream_options", "'stream_options' is only allowed when 'stream' is true.")


def _background(ask: CreateResponse) -> Iterator[InvalidRequest]:
    options = ask.background_options
    if options is None or options.completion_window not in DELAYED:
        return
    param = "background_options.completion_window"
    if not ask.background:
        yield invalid(param, f"Invalid '{param}': it needs 'background' to be true.")
    if ask.stream:
        yield invalid(param, f"Invalid '{param}': it needs 'stream' to be false.")
