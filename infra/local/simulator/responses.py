"""An ask made into a response, and the response as it stands at any moment. What an answer is said to have cost: a guess at tokens that is the same every time."""

import asyncio
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from infra.local.simulator.events import add_obfuscation, build_events, unfinished_response
from infra.local.simulator.items import Json, item_text, new_id
from infra.local.simulator.output import REASONING_SUMMARY, reasoning_item, split_deltas
from infra.local.simulator.request_body import CreateRequest
from infra.local.simulator.scenario import INCOMPLETE, FinalStatus, Scenario
from infra.local.simulator.stream import Chunks, EventEncoder, build_chunks

REQUEST_DEFAULTS: Mapping[
    str, Any
] = {  # what a response tells of its ask, where the ask was silent
    "background": False,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
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


@dataclass(eq=False)
class SimulatedResponse:
    """A response on its way: finished at a known moment, unless it is stopped before."""

    ask: CreateRequest
    scenario: Scenario
    final: Json
    born: float = field(default_factory=time.monotonic)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def id(self) -> str:
        return str(self.final["id"])

    @property
    def events(self) -> list[Json]:
        """Told anew each time: to remember them all would be to remember too much."""
        return build_events(self.final, self.scenario.tells)

    @cached_property
    def due(self) -> list[float]:
        pace = self.scenario.pace.asked(self.ask)
        return pace.due(self.events, background=self.ask.background)

    @property
    def finished(self) -> bool:
        return self.stopped.is_set() or time.monotonic() >= self.born + self.due[-1]

    def frames(self, writes: EventEncoder, *, obfuscate: bool) -> Chunks:
        events = self.events
        padded = [add_obfuscation(event) for event in events] if obfuscate else events
        return build_chunks(padded, self.due, writes)

    def now(self) -> Json:
        """The response as it stands."""
        if self.stopped.is_set():
            return unfinished_response(self.final, "cancelled")
        if self.finished:
            return self.final
        waits = self.ask.background and time.monotonic() < self.born + self.scenario.pace.queued
        return unfinished_response(self.final, "queued" if waits else "in_progress")

    async def reached(self, due: float) -> bool:
        """Wait for a moment of the answer; False if it was stopped."""
        left = self.born + due - time.monotonic()
        if left > 0:
            try:
                await asyncio.wait_for(self.stopped.wait(), left)
            except TimeoutError:
                return True
        return not self.stopped.is_set()


def build_response(ask: CreateRequest, scenario: Scenario, more: Json) -> SimulatedResponse:
    """Decide the whole answer; `more` is what the dialect adds to a response."""
    thoughts = [reasoning_item(_reasoning_summary(ask), ask)] if ask.thinks else []
    output, ending = _apply_status([*thoughts, *scenario.says(ask)], ask, scenario.ending)
    created = int(time.time())
    final = {
        "id": new_id("resp"),
        "object": "response",
        "created_at": created,
        **_request_fields(ask),
        "status": ending.status,
        "completed_at": None,
        "error": ending.error,
        "incomplete_details": ending.incomplete,
        "output": output,
        "usage": None if ending.error else count_usage(ask, output),
        **more,
    }
    answer = SimulatedResponse(ask, scenario, final)
    if ending.finished:  # and only the finished answer knows when
        final["completed_at"] = created + int(answer.due[-1])
    return answer


def _reasoning_summary(ask: CreateRequest) -> list[str]:
    return [REASONING_SUMMARY] if ask.summarizes else []


def _apply_status(
    output: list[Json], ask: CreateRequest, ending: FinalStatus
) -> tuple[list[Json], FinalStatus]:
    """The output as far as it comes before the end."""
    *before, last = output
    count = len(split_deltas(item_text(last)))
    if ending.finished and ask.most_tokens is not None and count > ask.most_tokens:
        return [*before, _truncate_item(last, ask.most_tokens)], INCOMPLETE
    return (output if ending.finished else [*before, _truncate_item(last, count // 2)]), ending


def _truncate_item(item: Json, count: int) -> Json:
    if "content" not in item:
        return {**item, "status": "incomplete"}
    *before, part = item["content"]
    key = "text" if "text" in part else "refusal"
    part = {**part, key: "".join(split_deltas(part[key])[:count])}
    return {**item, "status": "incomplete", "content": [*before, part]}


def _request_fields(ask: CreateRequest) -> Json:
    given = {key: value for key, value in ask.body.items() if value is not None}
    told = {key: given.get(key, silent) for key, silent in REQUEST_DEFAULTS.items()}
    if told["service_tier"] == "auto":
        told["service_tier"] = "default"
    conversation = given.get("conversation")
    named = {"id": conversation} if isinstance(conversation, str) else conversation
    return {
        **told,
        "model": ask.model,
        "conversation": named,
        "reasoning": {"effort": None, "summary": None, **(ask.reasoning or {})},
        "text": {"verbosity": "medium", **(ask.body.get("text") or {}), "format": ask.format},
        "tools": [_complete_tool(tool) for tool in ask.tools],
    }


def _complete_tool(tool: Json) -> Json:
    return {**FUNCTION_DEFAULTS, **tool} if tool.get("type") == "function" else tool


TOKENS_PER_ITEM = 4
CHARACTERS_PER_TOKEN = 4  # of English text in a token, says OpenAI
CACHE_STEP = 128  # https://platform.openai.com/docs/guides/prompt-caching
REASONING_TOKENS = 64


def count_usage(ask: CreateRequest, output: Iterable[Json]) -> Json:
    output = list(output)
    thought = sum(REASONING_TOKENS for item in output if item["type"] == "reasoning")
    spoken = thought + sum(len(split_deltas(item_text(item))) for item in output)
    read = count_input_tokens(ask)
    return {
        "input_tokens": read,
        "input_tokens_details": {
            "cached_tokens": _count_tokens(ask.history) // CACHE_STEP * CACHE_STEP,
            "cache_write_tokens": 0,
        },
        "output_tokens": spoken,
        "output_tokens_details": {"reasoning_tokens": thought},
        "total_tokens": read + spoken,
    }


def count_input_tokens(ask: CreateRequest) -> int:
    """What reading an ask costs."""
    around = [str(ask.body.get("instructions") or ""), *map(json.dumps, ask.tools)]
    return _count_tokens(ask.context) + sum(len(text) // CHARACTERS_PER_TOKEN for text in around)


def _count_tokens(items: Iterable[Json]) -> int:
    return sum(TOKENS_PER_ITEM + len(item_text(item)) // CHARACTERS_PER_TOKEN for item in items)
