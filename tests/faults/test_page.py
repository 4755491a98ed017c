"""The page about faults names tests that exist."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "faults.md"
NAMED = re.compile(r"`((?:[a-z0-9_]+/)*\w+\.py|[a-z]+/)(?:::(test_\w+))?`")


def test_each_file_and_test_that_the_page_names_exists():
    named = NAMED.findall(PAGE.read_text())
    assert len(named) > 100
    missing = [
        f"{name}::{test}"
        for name, test in named
        if not (TESTS / name).exists()
        or (test and not re.search(rf"def {test}\b", (TESTS / name).read_text()))
    ]
    assert missing == []


def test_the_page_has_a_row_for_each_suite():
    rows = set(re.findall(r"^\| (T\d\d) ", PAGE.read_text(), re.MULTILINE))
    assert rows == {f"T{number:02}" for number in range(1, 18)}


ROW = re.compile(r"^\| ([A-Z]\d+(?:(?:, | to )[A-Z]\d+)*) \|", re.MULTILINE)
LAST_ROWS = {"S": 11, "U": 9, "F": 7, "D": 16, "I": 15, "X": 17}


def test_the_page_has_a_row_for_each_fault():
    rows = [name for cell in ROW.findall(PAGE.read_text()) for name in names_in(cell)]
    assert rows == [
        f"{letter}{n}" for letter, last in LAST_ROWS.items() for n in range(1, last + 1)
    ]


def names_in(cell):
    """The names in "S1", in "S1, S2" and in "S1 to S3"."""
    first, _, last = cell.partition(" to ")
    if not last:
        return cell.split(", ")
    return [f"{first[0]}{n}" for n in range(int(first[1:]), int(last[1:]) + 1)]
