"""Goes through the table: a finding for each check, whatever happens on the way."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from infra.doctor import advice
from infra.doctor.finding import Finding, fails, skipped
from infra.doctor.session import NoModel, Session
from infra.doctor.table import Check

NO_MODEL = "Name one that writes text with --model."


@dataclass(frozen=True)
class Row:
    check: Check
    finding: Finding

    def told(self) -> dict[str, Any]:
        """For machines."""
        found = self.finding
        told = {"check": self.check.name, "holds": self.check.holds, "verdict": found.verdict}
        return {**told, "seen": found.seen, "advice": found.advice}


def examine(
    session: Session, checks: Iterable[Check], begin: Callable[[Check], None]
) -> Iterator[Row]:
    """Make the checks in order; `begin` is told of each. What was made is deleted in the end."""
    titles, held = {}, set()
    try:
        for check in checks:
            begin(check)
            titles[check.name] = check.holds
            lacking = [name for name in check.needs if name not in held]
            found = (
                _unless(titles.get(lacking[0], lacking[0])) if lacking else _look(check, session)
            )
            if found.verdict == "ok":
                held.add(check.name)
            yield Row(check, found)
    finally:
        _forget(session)


def _unless(title: str) -> Finding:
    return skipped(f"because this does not hold: {title}")


def _look(check: Check, session: Session) -> Finding:
    try:
        return check.look(session)
    except NoModel:
        return skipped("none of the models served looks as if it wrote text", NO_MODEL)
    except httpx.HTTPError as exc:
        return fails(f"no answer: {str(exc) or type(exc).__name__}", advice.of_failure(exc))


def _forget(session: Session) -> None:
    try:
        session.forget()
    except httpx.HTTPError:
        session.made.clear()  # it cannot be reached any more, and expires by itself
