"""What requests have in common that may continue something: a model, an input, and parents."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError

from antiphon.errors import InvalidRequest
from antiphon.schema import document, fields, splice
from antiphon.schema.fields import Part, Text, one_of
from antiphon.schema.items import ConversationRef, Item
from antiphon.schema.refusal import refused

type Reference = tuple[str, Literal["response", "item"], str]  # param, kind, id


class Checked(Part):
    """A request's body: read strictly, its documented fields checked, all others let through."""

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Raise InvalidRequest that names the field."""
        return cls.of(document.read(body))

    @classmethod
    def of(cls, members: Mapping[str, Any]) -> Self:
        try:
            asked = cls.model_validate(members)
        except ValidationError as exc:
            raise refused(dict(members), exc) from exc
        for refusal in asked.refusals():
            raise refusal
        return asked

    def refusals(self) -> Iterator[InvalidRequest]:
        """What the fields say about one another."""
        yield from ()


class Continuing(Checked):
    model: Annotated[str, Field(min_length=1)] | None = None
    """The model's public name. It decides the target, unless the request continues something."""
    input: Annotated[str | list[Item] | None, one_of(str, list)] = None
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
    """Tells the provider one end user from another; best a hash."""
    user: Text = None
    """The older name of `safety_identifier`."""

    @property
    def conversation_id(self) -> str | None:
        given = self.conversation
        return given.id if isinstance(given, ConversationRef) else given

    @property
    def references(self) -> Iterator[Reference]:
        """Every other id of something stored that the request would have the provider honour."""
        compared = self.prompt_cache_options and self.prompt_cache_options.comparison_response_id
        if compared:
            yield "prompt_cache_options.comparison_response_id", "response", compared
        yield from item_references(self.input if isinstance(self.input, list) else [], "input")

    @property
    def affinity(self) -> str | None:
        """What groups requests that share a provider's prompt cache."""
        return self.prompt_cache_key or self.safety_identifier or self.user

    def spelled(self, body: bytes, model: str | None) -> bytes:
        """The caller's bytes as a target takes them: its own name of the model, no other change."""
        if model is None or model == self.model:
            return body
        return splice.value(body, "model", model)


def item_references(items: list[Item], param: str) -> Iterator[Reference]:
    for n, item in enumerate(items):
        if item.refers_to is not None:
            yield f"{param}[{n}].id", "item", item.refers_to
