"""Which tools a request allows the model to call, and whether it must call one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from infra.local.simulator.items import Json

MODES = ("none", "auto", "required")
# Fields that distinguish tools of one type, here and in the `tools` of a choice.
IDENTITIES: Mapping[str, tuple[str, ...]] = {
    "function": ("name",),
    "custom": ("name",),
    "mcp": ("server_label",),
}
FAMILIES = ("web_search", "computer")  # types with a version or a suffix: web_search_preview


def tool_family(type: object) -> str:
    """Return the name that a tool's type and its choice have in common."""
    name = str(type)
    return next((family for family in FAMILIES if name.startswith(family)), name)


@dataclass(frozen=True)
class ToolChoice:
    """The field `tool_choice`; `entries` describe the only tools that are allowed, None: all."""

    mode: str = "auto"
    entries: Sequence[Json] | None = None

    @classmethod
    def parse(cls, choice: Any) -> Self:
        """Raise AttributeError or TypeError for a choice that is neither a string nor an object."""
        if not choice or isinstance(choice, str):
            return cls(choice or "auto")
        if choice.get("type") == "allowed_tools":
            return cls(choice.get("mode") or "auto", list(choice.get("tools") or []))
        return cls("required", [choice])

    def allows(self, tool: Json) -> bool:
        is_listed = self.entries is None or any(is_choice(entry, tool) for entry in self.entries)
        return self.mode != "none" and is_listed


def is_choice(entry: Json, tool: Json) -> bool:
    """Whether the entry of a choice describes the tool."""
    family = tool_family(tool.get("type"))
    if entry.get("type") is not None and tool_family(entry["type"]) != family:
        return False
    fields = IDENTITIES.get(family, ())
    return all(entry.get(name) == tool.get(name) for name in fields)
