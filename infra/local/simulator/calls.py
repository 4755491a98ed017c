"""Which function the answer calls, if any, and with what."""

import json
from collections.abc import Callable

from infra.local.simulator import items
from infra.local.simulator.ask import Ask
from infra.local.simulator.fitting import fitted
from infra.local.simulator.items import Json

WEATHER: Json = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}

type Picks = Callable[[Ask, list[Json], Json], Json | None]


def chosen(ask: Ask) -> Json | None:
    """The function that this ask is answered with; none once tools have answered."""
    functions = [tool for tool in ask.tools if tool.get("type") == "function"]
    if not functions or ask.tool_outputs:
        return None
    choice = ask.body.get("tool_choice") or "auto"
    choice = {"type": choice} if isinstance(choice, str) else choice
    return PICKS.get(choice.get("type", ""), _mentioned)(ask, functions, choice)


def any_function(ask: Ask) -> Json:
    """A function to call, whatever was asked."""
    functions = [tool for tool in ask.tools if tool.get("type") == "function"]
    return chosen(ask) or (functions or [WEATHER])[0]


def call(tool: Json) -> Json:
    arguments = json.dumps(fitted(tool.get("parameters") or {"type": "object"}))
    return items.function_call(tool["name"], arguments)


def _mentioned(ask: Ask, functions: list[Json], _choice: Json) -> Json | None:
    said = "".join(ask.user_texts[-1:])
    return next((tool for tool in functions if tool["name"] in said), None)


def _required(ask: Ask, functions: list[Json], choice: Json) -> Json | None:
    return _mentioned(ask, functions, choice) or functions[0]


def _named(_ask: Ask, functions: list[Json], choice: Json) -> Json | None:
    return next((tool for tool in functions if tool["name"] == choice.get("name")), None)


def _allowed(ask: Ask, functions: list[Json], choice: Json) -> Json | None:
    names = [tool.get("name") for tool in choice.get("tools", [])]
    allowed = [tool for tool in functions if tool["name"] in names]
    if not allowed:
        return None
    picks = _required if choice.get("mode") == "required" else _mentioned
    return picks(ask, allowed, choice)


def _never(_ask: Ask, _functions: list[Json], _choice: Json) -> None:
    return None


PICKS: dict[str, Picks] = {
    "required": _required,
    "function": _named,
    "allowed_tools": _allowed,
    "none": _never,
}
