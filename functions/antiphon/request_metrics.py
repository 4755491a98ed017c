"""What one request measures about itself; created by the handler and passed on with the request."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Attempt:
    """One call of one target."""

    target: str
    status: int | str | None  # HTTP status, or the code of the error
    ms: float  # until the first event or the complete body

    def to_log(self) -> dict[str, object]:
        return {"target": self.target, "status": self.status, "ms": self.ms}


@dataclass
class RequestMetrics:
    """The calls of targets that one request made, in order."""

    attempts: list[Attempt] = field(default_factory=list)

    @property
    def upstream_ms(self) -> float:
        """Milliseconds spent waiting for providers."""
        return sum(attempt.ms for attempt in self.attempts)

    @property
    def has_failed_over(self) -> bool:
        """Whether the last attempt went to another target than the one before."""
        return len(self.attempts) > 1 and self.attempts[-1].target != self.attempts[-2].target

    def add(self, attempt: Attempt) -> None:
        self.attempts.append(attempt)

    def to_log(self) -> list[dict[str, object]]:
        return [attempt.to_log() for attempt in self.attempts]
