"""The code in docs/files.md runs as it is there, and prints what it says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.runtime_api.function import child_environment
from infra.node import build_command
from tests.support.gateway import KEYS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "files.md").read_text()
NOTES = "Antiphons are sung by two choirs."
REPORT = b"A report about choirs. " * 260_000  # 6 MB
PRINTED = [  # by the blocks in Python, in their order
    rf"You said: What do my notes say\?.*{NOTES}.*",
    rf"file-\w+ {len(REPORT)}",
    rf"You said: Who sings antiphons\? The file notes.txt has: {NOTES}.*",
    r"result\.txt",
    r"b'\\x89PNG'",
    r"You said: Write a table\. .*",
    r'\{"id": .* "custom_id": "1", .*You said: Say hello\..*\}',
    "",  # behind the last line of the results
]


def code(language):
    blocks = re.compile(rf"^```{language}\n(.*?)^```$", re.DOTALL | re.MULTILINE)
    return "\n".join(blocks.findall(PAGE))


@pytest.fixture
def run(played, tmp_path):
    """Run a command where the files are that the page sends; return what it prints."""
    (tmp_path / "notes.txt").write_text(NOTES)
    (tmp_path / "report.pdf").write_bytes(REPORT)
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    there = {"OPENAI_BASE_URL": played.url, "OPENAI_API_KEY": KEYS["acme"]}

    def run(*command):
        environment = {**child_environment(), **there}
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    return run


def test_the_code_in_python(run, tmp_path):
    printed = run(sys.executable, "-c", code("python")).split("\n")[:-1]
    for line, expected in zip(printed, PRINTED, strict=True):
        assert re.fullmatch(expected, line)
    assert (tmp_path / "result.txt").read_text() == "Write a table of my notes as a file."


def test_the_code_in_javascript(run):
    printed = run(*build_command("node", "--input-type=module", "-e", code("js")))
    assert re.fullmatch(rf"file-\w+ {len(REPORT)}\n", printed)
