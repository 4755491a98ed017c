"""Azure may not find a response for some seconds after it has finished: then a retry helps.

A create that is refused so was not begun. https://github.com/dotnet/extensions/issues/7704
"""

import time
from collections.abc import Callable

from antiphon.providers.saying import Saying
from antiphon.relay.answer import Answer
from antiphon.relay.outcome import Outcome

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 8.0  # seconds between two attempts; each pause doubles


def until_known(ask: Callable[[], Outcome], seconds: float) -> Outcome:
    """Repeat while the provider does not find the parent; give up where a pause would end late."""
    ends_at, pause = time.monotonic() + seconds, FIRST_PAUSE
    outcome = ask()
    while _misses_parent(outcome) and time.monotonic() + pause < ends_at:
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)
        outcome = ask()
    return outcome


def _misses_parent(outcome: Outcome) -> bool:
    if not isinstance(outcome, Answer) or outcome.status not in {400, 404}:
        return False
    return Saying.of(outcome.whole).misses_parent
