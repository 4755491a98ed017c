"""Each row of the table does what it says, and no row is left without a promise."""

import pytest

from infra.local.simulator.scenarios import SCENARIOS
from infra.local.simulator.stream import all_disconnects
from tests.local.simulator.promised_errors import STANDING_IN
from tests.local.simulator.promised_streams import STREAMED
from tests.local.simulator.told import ask

PROMISES = {**STREAMED, **STANDING_IN}
PACED = {  # in test_simulator_pace.py
    "sim-slow",
    "sim-delay",
    "sim-long",
    "sim-queued",
    "sim-silent-before-headers",
    "sim-silent-before-first-event",
    "sim-silent-mid-stream",
}
CUT = {f"sim-{cut.name}" for cut in all_disconnects()}  # in test_simulator_cuts.py


@pytest.mark.parametrize("model", PROMISES)
def test_a_scenario_does_what_it_says(simulator, model):
    PROMISES[model](ask(simulator, model, stream=True))


def test_every_scenario_has_a_promise():
    assert SCENARIOS.keys() == PROMISES.keys() | PACED | CUT


def test_every_scenario_says_in_one_sentence_what_it_does():
    for name, scenario in SCENARIOS.items():
        assert name.startswith("sim-")
        assert scenario.about.endswith(".")
        assert scenario.about.count(". ") == 0
