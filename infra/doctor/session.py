"""One deployment under one key: what several checks look at is asked for once."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import httpx

from infra.doctor.answer import Answer
from infra.doctor.models import choose
from infra.doctor.recording import Enough, Recording, record

COUNT = "Count from 1 to 20, in words, one a line."
FOLLOW_UP = "Go on to 25."
STORY = "Write a story of 3000 words about a night train. Do not stop early."
MOST_TOKENS, MOST_TOKENS_OF_LONG = 1500, 8000
MS_BETWEEN_DELTAS = 50
LONGEST = 900  # seconds, as Lambda counts
DELTAS = 8  # at least, that the simulator's answer to STORY comes in
NONE: dict[str, str] = {}

type Headers = dict[str, str]


class NoModel(Exception):
    """The gateway serves no model that looks as if it wrote text."""


@dataclass(frozen=True)
class Plan:
    """What was asked for; times are in seconds."""

    key: str
    other_key: str | None = None  # of another tenant
    model: str | None = None
    patience: float = 60  # for each answer
    long: float = 31  # that a long stream has to take


@dataclass
class Session:
    client: httpx.Client  # its base URL ends in /v1
    plan: Plan
    pause: Callable[[float], None] = time.sleep
    heads: list[tuple[str, httpx.Headers]] = field(default_factory=list)  # what was asked; seen
    made: list[str] = field(default_factory=list)  # responses, to be deleted in the end
    tokens: int = 0  # that were used, as far as it was told

    def ask(
        self, method: str, path: str, key: str | None = None, headers: Headers = NONE, **more: Any
    ) -> Answer:
        """One call with the plan's key, another, or (an empty one) none."""
        sent = time.perf_counter()
        got = self.client.request(method, path, headers=self._headers(key) | headers, **more)
        self.heads.append((f"{method} {path}", got.headers))
        return Answer(got.status_code, got.headers, got.content, time.perf_counter() - sent)

    def create(self, **body: object) -> Answer:
        got = self.ask("POST", "/responses", json=self._body(body))
        self._remember(got.json.get("id"), got.json.get("usage"))
        return got

    def stream(
        self, enough: Enough = lambda _: False, patience: float | None = None, **body: object
    ) -> Recording:
        """A create whose events are read until they end or are enough; then we leave."""
        # The simulator's pace; to a provider it is metadata like any other.
        pace = {"sim_delay_ms": str(MS_BETWEEN_DELTAS)}
        asked = {**self._body({"metadata": pace, **body}), "stream": True}
        sent = time.perf_counter()
        with self.client.stream(
            "POST", "/responses", json=asked, headers=self._headers()
        ) as response:
            made = record(response, sent, enough, patience or self.plan.patience)
        self.heads.append(("POST /responses, streamed", made.answer.headers))
        told = made.last.data.get("response") if made.last else None
        self._remember(made.id, told.get("usage") if isinstance(told, dict) else None)
        return made

    @cached_property
    def models(self) -> Answer:
        return self.ask("GET", "/models")

    @cached_property
    def served(self) -> list[str]:
        data = self.models.json.get("data")
        return [str(m.get("id")) for m in data or () if isinstance(m, dict)]

    @cached_property
    def model(self) -> str:
        """Raise NoModel where none is named and none fits."""
        found = self.plan.model or choose(self.served)
        if found is None:
            raise NoModel
        return found

    @cached_property
    def first(self) -> Answer:
        """A response, created at once."""
        return self.create(input=COUNT)

    @cached_property
    def streamed(self) -> Recording:
        """A response, streamed to its end."""
        return self.stream(input=COUNT)

    def long_story(self) -> Recording:
        """A response that takes its time, streamed to its end."""
        pace = {"sim_delay_ms": str(int(self.plan.long * 1000 / DELTAS))}
        return self.stream(
            patience=LONGEST,
            input=STORY,
            max_output_tokens=MOST_TOKENS_OF_LONG,
            metadata=pace,
        )

    def forget(self) -> None:
        """Delete what was made and is left."""
        while self.made:
            self.ask("DELETE", f"/responses/{self.made.pop()}")

    def _body(self, given: dict[str, object]) -> dict[str, object]:
        return {"model": self.model, "max_output_tokens": MOST_TOKENS, **given}

    def _headers(self, key: str | None = None) -> Headers:
        shown = self.plan.key if key is None else key
        return {"authorization": f"Bearer {shown}"} if shown else {}

    def _remember(self, id: object, usage: object) -> None:
        if isinstance(id, str):
            self.made.append(id)
        if isinstance(usage, dict) and isinstance(usage.get("total_tokens"), int):
            self.tokens += usage["total_tokens"]


def unknown_id() -> str:
    """Well-formed, and nobody's."""
    return f"resp_{secrets.token_hex(24)}"


def padded(size: int) -> bytes:
    """A body of so many bytes that no gateway, whatever its limit, takes for a create."""
    return b'{"padding": "%b"}' % (b"x" * (size - len('{"padding": ""}')))
