"""One credential in memory: used while it is fresh, and asked for by one thread at a time."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from antiphon.errors import CredentialMissing

RENEWAL_PAUSE = 30.0  # seconds between two questions that a provider's refusal makes us ask
STALE_PAUSE = 30.0  # seconds for which what is stale does, once nobody has answered
MISSING_PAUSE = 1.0  # seconds for which those who come meanwhile share a failure

type Clock = Callable[[], float]  # seconds


@dataclass(frozen=True)
class Found:
    """A credential and how long it does, in seconds of the clock; it shows itself nowhere."""

    text: str = field(repr=False)
    fresh_until: float
    usable_until: float  # where no other is to be had


type Ask = Callable[[str | None], Found]  # takes what is refused; raises CredentialMissing


class Kept:
    """Whoever needs an answer while another asks waits for it, and asks nothing."""

    def __init__(self, ask: Ask, clock: Clock) -> None:
        self._ask = ask
        self._clock = clock
        self._asking = threading.Lock()
        self._found: Found | None = None
        self._failure: tuple[str, float] | None = None  # and until when it is shared
        self._renewable_at = float("-inf")

    def get(self) -> str:
        """Raise CredentialMissing where there is none, and none that is still usable."""
        found = self._fresh()
        if found is None:
            with self._asking:
                found = self._fresh() or self._refreshed()
        return found.text

    def renew(self, rejected: str) -> str | None:
        """Another one than this, which is refused; None where none is to be had now."""
        with self._asking:
            if self._found is not None and self._found.text != rejected:
                return self._found.text
            now = self._clock()
            if now < self._renewable_at:
                return None
            self._renewable_at = now + RENEWAL_PAUSE
            try:
                self._found = self._ask(rejected)
            except CredentialMissing:
                return None
            return None if self._found.text == rejected else self._found.text

    def _fresh(self) -> Found | None:
        found = self._found
        return found if found is not None and self._clock() < found.fresh_until else None

    def _refreshed(self) -> Found:
        if self._failure is not None and self._clock() < self._failure[1]:
            raise CredentialMissing(self._failure[0])
        try:
            self._found = self._ask(None)
        except CredentialMissing as exc:
            self._found = self._stale(exc)
        return self._found

    def _stale(self, exc: CredentialMissing) -> Found:
        now = self._clock()
        if self._found is None or now >= self._found.usable_until:
            self._failure = str(exc), now + MISSING_PAUSE
            raise exc
        # Not at the next call again: each question costs its caller a time-out.
        return replace(self._found, fresh_until=min(now + STALE_PAUSE, self._found.usable_until))
