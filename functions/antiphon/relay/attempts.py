"""What was tried for one request, as the log and the caller are told of it."""

from typing import Any

from antiphon.errors import GatewayError
from antiphon.observe import figures, logger
from antiphon.relay.answer import Answer
from antiphon.relay.outcome import Outcome
from antiphon.settings.metrics import FAILOVERS


class Attempts:
    def __init__(self) -> None:
        self._made: list[dict[str, Any]] = []

    def note[O: Outcome](self, target: str, outcome: O, seconds: float) -> O:
        """Keep how an attempt went; the log line of the request will have it."""
        status = outcome.status if isinstance(outcome, Answer) else outcome.code
        ms = round(seconds * 1000, 1)
        figures.waited_ms += seconds * 1000
        if self._made and self._made[-1]["target"] != target:
            figures.count(FAILOVERS)
        self._made.append({"target": target, "status": status, "ms": ms})
        logger.append_keys(attempts=self._made)
        return outcome

    def told_by(self, target: str, outcome: Outcome) -> Answer:
        """The answer that says which target gave it and how many were asked; raise the fault."""
        told = {"x-antiphon-target": target, "x-antiphon-attempts": str(len(self._made))}
        if isinstance(outcome, GatewayError):
            outcome.headers = {**outcome.headers, **told}
            raise outcome
        return outcome.with_headers(told)
