"""At which of the two URLs a test runs: at one of them, at both in the soak.

Both URLs lead to the same handler and differ in the event that it gets. So half of the tests of each
feature send it the events of one URL and the other half those of the other, which the test's name
decides. A test of what differs between the URLs has the mark `both_doors`; so has, in effect, a test
that is named on the command line.
"""

import re
from collections import Counter
from zlib import crc32

import pytest

from tests.support.concurrency import IS_SOAK

DOORS = ("url", "rest")
IN_NAME = re.compile(r"(?<=[\[-])(url|rest)(?=[\]-])")


def at_one_door(config: pytest.Config, items: list[pytest.Item]) -> list[pytest.Item]:
    """Return the tests without those that repeat another one at the other URL, in their order."""
    if IS_SOAK or any("::" in argument for argument in config.args):
        return items
    names = Counter(_name(item) for item in items)
    repeated = {item for item in items if names[_name(item)] > 1 and not _is_chosen(item)}
    config.hook.pytest_deselected(items=list(repeated))
    return [item for item in items if item not in repeated]


def _is_chosen(item: pytest.Item) -> bool:
    found = IN_NAME.search(item.nodeid)
    is_free = "door" not in getattr(item, "fixturenames", ()) or found is None
    if is_free or item.get_closest_marker("both_doors"):
        return True
    return found[1] == DOORS[crc32(_name(item).encode()) % 2]


def _name(item: pytest.Item) -> str:
    return IN_NAME.sub("door", item.nodeid, count=1)
