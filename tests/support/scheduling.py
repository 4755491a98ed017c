"""Which tests run in the same of several processes, so that a gateway is started in one of them."""

from typing import override

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# Files by the beginning of their path, the first that fits; all others use no such gateway.
GROUPS = {
    "tests/clients/test_compatibility": "played",
    "tests/docs/test_docs_blocks": "played",
    "tests/clients/test_openai_agents": "played",
    "tests/clients/test_openai_node": "played",
    "tests/clients/test_openai_python_azure_files": "played",
    "tests/clients/test_openai_python_batches": "played",
    "tests/clients/test_openai_python_containers": "played",
    "tests/clients/test_openai_python_files": "played",
    "tests/clients/test_openai_python_hosted_tools": "played",
    "tests/clients/test_openai_python_skills": "played",
    "tests/clients/test_openai_python_stored": "played",
    "tests/clients/test_openai_python_stores": "played",
    "tests/clients/test_replays": "played",
    "tests/conformance/": "played",
    "tests/console/": "played",
    "tests/doctor/": "played",
    "tests/e2e/test_limits_report": "played",
    "tests/e2e/test_storage_limits": "played",
    "tests/e2e/test_usage_sweep": "played",
    "tests/e2e/test_webhooks": "played",
    "tests/local/simulator/test_simulator_parameters": "played",
    "tests/properties/test_document": "played",
    "tests/reference/": "played",
    "tests/rollup/test_rollup_events": "played",
    "tests/test_example_models": "played",
    # Both gateways before the provider: `hasty`, and `gateway`, which nearly all others use.
    "tests/api/test_handler_": "hasty",
    "tests/clients/test_openai_python": "hasty",
    "tests/e2e/": "hasty",
    "tests/infra/test_infra_sam": "hasty",
    "tests/metrics/": "hasty",
    "tests/operator/test_adopt_at_the_door": "hasty",
    "tests/properties/test_tenants": "hasty",
    "tests/test_costs": "hasty",
    "tests/test_start": "hasty",
    "tests/test_turns": "hasty",
    "tests/faults/": "impatient",
    "tests/infra/": "deployed",
    "tests/operator/test_cost": "deployed",  # it synthesises stacks, too
    "tests/targets/": "many",
}


# What takes longest begins first, so that no process is left with it at the end.
SLOWEST_FIRST = ("played", "hasty", "impatient", "deployed", "many")


def group_of(nodeid: str) -> str:
    """Return the group of a test, or its file."""
    file = nodeid.partition("::")[0]
    return next((group for start, group in GROUPS.items() if file.startswith(start)), file)


def rank_of(nodeid: str) -> int:
    """Return the place of a test's group in the order of a run; files without one come last."""
    group = group_of(nodeid)
    return SLOWEST_FIRST.index(group) if group in SLOWEST_FIRST else len(SLOWEST_FIRST)


class GroupScheduling(LoadScopeScheduling):
    """Sends whole groups to a process, else whole files, in the order of the collected tests."""

    def __init__(self, config: pytest.Config, log: Producer) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False  # few tests may take longer than many

    @override
    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)
