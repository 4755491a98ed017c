"""Checks that items are together that belong together: calls and outputs, reasoning and output.

The texts are those of OpenAI. Only what the request itself sends must be whole, and the calls of
the conversation before it must have their outputs.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from infra.local.simulator.errors import ApiError
from infra.local.simulator.items import Json

OUTPUT = "_output"  # the end of the types of outputs
# Calls that the client answers; the provider answers the others, such as `mcp_call`.
CLIENT_CALLS = (
    "function_call",
    "custom_tool_call",
    "local_shell_call",
    "shell_call",
    "apply_patch_call",
    "computer_call",
)
INPUT_ROLES = ("user", "system", "developer")


def check_pairs(input_items: Sequence[Json], context: Sequence[Json]) -> None:
    """Raise ApiError for the first item without its partner; `context` includes the input."""
    calls = _call_ids(context, "")
    outputs = _call_ids(context, OUTPUT)
    for kind, id in _call_ids(input_items, OUTPUT):
        if (kind, id) not in calls:
            raise _unpaired(f"No tool call found for {_words(kind)} output with call_id {id}.")
    for kind, id in calls:
        if (kind, id) not in outputs:
            raise _unpaired(f"No tool output found for {_words(kind)} {id}.")
    _check_reasoning(input_items)


def _call_ids(items: Iterable[Json], end: str) -> dict[tuple[str, str], None]:
    """Return kind and id of calls, or of outputs, in their order."""
    kinds = {f"{kind}{end}": kind for kind in CLIENT_CALLS}
    found = [item for item in items if item["type"] in kinds]
    # The output of a local shell has the id of its call as its own.
    return {(kinds[item["type"]], str(item.get("call_id") or item["id"])): None for item in found}


def _words(kind: str) -> str:
    return kind.replace("_", " ")


def _check_reasoning(input_items: Sequence[Json]) -> None:
    for item, following in pairwise([*input_items, None]):
        if item and item["type"] == "reasoning" and not _is_output(following):
            raise _unpaired(
                f"Item '{item['id']}' of type 'reasoning' was provided without its required"
                " following item."
            )


def _is_output(item: Json | None) -> bool:
    """Whether a model made the item."""
    if item is None:
        return False
    return not item["type"].endswith(OUTPUT) and item.get("role") not in INPUT_ROLES


def _unpaired(message: str) -> ApiError:
    return ApiError(400, message, None, "input")
