"""The only room that talks to providers: a plan and a request in, an answer at its first event."""

from collections.abc import Sequence

from antiphon.errors import UpstreamRefusedUs
from antiphon.http import Request
from antiphon.providers import Step
from antiphon.relay.answer import Answer, Call
from antiphon.relay.attempts import Attempts
from antiphon.relay.outcome import REFUSED_US, Outcome, hope, started_nothing
from antiphon.relay.stream import Piece, Stream
from antiphon.relay.trial import Means, Trial

__all__ = ["Answer", "Call", "Means", "Piece", "Relay", "Stream"]


class Relay:
    """Asks one target after the other, as long as those before certainly began nothing."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def send(self, steps: Sequence[Step], request: Request, call: Call) -> Answer:
        """Raise UpstreamFailed and its kin while no byte of the answer has been passed on."""
        attempts = Attempts()
        trial = Trial(self._means, request, call, attempts)
        refusals: list[tuple[str, Outcome]] = []
        for step in self._means.breaker.order(steps):
            outcome = trial.at(step)
            if not started_nothing(outcome, step):
                return attempts.told_by(step.target, outcome)
            refusals.append((step.target, outcome))
        target, outcome = min(refusals, key=lambda refusal: hope(refusal[1]))
        return attempts.told_by(target, _ours(outcome))


def _ours(outcome: Outcome) -> Outcome:
    """What a provider says of the gateway's credential is for the caller no word about its own."""
    if not isinstance(outcome, Answer) or outcome.status not in REFUSED_US:
        return outcome
    return UpstreamRefusedUs(
        "The provider refuses the gateway's own credential. Your key is in order; "
        "tell those who run the gateway."
    )
