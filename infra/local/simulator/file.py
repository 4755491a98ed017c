"""A file of the Files API, and its content."""

import time
from dataclasses import dataclass, field

from infra.local.simulator.items import Json
from infra.local.simulator.resource_scenarios import ResourceScenario


@dataclass(frozen=True)
class Content:
    """The bytes of a file: those that were sent, repeated or cut to a size."""

    data: bytes
    size: int

    @classmethod
    def for_scenario(cls, data: bytes, scenario: ResourceScenario) -> "Content":
        size = len(data) if scenario.size is None else scenario.size
        return cls(data or b" ", size)

    def read(self, start: int, stop: int) -> bytes:
        """Returns the bytes from `start` up to `stop`, which are within the size."""
        first = start % len(self.data)
        count = stop - start
        repeated = self.data * (1 + (first + count) // len(self.data))
        return repeated[first : first + count]

    @property
    def text(self) -> str:
        """What a model reads of it."""
        return self.read(0, min(self.size, len(self.data))).decode(errors="replace")


@dataclass(frozen=True)
class File:
    """A file of a project; other objects name it by its id."""

    id: str
    filename: str
    purpose: str
    content: Content
    scenario: ResourceScenario
    lifetime: int | None = None  # seconds
    created_at: float = field(default_factory=time.time)

    @property
    def expires_at(self) -> int | None:
        return None if self.lifetime is None else int(self.created_at) + self.lifetime

    @property
    def is_expired(self) -> bool:
        is_over = self.expires_at is not None and time.time() >= self.expires_at
        return is_over or self.scenario.is_expired

    @property
    def status(self) -> str:
        if self.scenario.is_failed:
            return "error"
        is_pending = time.time() < self.created_at + self.scenario.pending
        return "uploaded" if is_pending else "processed"

    def describe(self) -> Json:
        """Returns the file in the format of the API."""
        return {
            "object": "file",
            "id": self.id,
            "purpose": self.purpose,
            "filename": self.filename,
            "bytes": self.content.size,
            "created_at": int(self.created_at),
            "expires_at": self.expires_at,
            "status": self.status,
            "status_details": None,
        }
