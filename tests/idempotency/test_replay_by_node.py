"""openai-node puts together what it is told event by event, and is strict about every one."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from antiphon.idempotency.replay import replay_events
from infra.local.environment import bare
from tests.idempotency.stored import OUTPUTS, response

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).parent / "accumulate.mjs"
STATUSES = st.sampled_from(["completed", "incomplete", "failed", "cancelled"])


@given(st.lists(st.tuples(OUTPUTS, STATUSES), min_size=30, max_size=30))
@settings(deadline=None, max_examples=2, phases=[Phase.generate])  # each is one process
def test_openai_node_makes_of_the_stream_what_is_stored(drawn):
    if not (ROOT / "node_modules" / "openai").is_dir():
        pytest.fail("There is no node_modules/openai: run `make test`, which installs it.")
    stored = [response(output, status) for output, status in drawn]
    told = [{"sse": b"".join(replay_events(one)).decode(), "stored": one} for one in stored]
    got = subprocess.run(
        [sys.executable, "-m", "infra.node", "node", SCRIPT],
        input="".join(json.dumps(one) + "\n" for one in told),
        cwd=ROOT,
        env=bare(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (got.returncode, got.stderr, got.stdout) == (0, "", f"{len(stored)}\n")
