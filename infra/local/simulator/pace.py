"""When each event of an answer is due, in seconds after the ask."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from infra.local.simulator.ask import Ask
from infra.local.simulator.items import Json


@dataclass(frozen=True)
class Pace:
    before: float = 0.0  # the first event
    between: float = 0.0  # two deltas
    hush: float = 0.0  # in the middle of the deltas
    queued: float = 0.05  # of a background response
    late_headers: bool = False  # they come with the first event, not before it

    def asked(self, ask: Ask) -> "Pace":
        """The pace that the ask's metadata wants, where it wants one."""
        delay = ask.number("sim_delay_ms")
        return self if delay is None else replace(self, between=delay / 1000)

    def due(self, events: Sequence[Json], *, background: bool) -> list[float]:
        deltas = [index for index, event in enumerate(events) if event["type"].endswith(".delta")]
        waits = dict.fromkeys(deltas, self.between)
        if deltas:
            waits[deltas[len(deltas) // 2]] += self.hush
        if background:
            waits |= {i: self.queued for i, e in enumerate(events) if _leaves_queue(e)}
        now, due = self.before, []
        for index in range(len(events)):
            now += waits.get(index, 0)
            due.append(now)
        return due


AT_ONCE = Pace()


def _leaves_queue(event: Json) -> bool:
    return bool(event["type"] == "response.in_progress")
