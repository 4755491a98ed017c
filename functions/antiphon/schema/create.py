"""Request bodies in general, and the body of POST /responses.

https://platform.openai.com/docs/api-reference/responses/create
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import FailFast, Field, PrivateAttr, ValidationError

from antiphon.errors import InvalidRequest
from antiphon.schema import fields
from antiphon.schema.fields import (
    AnyObject,
    CheckedItems,
    CheckedTools,
    ConversationRef,
    Flag,
    PartialObject,
    StringOrObject,
    Text,
    Whole,
    one_of,
    stored_id,
)
from antiphon.schema.json_document import read_document
from antiphon.schema.json_offsets import replace_key, replace_value, set_false
from antiphon.schema.resource_references import ReferencedKind, resource_references
from antiphon.schema.validation_errors import invalid_value, missing_parameter, validation_error

BACKGROUND_WINDOWS = {"2h", "8h"}  # completion windows that only background responses may have
Positive = Annotated[Whole, Field(ge=1)] | None
# Types of values that name no resource, unless the member is unknown.
SCALARS = frozenset({str, int, float, bool, type(None)})
MAX_MODEL_CHARS, MAX_TIER_CHARS = 256, 64  # both are recorded with the response

CHAT_MESSAGES = (
    " 'messages' is its name in Chat Completions: send the same messages as 'input', to "
    "client.responses.create (POST /v1/responses)."
)

# param, kind, id
type Reference = tuple[str, Literal["response", "conversation", "item"] | ReferencedKind, str]


class RequestBody(PartialObject):
    """A request body: strict JSON, its documented fields checked, all others passed on."""

    _document: Mapping[str, Any] = PrivateAttr()

    def model_post_init(self, context: Any, /) -> None:
        """Keep the parsed body: the model has no names in it of what is not documented."""
        self._document = context

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Raise InvalidRequest that names the field."""
        return cls.of(read_document(body))

    @classmethod
    def of(cls, members: Mapping[str, Any]) -> Self:
        """Validate a parsed JSON object; raise InvalidRequest that names the field."""
        try:
            body = cls.model_validate(members, context=members)
        except ValidationError as exc:
            raise validation_error(dict(members), exc) from exc
        for error in body.cross_field_errors():
            raise error
        return body

    def cross_field_errors(self) -> Iterator[InvalidRequest]:
        """Yield errors of fields that exclude or require one another."""
        yield from ()

    @property
    def document(self) -> Mapping[str, Any]:
        """The parsed body, with all that is not documented."""
        return self._document

    @property
    def references(self) -> Iterator[Reference]:
        """Yield every id that the provider would look up: none may be another tenant's."""
        values = self._document.values()
        is_plain = not self.model_extra and SCALARS.issuperset(map(type, values))
        return iter(()) if is_plain else resource_references(self._document)


class ModelRequest(RequestBody):
    """What the bodies have in common that name a model and may continue something."""

    model: Annotated[str, Field(min_length=1, max_length=MAX_MODEL_CHARS)] | None = None
    """The model's public name. It decides the target, unless the request continues something."""
    input: Annotated[str | CheckedItems | None, one_of(str, list)] = None
    """What to answer: a text, or items such as messages, tool outputs and references."""
    instructions: Text = None
    """A system message for this turn alone: it is not carried over to the next one."""
    previous_response_id: Text = None
    """The response to continue. It must be the tenant's own."""
    conversation: Annotated[str | ConversationRef | None, one_of(str, dict)] = None
    """The conversation to continue, as its id or as an object with its `id`."""
    prompt_cache_key: Text = None
    """Groups requests with a common beginning: they share a prompt cache, and a target."""
    prompt_cache_options: fields.CacheOptions | None = None
    """How the provider caches the prompt."""
    safety_identifier: Text = None
    """Identifies one end user to the provider; best a hash."""
    user: Text = None
    """The older name of `safety_identifier`."""
    service_tier: Annotated[str, Field(max_length=MAX_TIER_CHARS)] | None = None
    """The processing tier, which decides speed and price."""

    @property
    def conversation_id(self) -> str | None:
        conversation = self.conversation
        return conversation.id if isinstance(conversation, ConversationRef) else conversation

    @property
    def references(self) -> Iterator[Reference]:
        """Yield every id but those of `previous_response_id` and `conversation`."""
        compared_id = self.prompt_cache_options and self.prompt_cache_options.comparison_response_id
        if compared_id:
            yield "prompt_cache_options.comparison_response_id", "response", compared_id
        yield from item_references(self.input if isinstance(self.input, list) else [], "input")
        yield from super().references

    def affinity(self, session: str | None) -> str | None:
        """Return the key by which requests are grouped that share a provider's prompt cache."""
        return self.prompt_cache_key or session or self.safety_identifier or self.user

    def body_for(self, body: bytes, model: str | None) -> bytes:
        """Return the caller's bytes with a target's own name of the model, and no other change."""
        if model is None or model == self.model:
            return body
        return replace_value(body, "model", model)


class CreateResponse(ModelRequest):
    """The body of POST /responses: every documented field is checked, unknown fields pass."""

    prompt: fields.Prompt | None = None
    """A stored prompt and its variables, instead of `model` and `input`."""

    stream: Flag = None
    """Answer with server-sent events while the response is generated."""
    stream_options: fields.StreamOptions | None = None
    """Only with `stream`."""
    background: Flag = None
    """Answer at once and continue without a connection; poll with GET /responses/{id}."""
    background_options: fields.BackgroundOptions | None = None
    """When a background response must be complete, and which response it continues."""
    store: Flag = None
    """Whether the provider stores the response. Otherwise it cannot be retrieved."""
    include: Annotated[list[str], FailFast()] | None = None
    """Further data to include in the response."""
    metadata: fields.Metadata | None = None
    """At most 16 pairs to find the response by: `GET /responses?metadata[key]=value`."""

    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    """Higher is more random."""
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    """Only the most probable tokens, up to this share; an alternative to `temperature`."""
    top_logprobs: Annotated[Whole, Field(ge=0, le=20)] | None = None
    """How many alternatives to return for each token, with their probabilities."""
    max_output_tokens: Positive = None
    """The maximum number of generated tokens, reasoning included. Some providers require 16."""
    max_tokens: Positive = None
    """Another API's name for `max_output_tokens`; it is sent as `max_output_tokens`."""
    max_tool_calls: Annotated[Whole, Field(ge=0)] | None = None
    """The maximum number of calls of hosted tools."""

    tools: CheckedTools | None = None
    """What the model may call: functions of your own, and tools that the provider hosts."""
    tool_choice: StringOrObject = None
    """`auto`, `none`, `required`, or an object that names a tool."""
    parallel_tool_calls: Flag = None
    """Whether the model may call several tools at once."""
    reasoning: fields.Reasoning | None = None
    """Settings of a reasoning model."""
    text: fields.TextOptions | None = None
    """The format of the text: free, JSON, or JSON of a schema."""
    truncation: Text = None
    """With `disabled`, an input that is too long for the model is refused."""
    context_management: Annotated[fields.ContextRules, Field(min_length=1)] | None = None
    """Rules for how the provider reduces the context."""
    moderation: fields.Moderation | None = None
    """A moderation model that checks input and output."""

    prompt_cache_retention: Text = None
    """How long the prompt stays in the provider's cache."""
    access_programs: AnyObject = None
    """Access programs of the account."""
    image: AnyObject = None
    """How the provider treats images in the context."""

    _stops_storing: bool = PrivateAttr(default=False)

    def without_storing(self) -> Self:
        """Return the body as it is sent where a policy has the provider store nothing."""
        changed = self.model_copy(update={"store": False})
        changed._stops_storing = True  # noqa: SLF001  a copy of the same class
        return changed

    def cross_field_errors(self) -> Iterator[InvalidRequest]:
        """Yield the errors on which all descriptions of the API agree."""
        yield from _missing_fields(self)
        yield from _exclusive_fields(self)
        yield from _stream_conflicts(self)
        yield from _background_conflicts(self)

    @property
    def references(self) -> Iterator[Reference]:
        continued_id = self.background_options and self.background_options.continuation_id
        if continued_id:
            yield "background_options.continuation_id", "response", continued_id
        yield from super().references

    def body_for(self, body: bytes, model: str | None) -> bytes:
        body = super().body_for(body, model)
        if self.max_tokens is not None:
            body = replace_key(body, "max_tokens", "max_output_tokens")
        return set_false(body, "store") if self._stops_storing else body

    @property
    def rewrites(self) -> dict[str, str]:
        """The response header that names the parameters which `body_for` changes."""
        if self.max_tokens is None and not self._stops_storing:
            return {}
        renamed = [] if self.max_tokens is None else ["max_tokens=max_output_tokens"]
        changed = ["store=false"] if self._stops_storing else []
        return {"x-antiphon-rewrote": ", ".join(renamed + changed)}


def item_references(items: Iterable[Mapping[str, Any]], param: str) -> Iterator[Reference]:
    """Yield the ids of stored items that the provider would look up."""
    for n, item in enumerate(items):
        id = stored_id(item)
        if id is not None:
            yield f"{param}[{n}].id", "item", id


def _missing_fields(body: CreateResponse) -> Iterator[InvalidRequest]:
    if body.model is None and body.prompt is None:
        yield missing_parameter("model")
    inputs = (body.input, body.prompt, body.conversation, body.previous_response_id)
    if all(value is None for value in inputs):
        is_chat = "messages" in (body.model_extra or ())
        yield missing_parameter("input", CHAT_MESSAGES if is_chat else "")


def _exclusive_fields(body: CreateResponse) -> Iterator[InvalidRequest]:
    if body.conversation is not None and body.previous_response_id is not None:
        message = "Give only one of 'previous_response_id' and 'conversation'."
        yield InvalidRequest(
            message, param="previous_response_id", code="mutually_exclusive_parameters"
        )
    if body.max_tokens is not None and body.max_output_tokens is not None:
        message = "Give only one of 'max_output_tokens' and 'max_tokens': they mean the same."
        yield InvalidRequest(message, param="max_tokens", code="mutually_exclusive_parameters")


def _stream_conflicts(body: CreateResponse) -> Iterator[InvalidRequest]:
    if body.stream_options is not None and not body.stream:
        yield invalid_value(
            "stream_options", "'stream_options' is only allowed when 'stream' is true."
        )


def _background_conflicts(body: CreateResponse) -> Iterator[InvalidRequest]:
    options = body.background_options
    if options is None or options.completion_window not in BACKGROUND_WINDOWS:
        return
    param = "background_options.completion_window"
    if not body.background:
        yield invalid_value(param, f"Invalid '{param}': it requires 'background' to be true.")
    if body.stream:
        yield invalid_value(param, f"Invalid '{param}': it requires 'stream' to be false.")
