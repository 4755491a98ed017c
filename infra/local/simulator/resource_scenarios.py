"""The table of scenarios by the name of a file, a vector store or a container.

A name such as `sim-500.txt` has its effect when the object is created, or later, as described.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from infra.local.simulator.errors import ApiError, invalid_parameter, rate_limit_error, server_error
from infra.local.simulator.scenario_names import SCENARIO_PREFIX, find_by_name

type ScenarioFactory = Callable[[int], "ResourceScenario"]


@dataclass(frozen=True)
class ResourceScenario:
    """What is special about an object; the defaults are those of a normal one."""

    about: str
    refusal: ApiError | None = None  # instead of the object, which is not created
    failure: ApiError | None = None  # instead of the reply; the object is created
    has_reset: bool = False  # the connection is reset instead of the reply; the object is created
    delay: float = 0  # seconds before the reply, and before each piece of a download
    pending: float = 0  # seconds until the object is processed
    is_failed: bool = False  # it cannot be processed
    is_expired: bool = False  # it expires at once
    is_half_done: bool = False  # a batch with this input expires before its end
    size: int | None = None  # of the content, in place of that of the bytes that were sent
    has_cut_download: bool = False  # its downloads end by a reset in the middle
    # Builds the scenario for the number in the name.
    with_number: ScenarioFactory | None = None


def _limit_rate(ms: int = 1_000) -> ResourceScenario:
    about = "429 with retry-after of 1 s, and creates nothing: sim-429-300s."
    return ResourceScenario(about, refusal=rate_limit_error(ms // 1000), with_number=_limit_rate)


def _delay(ms: int = 500) -> ResourceScenario:
    about = (
        "Waits 0.5 s before the reply and before each piece of a download, or the time in the"
        " name: sim-slow-50ms."
    )
    return ResourceScenario(about, delay=ms / 1000, with_number=_delay)


def _stay_pending(ms: int = 500) -> ResourceScenario:
    about = (
        "Is processed after 0.5 s, or the time in the name: sim-pending-2s; until then a file is"
        " `uploaded`, in a store `in_progress`, and as a batch `validating`."
    )
    return ResourceScenario(about, pending=ms / 1000, with_number=_stay_pending)


def _replace_content(size: int = 1_000_000) -> ResourceScenario:
    about = "Has a content of 1 MB, or of the number of bytes in the name: sim-size-300000000."
    return ResourceScenario(about, size=size, with_number=_replace_content)


NORMAL = ResourceScenario("Works, as with any other name.")
RESOURCE_SCENARIOS: Mapping[str, ResourceScenario] = {
    "sim-500": ResourceScenario("500, but the object is created.", failure=server_error(500)),
    "sim-503": ResourceScenario(
        "503, and creates nothing.", refusal=server_error(503, "The server is overloaded.")
    ),
    "sim-429": _limit_rate(),
    "sim-reset": ResourceScenario(
        "Resets the connection, but the object is created.", has_reset=True
    ),
    "sim-slow": _delay(),
    "sim-pending": _stay_pending(),
    "sim-failed": ResourceScenario(
        "Cannot be processed: a file has status `error`, and fails in a store or as a batch.",
        is_failed=True,
    ),
    "sim-half": ResourceScenario(
        "The input file of a batch that expires after half of its lines.", is_half_done=True
    ),
    "sim-expired": ResourceScenario("Is expired from the beginning.", is_expired=True),
    "sim-size": _replace_content(),
    "sim-cut": ResourceScenario(
        "Ends each download by a reset in the middle.", has_cut_download=True
    ),
}


def find_resource_scenario(name: str) -> ResourceScenario:
    """Returns the scenario for a name. Raises ApiError for an unknown scenario."""
    stem = name.partition(".")[0]
    if not stem.startswith(SCENARIO_PREFIX):
        return NORMAL
    found = find_by_name(RESOURCE_SCENARIOS, stem)
    if found is None:
        raise invalid_parameter("name", f"there is no scenario '{stem}'.", "invalid_value")
    return found
