"""How often each thing is measured: enough for figures to hold, or for a first look."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """On a machine that is busy with other things, time ends a measurement before its rounds do."""

    seconds: float  # for each kind of call; twice as many for paced streams
    rounds: int  # in which each contestant has its turn
    calls: int  # in one turn
    streams: int  # with paced events, for each contestant
    starts: int  # of a process
    plans: int  # times a plan is made
    deltas: int = 200  # of a paced stream
    pace_ms: float = 5
    growth_calls: int = 30  # at each point of a curve
    growth_links: tuple[int, ...] = (0, 1_000, 10_000, 100_000)
    growth_turns: tuple[int, ...] = (10, 100, 1_000)
    growth_targets: tuple[int, ...] = (1, 10, 50)
    growth_limited: tuple[int, ...] = (1, 10, 100, 1_000)
    growth_streams: tuple[int, ...] = (1, 10, 50, 200)


FULL = Scale(seconds=30, rounds=16, calls=25, streams=10, starts=7, plans=2000)
QUICK = Scale(
    seconds=6,
    rounds=4,
    calls=20,
    streams=2,
    starts=2,
    plans=500,
    growth_links=(0, 1_000),
    growth_turns=(10, 100),
    growth_limited=(1, 100),
    growth_streams=(1, 10),
)
