"""The models that examples name: one place, because models end.

README.md, `docs/`, `gateway.toml`, the reference and the start-up lines name these and no others.
https://developers.openai.com/api/docs/deprecations has the ends and their successors.
"""

import re

EXAMPLE_MODEL = "gpt-6.1-terra"
EXAMPLE_PATTERN = "gpt-6*"  # of the models that a key may call
EXAMPLE_DEPLOYMENT = "terra-prod"  # a name that a user of Azure gives

# The first of these that a configuration serves is in the line to paste at the start.
PREFERRED_MODELS = (EXAMPLE_MODEL, "gpt-4.1-mini", "gpt-4o-mini")

# What the simulator lists. It responds to any name; those that have ended are in older programs.
SIMULATED_MODELS = (
    EXAMPLE_MODEL,
    "gpt-6.1-sol",
    "gpt-4.1",
    "gpt-4.1-mini",
    "gpt-4o",
    "o4-mini",
    "gpt-5",
    "gpt-5-mini",
    "gpt-5-nano",
    "o3",
)

# They produce reasoning before the text, also where a request says nothing of it.
REASONING_MODELS = re.compile(r"o\d|gpt-[56]")

# No example names these: they end on 2026-12-11 or before.
ENDED_MODELS = re.compile(
    r"(?<![\w.-])(?:gpt-5(?:-(?:mini|nano|pro|prod))?|o3(?:-pro)?|gpt-3\.5[\w-]*|gpt-4)(?![\w.-]*\w)"
)
