"""The mutants can be made, and the page about them has each; `python -m tests.mutants` runs them."""

import re

import pytest

from tests.mutants.guard import ROOT, Guard
from tests.mutants.guards import GUARDS

PAGE = ROOT / "docs" / "mutants.md"


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_each_guard_stands_where_it_is_broken(guard):
    """Where this fails the code has moved: give the guard its new anchor in guards.py."""
    compile(guard.mutate(), guard.path, "exec")
    files = [test.partition("::")[0] for test in guard.tests]
    assert [file for file in files if not (ROOT / "tests" / file).exists()] == []


def test_a_guard_that_moved_is_named():
    moved = Guard("a guard", "sse.py", "no such code", "", ())
    with pytest.raises(LookupError, match=r"a guard: 0 times in functions/antiphon/sse\.py"):
        moved.mutate()


def test_the_page_has_every_guard_and_the_test_that_watches_it():
    rows = re.findall(
        r"^\| (.+) \| `(functions/.+)` \| `(tests/\S+)` \|$", PAGE.read_text(), re.MULTILINE
    )
    assert [(name, path) for name, path, _ in rows] == [(each.name, each.path) for each in GUARDS]
    assert len(rows) >= 30
