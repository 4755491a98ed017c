"""How a response comes to its end."""

from dataclasses import dataclass

from infra.local.simulator.items import Json
from infra.local.simulator.refusals import AGAIN


@dataclass(frozen=True)
class Ending:
    status: str
    error: Json | None = None
    incomplete: Json | None = None

    @property
    def finished(self) -> bool:
        return self.status == "completed"


COMPLETED = Ending("completed")
INCOMPLETE = Ending("incomplete", incomplete={"reason": "max_output_tokens"})
FILTERED = Ending("incomplete", incomplete={"reason": "content_filter"})
FAILED = Ending("failed", {"code": "server_error", "message": AGAIN})
