"""What an answer is said to have cost: a guess at tokens that is the same every time."""

import json
from collections.abc import Iterable

from infra.local.simulator.ask import Ask
from infra.local.simulator.items import Json, text_of
from infra.local.simulator.speech import pieces

PER_ITEM = 4
CHARACTERS = 4  # of English text in a token, says OpenAI
CACHE_STEP = 128  # https://platform.openai.com/docs/guides/prompt-caching
REASONING = 64


def usage(ask: Ask, output: Iterable[Json]) -> Json:
    output = list(output)
    thought = sum(REASONING for item in output if item["type"] == "reasoning")
    spoken = thought + sum(len(pieces(text_of(item))) for item in output)
    read = asked(ask)
    return {
        "input_tokens": read,
        "input_tokens_details": {
            "cached_tokens": _tokens(ask.history) // CACHE_STEP * CACHE_STEP,
            "cache_write_tokens": 0,
        },
        "output_tokens": spoken,
        "output_tokens_details": {"reasoning_tokens": thought},
        "total_tokens": read + spoken,
    }


def asked(ask: Ask) -> int:
    """What reading an ask costs."""
    around = [str(ask.body.get("instructions") or ""), *map(json.dumps, ask.tools)]
    return _tokens(ask.context) + sum(len(text) // CHARACTERS for text in around)


def _tokens(items: Iterable[Json]) -> int:
    return sum(PER_ITEM + len(text_of(item)) // CHARACTERS for item in items)
