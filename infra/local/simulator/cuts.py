"""Where an answer breaks off, and how."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from infra.local.simulator.frames import Frames


class How(StrEnum):
    RESET = "reset"  # TCP says so
    FIN = "fin"  # the connection is closed, and the body is not whole
    END = "end"  # the body is whole, as HTTP counts


class Where(StrEnum):
    BEFORE_HEADERS = "before-headers"
    AFTER_HEADERS = "after-headers"
    AFTER_CREATED = "after-created"
    MID_DELTA = "mid-delta"
    BEFORE_COMPLETED = "before-completed"


TOLD = {
    How.RESET: "The connection is reset",
    How.FIN: "The connection is closed",
    How.END: "The body ends as if it were whole",
    Where.BEFORE_HEADERS: "before the headers",
    Where.AFTER_HEADERS: "right after the headers",
    Where.AFTER_CREATED: "after response.created",
    Where.MID_DELTA: "in the midst of a delta event",
    Where.BEFORE_COMPLETED: "after all but the terminal event",
}


@dataclass(frozen=True)
class Cut:
    how: How
    where: Where
    close_delimited: bool = False  # the body's length is told by the connection's end alone

    @property
    def name(self) -> str:
        return f"{self.how}-{self.where}" + ("-close" if self.close_delimited else "")

    @property
    def about(self) -> str:
        framing = ", without length or chunks" if self.close_delimited else ""
        return f"{TOLD[self.how]} {TOLD[self.where]}{framing}."

    def left(self, frames: Frames) -> Frames:
        """What still goes out."""
        return _LEFT[self.where](frames)


def every_cut() -> Iterator[Cut]:
    yield Cut(How.RESET, Where.BEFORE_HEADERS)
    yield Cut(How.FIN, Where.BEFORE_HEADERS)
    for where in [place for place in Where if place is not Where.BEFORE_HEADERS]:
        for how in How:
            yield Cut(how, where)
        yield Cut(How.RESET, where, close_delimited=True)
        yield Cut(How.END, where, close_delimited=True)  # and a FIN would look the same


def _nothing(_frames: Frames) -> Frames:
    return []


def _first(frames: Frames) -> Frames:
    return frames[:1]


def _to_the_midst(frames: Frames) -> Frames:
    deltas = [index for index, frame in enumerate(frames) if frame.type.endswith(".delta")]
    middle = deltas[len(deltas) // 2]
    half = frames[middle].data[: len(frames[middle].data) // 2]
    return [*frames[:middle], replace(frames[middle], data=half)]


def _all_but_last(frames: Frames) -> Frames:
    return frames[:-1]


_LEFT = {
    Where.BEFORE_HEADERS: _nothing,
    Where.AFTER_HEADERS: _nothing,
    Where.AFTER_CREATED: _first,
    Where.MID_DELTA: _to_the_midst,
    Where.BEFORE_COMPLETED: _all_but_last,
}
