"""One create enters few files, so that a newcomer can follow it."""

import re
import subprocess
import sys

MAX_FILES = {"plain": 38, "with limits and Idempotency-Key": 48}
MAX_HOPS = 220
LINE = re.compile(r"(?m)^(plain|with .*): (\d+) files, \d+ functions, (\d+) hops$")


def test_a_streamed_create_enters_few_files():
    """In a process of its own: the gateway leaves its connections open for the next request."""
    command = [sys.executable, "-m", "tests.structure"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = {name: (int(files), int(hops)) for name, files, hops in LINE.findall(output)}
    assert found.keys() == MAX_FILES.keys()
    for name, (files, hops) in found.items():
        assert files <= MAX_FILES[name], output
        assert hops <= MAX_HOPS, output
    assert "upstream/outcome.py" in output
