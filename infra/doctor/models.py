"""Which of the models that a gateway serves is asked: one that writes text, and is cheap."""

import re
from collections.abc import Iterable

CHEAP = (
    "gpt-5-nano",
    "gpt-4.1-nano",
    "gpt-4o-mini",
    "gpt-5-mini",
    "gpt-4.1-mini",
    "o4-mini",
)
SMALL = re.compile(r"nano|mini|small|lite|flash")
# What such names promise is something else than text, or takes long.
OTHER = re.compile(
    r"audio|realtime|image|tts|transcribe|whisper|speech|search|embedding|moderation|instruct"
    r"|dall-e|sora|video|computer|deep-research|codex|-pro|^sim-"
)


def choose(served: Iterable[str]) -> str | None:
    """None where no name looks like one that writes text."""
    texts = [name for name in served if not OTHER.search(name)]
    known = (name for name in CHEAP if name in texts)
    small = (name for name in sorted(texts) if SMALL.search(name))
    return next(known, None) or next(small, None) or next(iter(sorted(texts)), None)
