"""An ask made into a response, and the response as it stands at any moment."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from infra.local.simulator import speech
from infra.local.simulator.ask import Ask
from infra.local.simulator.endings import INCOMPLETE, Ending
from infra.local.simulator.events import obfuscated, sequence, unfinished
from infra.local.simulator.frames import Frames, Writes, framed
from infra.local.simulator.items import Json, new_id, text_of
from infra.local.simulator.scenario import Scenario
from infra.local.simulator.usage import usage

ECHOED: Mapping[str, Any] = {  # what a response tells of its ask, where the ask was silent
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
FUNCTION = {"description": None, "parameters": None, "strict": True}


@dataclass(eq=False)
class Answer:
    """A response on its way: finished at a known moment, unless it is stopped before."""

    ask: Ask
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
        return sequence(self.final, self.scenario.tells)

    @cached_property
    def due(self) -> list[float]:
        pace = self.scenario.pace.asked(self.ask)
        return pace.due(self.events, background=self.ask.background)

    @property
    def finished(self) -> bool:
        return self.stopped.is_set() or time.monotonic() >= self.born + self.due[-1]

    def frames(self, writes: Writes, *, obfuscate: bool) -> Frames:
        events = self.events
        padded = [obfuscated(event) for event in events] if obfuscate else events
        return framed(padded, self.due, writes)

    def now(self) -> Json:
        """The response as it stands."""
        if self.stopped.is_set():
            return unfinished(self.final, "cancelled")
        if self.finished:
            return self.final
        waits = self.ask.background and time.monotonic() < self.born + self.scenario.pace.queued
        return unfinished(self.final, "queued" if waits else "in_progress")

    async def reached(self, due: float) -> bool:
        """Wait for a moment of the answer; False if it was stopped."""
        left = self.born + due - time.monotonic()
        if left > 0:
            try:
                await asyncio.wait_for(self.stopped.wait(), left)
            except TimeoutError:
                return True
        return not self.stopped.is_set()


def compose(ask: Ask, scenario: Scenario, more: Json) -> Answer:
    """Decide the whole answer; `more` is what the dialect adds to a response."""
    thoughts = [speech.thought(_summary(ask), ask)] if ask.thinks else []
    output, ending = _ended([*thoughts, *scenario.says(ask)], ask, scenario.ending)
    created = int(time.time())
    final = {
        "id": new_id("resp"),
        "object": "response",
        "created_at": created,
        **_echo(ask),
        "status": ending.status,
        "completed_at": None,
        "error": ending.error,
        "incomplete_details": ending.incomplete,
        "output": output,
        "usage": None if ending.error else usage(ask, output),
        **more,
    }
    answer = Answer(ask, scenario, final)
    if ending.finished:  # and only the finished answer knows when
        final["completed_at"] = created + int(answer.due[-1])
    return answer


def _summary(ask: Ask) -> list[str]:
    return [speech.SUMMARY] if ask.summarizes else []


def _ended(output: list[Json], ask: Ask, ending: Ending) -> tuple[list[Json], Ending]:
    """The output as far as it comes before the end."""
    *before, last = output
    count = len(speech.pieces(text_of(last)))
    if ending.finished and ask.most_tokens is not None and count > ask.most_tokens:
        return [*before, _shortened(last, ask.most_tokens)], INCOMPLETE
    return (output if ending.finished else [*before, _shortened(last, count // 2)]), ending


def _shortened(item: Json, count: int) -> Json:
    if "content" not in item:
        return {**item, "status": "incomplete"}
    *before, part = item["content"]
    key = "text" if "text" in part else "refusal"
    part = {**part, key: "".join(speech.pieces(part[key])[:count])}
    return {**item, "status": "incomplete", "content": [*before, part]}


def _echo(ask: Ask) -> Json:
    given = {key: value for key, value in ask.body.items() if value is not None}
    told = {key: given.get(key, silent) for key, silent in ECHOED.items()}
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
        "tools": [_tool(tool) for tool in ask.tools],
    }


def _tool(tool: Json) -> Json:
    return {**FUNCTION, **tool} if tool.get("type") == "function" else tool
