"""A container in which the model runs code, and the files in it."""

import time
from dataclasses import dataclass, field

from infra.local.simulator.errors import ApiError
from infra.local.simulator.file import Content
from infra.local.simulator.items import Json, new_id
from infra.local.simulator.resource_scenarios import NORMAL, ResourceScenario

FOLDER = "/mnt/data/"
DEFAULT_MINUTES = 20  # without a call, until a container expires
DEFAULT_MEMORY = "1g"


@dataclass(frozen=True)
class ContainerFile:
    """A file in a container: of the user, or one that the model has made."""

    container_id: str
    filename: str
    content: Content
    scenario: ResourceScenario = NORMAL
    source: str = "user"
    id: str = field(default_factory=lambda: new_id("cfile"))
    created_at: float = field(default_factory=time.time)

    def describe(self) -> Json:
        """Returns the file in the format of the API."""
        return {
            "id": self.id,
            "object": "container.file",
            "created_at": int(self.created_at),
            "container_id": self.container_id,
            "bytes": self.content.size,
            "path": FOLDER + self.filename,
            "source": self.source,
        }


@dataclass(eq=False)
class Container:
    """The project has its files."""

    name: str
    scenario: ResourceScenario = NORMAL
    minutes: int = DEFAULT_MINUTES
    memory_limit: str = DEFAULT_MEMORY
    network_policy: Json | None = None
    id: str = field(default_factory=lambda: new_id("cntr"))
    created_at: float = field(default_factory=time.time)
    last_active_at: float = field(default_factory=time.time)

    @property
    def is_expired(self) -> bool:
        is_over = time.time() >= self.last_active_at + self.minutes * 60
        return is_over or self.scenario.is_expired

    def touch(self) -> None:
        """Marks the container as active. Raises ApiError if it has expired."""
        if self.is_expired:
            raise ApiError(400, "Container is expired.", "container_expired")
        self.last_active_at = time.time()

    def describe(self) -> Json:
        """Returns the container in the format of the API, without the secrets of its network."""
        policy = self.network_policy or {"type": "disabled"}
        return {
            "id": self.id,
            "object": "container",
            "created_at": int(self.created_at),
            "status": "expired" if self.is_expired else "running",
            "expires_after": {"anchor": "last_active_at", "minutes": self.minutes},
            "last_active_at": int(self.last_active_at),
            "memory_limit": self.memory_limit,
            "name": self.name,
            "network_policy": {
                key: policy[key] for key in ("type", "allowed_domains") if key in policy
            },
        }
