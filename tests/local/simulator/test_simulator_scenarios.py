"""Each scenario of the table has a check, and passes it."""

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
def test_a_scenario_has_its_documented_effect(simulator, model):
    CHECKS[model](send_create(simulator, model, stream=True))


def test_every_scenario_has_a_check():
    assert SCENARIOS.keys() == CHECKS.keys() | TIMED | DISCONNECTS


def test_every_scenario_is_described_in_one_sentence():
    for name, scenario in SCENARIOS.items():
        assert name.startswith("sim-")
        assert scenario.about.endswith(".")
        assert scenario.about.count(". ") == 0
