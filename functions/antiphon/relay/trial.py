"""One target's turn: with a credential that holds, and patience for what it cannot know yet."""

import time
from dataclasses import dataclass
from functools import partial

from antiphon.errors import GatewayError
from antiphon.http import Request
from antiphon.providers import Step
from antiphon.relay.answer import Answer, Call
from antiphon.relay.attempts import Attempts
from antiphon.relay.breaker import Breaker
from antiphon.relay.credentials import Credentials
from antiphon.relay.exchange import Exchange, latest_end
from antiphon.relay.lag import until_known
from antiphon.relay.outcome import Outcome

UNAUTHORIZED = 401


@dataclass(frozen=True)
class Means:
    """What every trial is made with."""

    exchange: Exchange
    credentials: Credentials
    breaker: Breaker
    lag_seconds: float  # for which a provider may not know what it has just finished


@dataclass(frozen=True)
class Trial:
    means: Means
    request: Request
    call: Call
    attempts: Attempts

    def at(self, step: Step) -> Outcome:
        """Ask a target; every fault is an outcome."""
        ask = partial(self._authorised, step)
        if not (self.call.follows_new and step.provider.lags):
            return ask()
        left = latest_end(self.request) - time.monotonic()
        return until_known(ask, min(self.means.lag_seconds, left))

    def _authorised(self, step: Step) -> Outcome:
        try:
            credential = self.means.credentials.get(step.target)
        except GatewayError as exc:
            return self.attempts.note(step.target, exc, 0)
        outcome = self._once(step, credential)
        if isinstance(outcome, Answer) and outcome.status == UNAUTHORIZED:
            renewed = self.means.credentials.renew(step.target, credential)
            if renewed is not None:  # what was refused so was not processed
                return self._once(step, renewed)
        return outcome

    def _once(self, step: Step, credential: str) -> Outcome:
        started = time.perf_counter()
        outcome: Outcome
        try:
            outcome = self.means.exchange.send(step, credential, self.request, self.call)
        except GatewayError as exc:
            outcome = exc
        self.means.breaker.note(step.target, outcome)
        return self.attempts.note(step.target, outcome, time.perf_counter() - started)
