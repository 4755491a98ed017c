"""The figures of a response that have prices of their own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

WRITTEN = "cache_write_tokens"

type Usage = Mapping[str, Any]  # as a provider tells it in a response


@dataclass(frozen=True)
class Tokens:
    """What is priced apart; all input is `input`, cached or not, and reasoning is output."""

    input: int
    cached: int
    written: int  # to the cache, at a price of its own
    output: int

    @classmethod
    def read(cls, usage: Usage) -> "Tokens | None":
        """None where the figures are no figures, or contradict each other."""
        details = usage.get("input_tokens_details")
        details = details if isinstance(details, Mapping) else {}
        cached, written = (details.get(name) or 0 for name in ("cached_tokens", WRITTEN))
        figures: tuple[Any, ...] = (
            usage.get("input_tokens"),
            cached,
            written,
            usage.get("output_tokens"),
        )
        if not all(type(figure) is int and figure >= 0 for figure in figures):
            return None
        tokens = cls(*figures)
        return tokens if tokens.cached + tokens.written <= tokens.input else None
