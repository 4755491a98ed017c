"""What a client asks for, as far as the simulator acts on it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from infra.local.simulator.items import Json, text_of

REASONING_MODELS = re.compile(r"o\d|gpt-5")
MOST = 100_000  # of whatever the metadata asks for
ENCRYPTED = "reasoning.encrypted_content"


@dataclass(frozen=True)
class Ask:
    """A create request together with what it continues."""

    body: Json
    given: Sequence[Json]
    history: Sequence[Json] = ()

    @property
    def model(self) -> str:
        return str(self.body.get("model") or "gpt-5")

    @property
    def streams(self) -> bool:
        return bool(self.body.get("stream"))

    @property
    def background(self) -> bool:
        return bool(self.body.get("background"))

    @property
    def stored(self) -> bool:
        return self.body.get("store") is not False

    @property
    def tools(self) -> list[Json]:
        return self.body.get("tools") or []

    @property
    def format(self) -> Json:
        return (self.body.get("text") or {}).get("format") or {"type": "text"}

    @property
    def reasoning(self) -> Json | None:
        return self.body.get("reasoning")

    @property
    def thinks(self) -> bool:
        return bool(self.reasoning) or REASONING_MODELS.match(self.model) is not None

    @property
    def summarizes(self) -> bool:
        return bool((self.reasoning or {}).get("summary"))

    @property
    def wants_encrypted(self) -> bool:
        return ENCRYPTED in (self.body.get("include") or [])

    @property
    def obfuscates(self) -> bool:
        return (self.body.get("stream_options") or {}).get("include_obfuscation") is not False

    @property
    def most_tokens(self) -> int | None:
        return self.body.get("max_output_tokens")

    def number(self, key: str) -> int | None:
        """A whole number that rides in the metadata, such as `sim_events`."""
        told = str((self.body.get("metadata") or {}).get(key, ""))
        return min(int(told), MOST) if told.isdecimal() else None

    @property
    def context(self) -> list[Json]:
        return [*self.history, *self.given]

    @property
    def user_texts(self) -> list[str]:
        """What the user has said in this conversation, oldest first."""
        return [text_of(item) for item in self.context if item.get("role") == "user"]

    @property
    def tool_outputs(self) -> list[str]:
        """What tools have answered since the user last spoke."""
        spoken = [index for index, item in enumerate(self.given) if item.get("role") == "user"]
        since = self.given[spoken[-1] + 1 :] if spoken else self.given
        return [text_of(item) for item in since if item["type"].endswith("call_output")]
