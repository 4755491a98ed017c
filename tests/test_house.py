"""House rules that no linter knows."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TRACKED = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],  # noqa: S607
    cwd=ROOT,
    check=True,
    capture_output=True,
    text=True,
).stdout.split()
FORBIDDEN = {"utils", "helpers", "common", "base", "manager", "constants", "bootstrap"}


@pytest.mark.parametrize("path", TRACKED)
def test_a_file_is_at_most_200_lines_long(path):
    assert len((ROOT / path).read_text().splitlines()) <= 200


@pytest.mark.parametrize("path", TRACKED)
def test_a_name_says_what_a_file_knows(path):
    assert Path(path).stem not in FORBIDDEN


@pytest.mark.parametrize("path", [p for p in TRACKED if not p.startswith("tests/")])
def test_a_module_says_what_it_is_for(path):
    assert (ROOT / path).read_text().startswith('"""')


def test_no_door_hides_a_package_that_others_import():
    assert not (ROOT / "functions/responses.py").exists()
    assert not (ROOT / "functions/bootstrap").exists()


def test_only_wiring_makes_clients():
    makers = re.compile(r"import boto3|get_session|import httpx|\bClient\(")
    found = {
        str(p.relative_to(ROOT))
        for p in (ROOT / "functions").rglob("*.py")
        if makers.search(p.read_text())
    }
    assert found == {"functions/antiphon/wiring.py"}


def test_the_environment_is_read_at_the_doors_alone():
    readers = {
        str(p.relative_to(ROOT))
        for p in (ROOT / "functions").rglob("*.py")
        if "os.environ" in p.read_text() and "runtime" not in p.parts
    }
    assert readers <= {
        "functions/api.py",
        "functions/settle.py",
        "functions/rollup.py",
        "functions/antiphon/observability.py",
    }
