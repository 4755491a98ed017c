"""Finds a scenario by a name, which may end in a number: sim-slow, sim-delay-50ms, sim-long-500."""

import re
from collections.abc import Callable, Mapping
from typing import Protocol, Self

SCENARIO_PREFIX = "sim-"
NUMBERED_NAME = re.compile(r"(?P<name>sim-.+)-(?P<number>\d{1,9})(?P<unit>ms|s)?")


class NumberedScenario(Protocol):
    """A scenario that may take a number from its name."""

    @property
    def with_number(self) -> Callable[[int], Self] | None: ...


def find_by_name[Value: NumberedScenario](table: Mapping[str, Value], name: str) -> Value | None:
    """Returns the scenario of a name, with or without a number; a time counts in milliseconds."""
    match = NUMBERED_NAME.fullmatch(name)
    if name in table or match is None:
        return table.get(name)
    known = table.get(match["name"])
    if known is None or known.with_number is None:
        return None
    return known.with_number(int(match["number"]) * (1000 if match["unit"] == "s" else 1))
