"""One deployment with one key; what several checks need is requested once."""

import re
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import httpx

from infra.doctor.responses import ApiResponse, StopCondition, StreamRecording, record_stream

PROMPT = "Count from 1 to 20, in words, one a line."
FOLLOW_UP = "Go on to 25."
LONG_PROMPT = "Write a story of 3000 words about a night train. Do not stop early."
MAX_TOKENS, MAX_TOKENS_OF_LONG = 1500, 8000
MARK = "antiphon_doctor"  # the key of the metadata by which a run finds its own response
POLL_SECONDS = 0.25
SIMULATOR_DELAY_MS = 50  # between deltas
SIMULATOR_DELTAS = 8  # minimum, in the simulator's response to LONG_PROMPT
MAX_LAMBDA_SECONDS = 900
NO_HEADERS: dict[str, str] = {}

CHEAP_MODELS = (
    "gpt-5-nano",
    "gpt-4.1-nano",
    "gpt-4o-mini",
    "gpt-5-mini",
    "gpt-4.1-mini",
    "o4-mini",
)
SMALL_MODEL = re.compile(r"nano|mini|small|lite|flash")
# Models with such names return something other than text, or are slow.
NOT_TEXT = re.compile(
    r"audio|realtime|image|tts|transcribe|whisper|speech|search|embedding|moderation|instruct"
    r"|dall-e|sora|video|computer|deep-research|codex|-pro|^sim-"
)

type Headers = dict[str, str]


class NoModelError(Exception):
    """No model that the gateway serves has a name like a text model."""


@dataclass(frozen=True)
class Plan:
    """The options of a run; times are in seconds."""

    key: str
    other_key: str | None = None  # of another tenant
    model: str | None = None
    timeout: float = 60  # for each response
    long: float = 31  # minimum duration of a long stream and of a long JSON response
    # A model of each target of Bedrock; None where the target names patterns only.
    bedrock: Mapping[str, str | None] = field(default_factory=dict)


@dataclass
class Session:
    client: httpx.Client  # its base URL ends in /v1
    plan: Plan
    pause: Callable[[float], None] = time.sleep
    heads: list[tuple[str, httpx.Headers]] = field(default_factory=list)  # by method and path
    created: list[str] = field(default_factory=list)  # paths of what is to be deleted at the end
    mark: str = field(default_factory=lambda: secrets.token_hex(8))
    usage_before: ApiResponse = field(init=False)  # the usage report before the first response
    tokens: int = 0  # used, as far as the gateway reported them

    def send(
        self,
        method: str,
        path: str,
        key: str | None = None,
        headers: Headers = NO_HEADERS,
        **options: Any,
    ) -> ApiResponse:
        """Send a request with the plan's key, with another key, or (if it is empty) with none."""
        sent = time.perf_counter()
        all_headers = self._auth_headers(key) | headers
        response = self.client.request(method, path, headers=all_headers, **options)
        self.heads.append((f"{method} {path}", response.headers))
        seconds = time.perf_counter() - sent
        return ApiResponse(response.status_code, response.headers, response.content, seconds)

    def create(self, timeout: float | None = None, **body: object) -> ApiResponse:
        """Create a response; the time to wait for it is by default the plan's, in seconds."""
        limit: dict[str, Any] = {} if timeout is None else {"timeout": timeout}
        response = self.send("POST", "/responses", json=self._build_body(body), **limit)
        self._record_response(response.json.get("id"), response.json.get("usage"))
        return response

    def stream(
        self,
        is_enough: StopCondition = lambda _: False,
        timeout: float | None = None,
        **body: object,
    ) -> StreamRecording:
        """Create a streamed response; close the connection when the condition is true."""
        # Sets the simulator's pace; for a provider it is ordinary metadata.
        pace = {"sim_delay_ms": str(SIMULATOR_DELAY_MS)}
        request = {**self._build_body({"metadata": pace, **body}), "stream": True}
        sent = time.perf_counter()
        with self.client.stream(
            "POST", "/responses", json=request, headers=self._auth_headers()
        ) as response:
            seconds = timeout or self.plan.timeout
            recording = record_stream(response, sent, is_enough, seconds)
        self.heads.append(("POST /responses, streamed", recording.response.headers))
        final = recording.last.data.get("response") if recording.last else None
        usage = final.get("usage") if isinstance(final, dict) else None
        self._record_response(recording.id, usage)
        return recording

    @cached_property
    def models(self) -> ApiResponse:
        return self.send("GET", "/models")

    @cached_property
    def model_ids(self) -> list[str]:
        data = self.models.json.get("data")
        return [str(model.get("id")) for model in data or () if isinstance(model, dict)]

    @cached_property
    def model(self) -> str:
        """The model for all requests; raise NoModelError if none is named and none fits."""
        model = self.plan.model or choose_model(self.model_ids)
        if model is None:
            raise NoModelError
        return model

    @cached_property
    def first(self) -> ApiResponse:
        """A response, not streamed, with the run's mark in its metadata."""
        self.usage_before = self.read_usage()
        return self.create(input=PROMPT, metadata={MARK: self.mark})

    @cached_property
    def streamed(self) -> StreamRecording:
        """A response, streamed to its end."""
        return self.stream(input=PROMPT)

    def stream_long(self) -> StreamRecording:
        """Stream a response that takes at least the plan's `long` seconds."""
        return self.stream(**self._long_request)

    def create_long(self) -> ApiResponse:
        """Create a response, not streamed, that takes at least the plan's `long` seconds."""
        return self.create(**self._long_request)

    def upload(self, name: str, content: bytes) -> ApiResponse:
        """Upload a file, to be deleted at the end."""
        form = {"purpose": "user_data"}
        response = self.send("POST", "/files", files={"file": (name, content)}, data=form)
        if response.is_ok and isinstance(response.json.get("id"), str):
            self.created.append(f"/files/{response.json['id']}")
        return response

    def read_usage(self) -> ApiResponse:
        return self.send("GET", "/usage", params={"by": "day"})

    def wait_for[T](self, read: Callable[[], T | None]) -> tuple[T | None, float]:
        """Read until there is a result, or for the plan's timeout; return it, and the seconds."""
        waited = 0.0
        while True:
            found = read()
            if found is not None or waited >= self.plan.timeout:
                return found, waited
            self.pause(POLL_SECONDS)
            waited += POLL_SECONDS

    def delete_created(self) -> None:
        """Delete what was created and not deleted yet."""
        while self.created:
            self.send("DELETE", self.created.pop())

    @property
    def _long_request(self) -> dict[str, Any]:
        pace = {"sim_delay_ms": str(int(self.plan.long * 1000 / SIMULATOR_DELTAS))}
        return {
            "timeout": MAX_LAMBDA_SECONDS,
            "input": LONG_PROMPT,
            "max_output_tokens": MAX_TOKENS_OF_LONG,
            "metadata": pace,
        }

    def _build_body(self, fields: dict[str, object]) -> dict[str, object]:
        return {"model": self.model, "max_output_tokens": MAX_TOKENS, **fields}

    def _auth_headers(self, key: str | None = None) -> Headers:
        used = self.plan.key if key is None else key
        return {"authorization": f"Bearer {used}"} if used else {}

    def _record_response(self, id: object, usage: object) -> None:
        if isinstance(id, str):
            self.created.append(f"/responses/{id}")
        if isinstance(usage, dict) and isinstance(usage.get("total_tokens"), int):
            self.tokens += usage["total_tokens"]


def choose_model(served: Iterable[str]) -> str | None:
    """Choose a cheap text model by its name; None if no name looks like one."""
    texts = [name for name in served if not NOT_TEXT.search(name)]
    known = (name for name in CHEAP_MODELS if name in texts)
    small = (name for name in sorted(texts) if SMALL_MODEL.search(name))
    return next(known, None) or next(small, None) or next(iter(sorted(texts)), None)


def random_response_id() -> str:
    """Return a well-formed id that no response has."""
    return f"resp_{secrets.token_hex(24)}"


def build_padded_body(size: int) -> bytes:
    """Build a JSON body of `size` bytes that is not a valid create, whatever the limit is."""
    return b'{"padding": "%b"}' % (b"x" * (size - len('{"padding": ""}')))
