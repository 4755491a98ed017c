"""What a check found: whether it holds, what was seen, and what to do where it does not."""

from dataclasses import dataclass
from typing import Literal

type Verdict = Literal["ok", "fails", "skipped"]


@dataclass(frozen=True)
class Finding:
    verdict: Verdict
    seen: str
    advice: str | None = None  # what to do, or to know


def ok(seen: str, advice: str | None = None) -> Finding:
    return Finding("ok", seen, advice)


def fails(seen: str, advice: str | None = None) -> Finding:
    return Finding("fails", seen, advice)


def skipped(why: str, advice: str | None = None) -> Finding:
    return Finding("skipped", why, advice)
