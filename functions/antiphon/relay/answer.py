"""What is asked of a target, and what it answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from antiphon.http import Reply
from antiphon.providers import Step
from antiphon.relay.stream import Stream

LONGEST = 900.0  # seconds: Lambda's own limit for one call


@dataclass(frozen=True)
class Call:
    """What is asked; the path below a target's prefix is ours, never the caller's."""

    path: str
    body: bytes = b""
    spelled: Callable[[str | None], bytes] | None = None  # the body, by the target's model name
    streams: bool = False
    patience: float = LONGEST  # seconds until a whole answer must be there
    follows_new: bool = False  # on something so new that a provider may not know it yet

    def body_for(self, step: Step) -> bytes:
        return self.body if self.spelled is None else self.spelled(step.model)


@dataclass(frozen=True)
class Answer:
    """What a target answered: whole, or from its first event on."""

    target: str
    status: int
    headers: Mapping[str, str]
    body: bytes | Stream

    @property
    def whole(self) -> bytes:
        """The body of an answer that does not stream."""
        return self.body if isinstance(self.body, bytes) else b""

    def with_headers(self, headers: Mapping[str, str]) -> "Answer":
        return replace(self, headers={**self.headers, **headers})

    def reply(self) -> Reply:
        """Pass a whole answer on as it is."""
        return Reply(self.status, self.headers, self.whole)
