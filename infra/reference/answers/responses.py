"""Answers of /responses."""

from typing import Any, Literal

from infra.reference.answers.errors import ErrorBody
from infra.reference.answers.open import Open

Status = Literal["queued", "in_progress", "completed", "failed", "incomplete", "cancelled"]
Object = dict[str, Any]
Objects = list[Object]


class InputTokenDetails(Open):
    cached_tokens: int = 0
    """Input tokens that came from the prompt cache."""
    cache_write_tokens: int = 0
    """Input tokens that were written to the prompt cache."""


class OutputTokenDetails(Open):
    reasoning_tokens: int = 0
    """Output tokens that the model thought with."""


class Usage(Open):
    """What the response cost, in tokens."""

    input_tokens: int
    input_tokens_details: InputTokenDetails | None = None
    output_tokens: int
    output_tokens_details: OutputTokenDetails | None = None
    total_tokens: int


class IncompleteDetails(Open):
    reason: str
    """`max_output_tokens`, `max_messages`, `content_filter` or `steered`."""


class OutputItem(Open):
    """A message, a reasoning step or a call of a tool, by its `type`."""

    type: str
    """Such as `message`, `reasoning`, `function_call` or `web_search_call`."""
    id: str | None = None
    status: str | None = None
    """`in_progress`, `completed` or `incomplete`."""
    role: str | None = None
    """`assistant`, where the item is a message."""
    content: Objects | None = None
    """The parts of a message, such as `output_text` with its `text` and `annotations`."""
    call_id: str | None = None
    """What a `function_call_output` must name to answer this call."""
    name: str | None = None
    """The name of the function or tool that is called."""
    arguments: str | None = None
    """The arguments of a function call: JSON in a string."""


class Response(Open):
    """A response as its provider tells of it; fields that are not listed here pass too."""

    id: str
    """Names the response from now on: to retrieve, continue, cancel or delete it."""
    object: Literal["response"]
    created_at: float
    """When it was created, in epoch seconds."""
    completed_at: float | None = None
    """When it was completed, in epoch seconds."""
    status: Status | None = None
    """How far it is; all but `queued` and `in_progress` are final."""
    model: str
    """The model's name at the provider: on Azure the model, not the deployment."""
    output: list[OutputItem]
    """What the model produced, in order."""
    error: ErrorBody | None = None
    """Why it failed, where `status` is `failed`."""
    incomplete_details: IncompleteDetails | None = None
    """Why it stopped early, where `status` is `incomplete`."""
    usage: Usage | None = None
    """What it cost; null until it is final."""
    instructions: str | Objects | None = None
    """The instructions it was given."""
    metadata: dict[str, str] | None = None
    """The pairs it was given; `GET /responses` finds it by them."""
    previous_response_id: str | None = None
    """The response it continues."""
    conversation: Object | None = None
    """The conversation it belongs to: an object with an `id`."""
    background: bool | None = None
    """Whether it runs without a connection."""
    store: bool | None = None
    """Whether the provider keeps it."""
    parallel_tool_calls: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_logprobs: int | None = None
    max_output_tokens: int | None = None
    max_tool_calls: int | None = None
    tool_choice: str | Object | None = None
    tools: Objects | None = None
    prompt: Object | None = None
    reasoning: Object | None = None
    text: Object | None = None
    truncation: str | None = None
    service_tier: str | None = None
    """The tier that really served it."""
    prompt_cache_key: str | None = None
    prompt_cache_retention: str | None = None
    safety_identifier: str | None = None
    user: str | None = None


class DeletedResponse(Open):
    id: str
    object: Literal["response", "response.deleted"]
    deleted: Literal[True]


class InputTokenCount(Open):
    object: Literal["response.input_tokens"]
    input_tokens: int
    """What the input of such a create would count."""


class Compaction(Open):
    """A conversation made short: its `output` is the input to go on with."""

    id: str
    object: Literal["response.compaction"]
    created_at: float
    """When it was made, in epoch seconds."""
    output: list[OutputItem]
    """Items to send as the `input` of the next create."""
    usage: Usage | None = None
