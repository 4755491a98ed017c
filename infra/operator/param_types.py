"""The types of the commands' options and arguments."""

import re
import time
from datetime import UTC, date, datetime, timedelta
from typing import Any

import click
from pydantic import TypeAdapter, ValidationError

from antiphon.settings.section import TenantName
from antiphon.store.links import ID_PATTERN
from infra.example_models import EXAMPLE_PATTERN

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
MAX_DURATION = 36_500 * UNITS["d"]
MAX_NAME_LENGTH = 100
NONE = "none"  # in place of a value
_DURATION = re.compile(r"(\d{1,10})([smhdw])|0")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")

type Parameter = click.Parameter | None
type Context = click.Context | None


class DurationType(click.ParamType):
    """A duration such as 30m, 24h or 7d, in seconds."""

    name = "duration"

    def convert(self, value: Any, param: Parameter, ctx: Context) -> int:
        if isinstance(value, int):  # a default, or converted before
            return value
        seconds = _parse_duration(value)
        if seconds is None:
            self.fail(f"{value!r} is not a duration such as 30m, 24h or 7d.", param, ctx)
        return seconds


class FutureTimeType(click.ParamType):
    """A time in the future, as a duration from now or an ISO 8601 date; in epoch seconds."""

    name = "duration|date"

    def convert(self, value: Any, param: Parameter, ctx: Context) -> int:
        if isinstance(value, int):
            return value
        now, duration = int(time.time()), _parse_duration(value)
        seconds = _parse_time(value) if duration is None else now + duration
        if seconds is None:
            self.fail(
                f"{value!r} is neither a duration such as 90d nor a date such as 2027-01-31 "
                "or 2027-01-31T18:00:00+01:00.",
                param,
                ctx,
            )
        if seconds <= now:
            self.fail(f"{value!r} is in the past.", param, ctx)
        return seconds


class OrNoneType(click.ParamType):
    """A value of another type, or NONE, which removes what is set."""

    def __init__(self, type: click.ParamType) -> None:
        self._type = type
        self.name = f"{type.name.partition(' ')[0]}|{NONE}"  # "integer range" is one

    def convert(self, value: Any, param: Parameter, ctx: Context) -> Any:
        return NONE if value == NONE else self._type.convert(value, param, ctx)


class PastDayType(click.ParamType):
    """A day in UTC: 2026-11-22, or 7d for a week ago."""

    name = "duration|date"

    def convert(self, value: Any, param: Parameter, ctx: Context) -> date:
        if isinstance(value, date):
            return value
        if not _DATE.fullmatch(value):
            seconds = DurationType().convert(value, param, ctx)
            return (datetime.now(UTC) - timedelta(seconds=seconds)).date()
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a valid date.", param, ctx)


class TenantType(click.ParamType):
    """The name of a tenant."""

    name = "tenant"

    def convert(self, value: Any, param: Parameter, ctx: Context) -> str:
        try:
            return TypeAdapter(TenantName).validate_python(value)
        except ValidationError:
            self.fail(f"{value!r} is not 1 to 64 characters of A-Z a-z 0-9 _ . -", param, ctx)


class ProviderIdType(click.ParamType):
    """The id that a provider gave to an object."""

    name = "id"

    def convert(self, value: Any, param: Parameter, ctx: Context) -> str:
        id: str = value
        if not ID_PATTERN.fullmatch(id):
            self.fail(f"{id!r} is not 1 to 900 visible ASCII characters.", param, ctx)
        return id


class KeyNameType(click.ParamType):
    """The name of a key, for people."""

    name = "text"

    def convert(self, value: Any, param: Parameter, ctx: Context) -> str:
        text: str = value
        if not (text.isprintable() and 0 < len(text) <= MAX_NAME_LENGTH):
            self.fail(f"it must be 1 to {MAX_NAME_LENGTH} printable characters.", param, ctx)
        return text


class ModelsType(click.ParamType):
    """Names and patterns of models, separated by commas."""

    name = "models"

    def convert(self, value: Any, param: Parameter, ctx: Context) -> list[str]:
        models = [part.strip() for part in value.split(",")]
        for model in models:
            if not model or not model.isprintable() or " " in model:
                self.fail(f"{model!r} is not the name of a model.", param, ctx)
            if model.count("*") > 1:
                self.fail(
                    f"{model!r}: a pattern has one * at most, as in {EXAMPLE_PATTERN}.", param, ctx
                )
        return models


class KeyType(click.ParamType):
    """The id of a key, its beginning, or the key itself; - reads one from standard input."""

    name = "key"

    def convert(self, value: Any, param: Parameter, ctx: Context) -> str:
        key: str = _read_stdin() if value == "-" else value
        if not key:
            self.fail("there is no key on standard input.", param, ctx)
        return key


def _read_stdin() -> str:
    stdin = click.get_text_stream("stdin")
    if stdin.isatty():
        return str(click.prompt("Key", hide_input=True, err=True)).strip()
    return stdin.readline().strip()


def _parse_duration(text: str) -> int | None:
    match = _DURATION.fullmatch(text)
    if match is None:
        return None
    number, unit = match.groups()
    seconds = int(number or 0) * UNITS[unit or "s"]
    return seconds if seconds <= MAX_DURATION else None


def _parse_time(text: str) -> int | None:
    """Parse a date or time; a date means the start of that day, and the default zone is UTC."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    return int((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp())
