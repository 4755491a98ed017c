"""Each row of the table does what it says, and no row is left without a promise."""

import pytest

from infra.local.simulator.scenarios import SCENARIOS
from infra.local.simulator.stream import all_disconnects
from tests.local.simulator.error_checks import ERROR_CHECKS
from tests.local.simulator.reply import send_create
from tests.local.simulator.stream_checks import STREAM_CHECKS

CHECKS = {**STREAM_CHECKS, **ERROR_CHECKS}
TIMED = {  # in test_simulator_timing.py
    "sim-slow",
    "sim-delay",
    "sim-long",
    "sim-queued",
    "sim-silent-before-headers",
    "sim-silent-before-first-event",
    "sim-silent-mid-stream",
}
DISCONNECTS = {
    f"sim-{disconnect.name}" for disconnect in all_disconnects()
}  # in test_simulator_disconnects.py


@pytest.mark.parametrize("model", CHECKS)
def test_a_scenario_does_what_it_says(simulator, model):
    CHECKS[model](send_create(simulator, model, stream=True))


def test_every_scenario_has_a_promise():
    assert SCENARIOS.keys() == CHECKS.keys() | TIMED | DISCONNECTS


def test_every_scenario_says_in_one_sentence_what_it_does():
    for name, scenario in SCENARIOS.items():
        assert name.startswith("sim-")
        assert scenario.about.endswith(".")
        assert scenario.about.count(". ") == 0
