"""Azure may not know a response yet that it has just finished: then asking again helps.

A create that is refused so was not begun. https://github.com/dotnet/extensions/issues/7704
"""

import itertools
from collections.abc import Callable

from antiphon.providers.saying import Saying
from antiphon.relay.answer import Answer
from antiphon.relay.outcome import Outcome

FIRST, LONGEST = 0.5, 8.0  # seconds between two attempts; each is twice as long as the one before


def until_known(ask: Callable[[], Outcome], seconds: float) -> Outcome:
    """Ask until the parent is known, for so long at most; then what is said of it holds."""
    first = ask()
    if not _misses_parent(first):
        return first
    import tenacity  # noqa: PLC0415  needed so rarely that no start should wait for it

    outcomes = itertools.chain([first], (ask() for _ in itertools.count()))
    last: Outcome = tenacity.Retrying(
        retry=tenacity.retry_if_result(_misses_parent),
        wait=tenacity.wait_exponential(multiplier=FIRST, max=LONGEST),
        stop=tenacity.stop_before_delay(seconds),
        retry_error_callback=lambda state: state.outcome and state.outcome.result(),
    )(outcomes.__next__)
    return last


def _misses_parent(outcome: Outcome) -> bool:
    if not isinstance(outcome, Answer) or outcome.status not in {400, 404}:
        return False
    return Saying.of(outcome.whole).misses_parent
