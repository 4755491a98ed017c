"""openai-node builds a response from the events of a replay, and is strict about every event."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from antiphon.idempotency.replay import replay_events
from infra.local.runtime_api.function import child_environment
from tests.idempotency.stored_responses import OUTPUTS, make_response

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).parent / "accumulate_stream.mjs"
STATUSES = st.sampled_from(["completed", "incomplete", "failed", "cancelled"])


@given(st.lists(st.tuples(OUTPUTS, STATUSES), min_size=30, max_size=30))
@settings(deadline=None, max_examples=2, phases=[Phase.generate])  # each is one process
def test_openai_node_builds_the_stored_response(drawn):
    if not (ROOT / "node_modules" / "openai").is_dir():
        pytest.fail("There is no node_modules/openai: run `make test`, which installs it.")
    stored = [make_response(output, status) for output, status in drawn]
    lines = [{"sse": b"".join(replay_events(one)).decode(), "stored": one} for one in stored]
    result = subprocess.run(
        [sys.executable, "-m", "infra.node", "node", SCRIPT],
        input="".join(json.dumps(one) + "\n" for one in lines),
        cwd=ROOT,
        env=child_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr, result.stdout) == (0, "", f"{len(stored)}\n")
