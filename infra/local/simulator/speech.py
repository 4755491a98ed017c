"""What an answer says: a text that shows what was understood, a call, JSON, a refusal."""

import json
import re
from collections.abc import Callable
from itertools import cycle, islice

from infra.local.simulator import calls, items
from infra.local.simulator.ask import MOST, Ask
from infra.local.simulator.fitting import fitted
from infra.local.simulator.items import Json

type Says = Callable[[Ask], list[Json]]

LONGEST_QUOTE = 400
PIECES = re.compile(r"\w+\W*|\W+")  # what one delta carries: a word and what follows it
FILLER = ("and", "so", "the", "answer", "goes", "on", "in", "words", "of", "no", "weight")
SUMMARY = "**Reading the question**\n\nThe simulator repeats what was said."
ENCRYPTED = "gAAAAABsaW11bGF0ZWQtcmVhc29uaW5n"
ALL_WIDTHS = "One byte, two: é, three: €, four: 🎶."  # of UTF-8


def natural(ask: Ask) -> list[Json]:
    """What a helpful model would do: call the function that is wanted, else speak."""
    tool = calls.chosen(ask)
    if tool:
        return [calls.call(tool)]
    if ask.format["type"] != "text":
        return structured(ask)
    return [items.message(_length(ask, _echo(ask)))]


def structured(ask: Ask) -> list[Json]:
    schema = ask.format.get("schema") or {"properties": {"answer": {"const": _echo(ask)}}}
    return [items.message(json.dumps(fitted(schema), ensure_ascii=False))]


def calling(ask: Ask) -> list[Json]:
    return natural(ask) if ask.tool_outputs else [calls.call(calls.any_function(ask))]


def refusing(_ask: Ask) -> list[Json]:
    return [items.refusal("I'm sorry, but I can't help with that.")]


def thinking(ask: Ask) -> list[Json]:
    return [thought([SUMMARY], ask), *natural(ask)]


def thought(summary: list[str], ask: Ask) -> Json:
    """What a reasoning model puts before its answer."""
    return items.reasoning(summary, ENCRYPTED if ask.wants_encrypted else None)


def every_width(ask: Ask) -> list[Json]:
    return [items.message(f"{_echo(ask)} {ALL_WIDTHS}")]


def long(count: int) -> Says:
    """Text of so many deltas."""
    return lambda ask: [items.message(stretched(_echo(ask), ask.number("sim_events") or count))]


def pieces(text: str) -> list[str]:
    """The deltas that a text comes in."""
    return PIECES.findall(text)


def stretched(text: str, count: int) -> str:
    """The text made to come in so many deltas."""
    whole = pieces(text + " ")
    missing = max(min(count, MOST) - len(whole), 0)
    return "".join([*whole[:count], *(f"{word} " for word in islice(cycle(FILLER), missing))])


def _length(ask: Ask, text: str) -> str:
    count = ask.number("sim_events")
    return stretched(text, count) if count else text


def _echo(ask: Ask) -> str:
    if ask.tool_outputs:
        return f"The tool answered: {_quoted(ask.tool_outputs[-1])}"
    if not ask.user_texts:
        return "Nothing was said yet."
    *before, last = ask.user_texts
    echo = f"You said: {_quoted(last)}"
    if not before:
        return echo
    return f"{echo} (Turn {len(before) + 1}; before that you said: {_quoted(before[-1])})"


def _quoted(text: str) -> str:
    return text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}…"
