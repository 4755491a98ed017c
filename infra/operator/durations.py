"""Durations such as 30m, 24h, 7d, and moments: a duration from now, or an ISO date."""

import re
import time
from datetime import UTC, datetime
from typing import Any

import click

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
LONGEST = 36_500 * UNITS["d"]
_DURATION = re.compile(r"(\d{1,10})([smhdw])|0")


class Duration(click.ParamType):
    """Seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):  # a default, or what was converted before
            return value
        seconds = _seconds(value)
        if seconds is None:
            self.fail(f"{value!r} is no duration such as 30m, 24h or 7d.", param, ctx)
        return seconds


class Moment(click.ParamType):
    """Epoch seconds of a moment to come."""

    name = "duration|date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        now, seconds = int(time.time()), _seconds(value)
        moment = _date(value) if seconds is None else now + seconds
        if moment is None:
            self.fail(
                f"{value!r} is neither a duration such as 90d nor a date such as 2027-01-31 "
                "or 2027-01-31T18:00:00+01:00.",
                param,
                ctx,
            )
        if moment <= now:
            self.fail(f"{value!r} is past already.", param, ctx)
        return moment


def _seconds(text: str) -> int | None:
    found = _DURATION.fullmatch(text)
    if found is None:
        return None
    number, unit = found.groups()
    seconds = int(number or 0) * UNITS[unit or "s"]
    return seconds if seconds <= LONGEST else None


def _date(text: str) -> int | None:
    """A date alone is the beginning of that day; without an offset it is UTC."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return int((read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp())
