"""Builds the response to a create request, its state at any time, and its token usage."""

import asyncio
import json
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from infra.local.simulator.events import add_obfuscation, build_events, unfinished_response
from infra.local.simulator.items import (
    GENERATED_FIELDS,
    Json,
    generated_text,
    item_text,
    new_id,
    split_deltas,
)
from infra.local.simulator.output import REASONING_SUMMARY, reasoning_item
from infra.local.simulator.request_body import CreateRequest
from infra.local.simulator.scenario import INCOMPLETE, FinalStatus, Scenario
from infra.local.simulator.stream import Chunks, EventEncoder, build_chunks

# Fields of a response that repeat the request, and their defaults.
REQUEST_DEFAULTS: Mapping[str, Any] = {
    "background": False,
    "frequency_penalty": 0.0,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "presence_penalty": 0.0,
    "previous_response_id": None,
    "prompt": None,
    "prompt_cache_key": None,
    "prompt_cache_retention": None,
    "safety_identifier": None,
    "service_tier": "default",
    "store": True,
    "temperature": 1.0,
    "tool_choice": "auto",
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}
FUNCTION_DEFAULTS = {"description": None, "parameters": None, "strict": True}
TOKENS_PER_ITEM = 4
CHARACTERS_PER_TOKEN = 4  # for English text, see https://platform.openai.com/tokenizer
CACHE_STEP = 128  # https://platform.openai.com/docs/guides/prompt-caching
REASONING_TOKENS = 64
IMAGE_TOKENS = 272  # of an image of low quality and 1024x1024


@dataclass(eq=False)
class SimulatedResponse:
    """A response that proceeds with time: finished at a known time, unless it is cancelled."""

    request: CreateRequest
    scenario: Scenario
    final: Json
    started_at: float = field(default_factory=time.monotonic)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def id(self) -> str:
        return str(self.final["id"])

    @property
    def events(self) -> list[Json]:
        """Built on each access: to store the events of all responses needs too much memory."""
        return build_events(self.final, self.scenario.edit_events)

    @cached_property
    def event_times(self) -> list[float]:
        timing = self.scenario.timing.for_request(self.request)
        return timing.event_times(self.events, is_background=self.request.is_background)

    @property
    def is_finished(self) -> bool:
        return self.cancelled.is_set() or time.monotonic() >= self.started_at + self.event_times[-1]

    def chunks(self, encode: EventEncoder, *, is_obfuscated: bool) -> Chunks:
        events = self.events
        padded = [add_obfuscation(event) for event in events] if is_obfuscated else events
        return build_chunks(padded, self.event_times, encode)

    def current_state(self) -> Json:
        """Returns the response in its state at this moment."""
        if self.cancelled.is_set():
            return unfinished_response(self.final, "cancelled")
        if self.is_finished:
            return self.final
        is_queued = (
            self.request.is_background
            and time.monotonic() < self.started_at + self.scenario.timing.queued
        )
        return unfinished_response(self.final, "queued" if is_queued else "in_progress")

    async def wait_until(self, due: float) -> bool:
        """Waits until `due`, in seconds after the start. Returns False if cancelled."""
        left = self.started_at + due - time.monotonic()
        if left > 0:
            try:
                await asyncio.wait_for(self.cancelled.wait(), left)
            except TimeoutError:
                return True
        return not self.cancelled.is_set()


def build_response(
    request: CreateRequest, scenario: Scenario, extra_fields: Json
) -> SimulatedResponse:
    """Builds the whole response; `extra_fields` is what the provider adds to it."""
    reasoning = (
        [reasoning_item(_reasoning_summary(request), request)] if request.has_reasoning else []
    )
    output, final_status = _apply_status(
        [*reasoning, *scenario.build_output(request)], request, scenario.final_status
    )
    created = int(time.time())
    final = {
        "id": new_id("resp"),
        "object": "response",
        "created_at": created,
        **_request_fields(request),
        "status": final_status.status,
        "completed_at": None,
        "error": final_status.error,
        "incomplete_details": final_status.incomplete_details,
        "output": output,
        "usage": None if final_status.error else count_usage(request, output),
        **_count_tool_usage(output),
        **extra_fields,
    }
    response = SimulatedResponse(request, scenario, final)
    if final_status.is_completed:  # an unfinished response has no completion time
        final["completed_at"] = created + int(response.event_times[-1])
    return response


def _reasoning_summary(request: CreateRequest) -> list[str]:
    return [REASONING_SUMMARY] if request.has_summary else []


def _apply_status(
    output: list[Json], request: CreateRequest, final_status: FinalStatus
) -> tuple[list[Json], FinalStatus]:
    """Shortens the output of a response that does not complete, or exceeds the token limit."""
    limit = request.max_output_tokens
    if final_status.is_completed and limit is not None and _count_output(output) > limit:
        return list(_limit_output(output, limit)), INCOMPLETE
    if final_status.is_completed:
        return output, final_status
    *before, last = output
    return [*before, _truncate_item(last, _count_output([last]) // 2)], final_status


def _limit_output(output: Iterable[Json], left: int) -> Iterator[Json]:
    """Yields the items for which tokens are left; reasoning is not shortened, but counts."""
    for item in output:
        count = _count_output([item])
        is_whole = count <= left or item["type"] == "reasoning"
        yield item if is_whole else _truncate_item(item, left)
        left -= count
        if left <= 0:
            return


def _count_output(output: Iterable[Json]) -> int:
    """Counts the tokens that the model generates."""
    return sum(
        REASONING_TOKENS if item["type"] == "reasoning" else len(split_deltas(generated_text(item)))
        for item in output
    )


def _truncate_item(item: Json, count: int) -> Json:
    if "content" not in item:
        fields = (name for name in GENERATED_FIELDS if item.get(name))
        shortened = {name: _shorten(item[name], count) for name in fields}
        return {**item, **shortened, "status": "incomplete"}
    *before, part = item["content"]
    key = "text" if "text" in part else "refusal"
    lists = {name: part[name][:count] for name in ("logprobs",) if name in part}
    part = {**part, **lists, key: _shorten(part[key], count)}
    return {**item, "status": "incomplete", "content": [*before, part]}


def _shorten(text: str, count: int) -> str:
    return "".join(split_deltas(text)[:count])


def _request_fields(request: CreateRequest) -> Json:
    body_fields = {key: value for key, value in request.body.items() if value is not None}
    fields = {key: body_fields.get(key, default) for key, default in REQUEST_DEFAULTS.items()}
    if fields["service_tier"] == "auto":
        fields["service_tier"] = "default"
    conversation = body_fields.get("conversation")
    conversation = {"id": conversation} if isinstance(conversation, str) else conversation
    return {
        **fields,
        "model": request.model,
        "conversation": conversation,
        "reasoning": {"effort": None, "summary": None, **(request.reasoning or {})},
        "text": {
            "verbosity": "medium",
            **(request.body.get("text") or {}),
            "format": request.format,
        },
        "tools": [_complete_tool(tool) for tool in request.tools],
    }


def _complete_tool(tool: Json) -> Json:
    if tool.get("type") == "mcp":  # credentials of the server are not repeated
        return {**tool, "authorization": None, "headers": None}
    return {**FUNCTION_DEFAULTS, **tool} if tool.get("type") == "function" else tool


def _count_tool_usage(output: Iterable[Json]) -> Json:
    """Returns the field `tool_usage`, if tools were used that it counts."""
    types = [item["type"] for item in output]
    searches, images = types.count("web_search_call"), types.count("image_generation_call")
    if not searches and not images:
        return {}
    tokens = images * IMAGE_TOKENS
    image_usage = {
        "input_tokens": 0,
        "input_tokens_details": {"image_tokens": 0, "text_tokens": 0},
        "output_tokens": tokens,
        "output_tokens_details": {"image_tokens": tokens, "text_tokens": 0},
        "total_tokens": tokens,
    }
    return {"tool_usage": {"image_gen": image_usage, "web_search": {"num_requests": searches}}}


def count_usage(request: CreateRequest, output: Iterable[Json]) -> Json:
    output = list(output)
    reasoning_tokens = _count_output(item for item in output if item["type"] == "reasoning")
    output_tokens = _count_output(output)
    if request.max_output_tokens is not None:
        reasoning_tokens = min(reasoning_tokens, request.max_output_tokens)
        output_tokens = min(output_tokens, request.max_output_tokens)
    input_tokens = count_input_tokens(request)
    return {
        "input_tokens": input_tokens,
        "input_tokens_details": {
            "cached_tokens": _count_tokens(request.history) // CACHE_STEP * CACHE_STEP,
            "cache_write_tokens": 0,
        },
        "output_tokens": output_tokens,
        "output_tokens_details": {"reasoning_tokens": reasoning_tokens},
        "total_tokens": input_tokens + output_tokens,
    }


def count_input_tokens(request: CreateRequest) -> int:
    """Estimates the input tokens of a request."""
    other_texts = [str(request.body.get("instructions") or ""), *map(json.dumps, request.tools)]
    return _count_tokens(request.context) + sum(
        len(text) // CHARACTERS_PER_TOKEN for text in other_texts
    )


def _count_tokens(items: Iterable[Json]) -> int:
    return sum(TOKENS_PER_ITEM + len(item_text(item)) // CHARACTERS_PER_TOKEN for item in items)
