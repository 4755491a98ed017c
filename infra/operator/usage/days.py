"""Days (UTC), as people give them: 2026-11-22, or 7d for a week ago."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import click

from infra.operator.durations import Duration

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class Day(click.ParamType):
    """A date, not after today."""

    name = "duration|date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        if not _DATE.fullmatch(value):
            return _now_less(Duration().convert(value, param, ctx))
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no day there is.", param, ctx)


def today() -> date:
    return datetime.now(UTC).date()


def between(first: str, last: str) -> list[str]:
    """Every day from one to another, both of them included."""
    start = date.fromisoformat(first)
    return [
        (start + timedelta(n)).isoformat()
        for n in range((date.fromisoformat(last) - start).days + 1)
    ]


def _now_less(seconds: int) -> date:
    return (datetime.now(UTC) - timedelta(seconds=seconds)).date()
