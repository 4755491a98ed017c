"""One way to answer."""

from collections.abc import Callable
from dataclasses import dataclass

from infra.local.simulator import frames, speech, tales
from infra.local.simulator.cuts import Cut
from infra.local.simulator.endings import COMPLETED, Ending
from infra.local.simulator.events import Tells
from infra.local.simulator.frames import Shapes, Writes
from infra.local.simulator.pace import AT_ONCE, Pace
from infra.local.simulator.pages import Page
from infra.local.simulator.refusals import Refusal
from infra.local.simulator.speech import Says

type Tunes = Callable[[int], "Scenario"]


@dataclass(frozen=True)
class Scenario:
    """What is special about an answer; whatever is left out is as on a good day."""

    about: str
    says: Says = speech.natural
    ending: Ending = COMPLETED
    tells: Tells = tales.as_is
    pace: Pace = AT_ONCE
    writes: Writes = frames.plain
    shapes: Shapes = frames.whole
    cut: Cut | None = None
    instead: Page | Refusal | None = None
    gzip: bool = False
    streams: bool = True  # where that was asked for
    tunes: Tunes | None = None  # makes it anew for a number at the end of the name
