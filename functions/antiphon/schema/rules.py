"""What fields of a create request say about one another."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from antiphon.errors import InvalidRequest
from antiphon.schema.refusal import invalid, missing

if TYPE_CHECKING:
    from antiphon.schema.create import CreateResponse

DELAYED = {"2h", "8h"}


def refusals(ask: "CreateResponse") -> Iterator[InvalidRequest]:
    """The wider reading holds where descriptions of the API differ."""
    yield from _required(ask)
    yield from _exclusive(ask)
    yield from _streaming(ask)
    yield from _background(ask)


def _required(ask: "CreateResponse") -> Iterator[InvalidRequest]:
    if ask.model is None and ask.prompt is None:
        yield missing("model")
    given = (ask.input, ask.prompt, ask.conversation, ask.previous_response_id)
    if all(value is None for value in given):
        yield missing("input")


def _exclusive(ask: "CreateResponse") -> Iterator[InvalidRequest]:
    if ask.conversation is not None and ask.previous_response_id is not None:
        message = "Give only one of 'previous_response_id' and 'conversation'."
        yield InvalidRequest(
            message, param="previous_response_id", code="mutually_exclusive_parameters"
        )
    if ask.max_tokens is not None and ask.max_output_tokens is not None:
        message = "Give either 'max_output_tokens' or 'max_tokens', which means the same."
        yield InvalidRequest(message, param="max_tokens", code="mutually_exclusive_parameters")


def _streaming(ask: "CreateResponse") -> Iterator[InvalidRequest]:
    if ask.stream_options is not None and not ask.stream:
        yield invalid("stream_options", "'stream_options' is only allowed when 'stream' is true.")


def _background(ask: "CreateResponse") -> Iterator[InvalidRequest]:
    options = ask.background_options
    if options is None or options.completion_window not in DELAYED:
        return
    param = "background_options.completion_window"
    if not ask.background:
        yield invalid(param, f"Invalid '{param}': it needs 'background' to be true.")
    if ask.stream:
        yield invalid(param, f"Invalid '{param}': it needs 'stream' to be false.")
