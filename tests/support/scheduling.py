"""Which tests run in the same of several processes, so that a gateway is started in one of them."""

from typing import override

from xdist.scheduler import LoadScopeScheduling

# Files by the beginning of their path, the first that fits; all others use no such gateway.
GROUPS = {
    "tests/clients/test_openai_agents": "played",
    "tests/clients/test_openai_node": "played",
    "tests/clients/test_openai_python_stored": "played",
    "tests/clients/test_replays": "played",
    "tests/doctor/": "played",
    "tests/properties/test_document": "played",
    "tests/reference/": "played",
    "tests/clients/test_openai_python_breaks": "hasty",
    "tests/e2e/test_background": "hasty",
    "tests/e2e/test_odd_answers": "hasty",
    "tests/e2e/test_one_by_one": "hasty",
    "tests/faults/test_ends_of_a_function": "hasty",
    "tests/faults/": "impatient",
    "tests/infra/": "deployed",
    "tests/metrics/": "measured",
    "tests/targets/": "many",
}


class GroupScheduling(LoadScopeScheduling):
    """Sends whole groups to a process, else whole files; those with the most tests first."""

    @override
    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return next((group for start, group in GROUPS.items() if file.startswith(start)), file)
