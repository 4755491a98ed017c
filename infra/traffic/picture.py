"""What `antiphon top` displays: a summary, the open circuits, and the keys that are used most."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from infra.traffic.columns import format_count, format_dollars, format_ms
from infra.traffic.line import KEY_PREFIX, MEDIUM_WIDTH, WIDE_WIDTH
from infra.traffic.summary import KeyUse, Summary

LABEL_WIDTH = 13
NARROW_TENANT, MEDIUM_TENANT = 12, 16
SHORT_KEY_CHARS = 8
KINDS = 3  # of errors that are named
MAX_ERROR_SHARE = 0.05  # above it the share of errors is red


@dataclass(frozen=True)
class Column:
    """A column of the keys; one of numbers has this width, any other one at most this width."""

    heading: str
    width: int | None
    cell: Callable[[KeyUse], str]
    is_number: bool = False


@dataclass(frozen=True)
class Picture:
    name: str  # of the deployment
    time: float  # epoch seconds
    summary: Summary
    circuits: Mapping[str, float]  # seconds for which each open one stays open
    keys: Sequence[KeyUse]
    limits: Mapping[str, str]  # the limit that is used most, by the id of a key

    def render(self, width: int, zone: tzinfo | None = None) -> RenderableType:
        """Render it for a width; the zone is the machine's own if None."""
        facts = [
            Text.assemble((f"{label:<{LABEL_WIDTH}}", "bold"), (text, style))
            for label, text, style in self._facts()
        ]
        for fact in facts:
            fact.no_wrap, fact.overflow = True, "ellipsis"
        return Group(self._heading(zone), "", *facts, "", self._key_table(width))

    def _heading(self, zone: tzinfo | None) -> Text:
        time = datetime.fromtimestamp(self.time, zone or UTC)
        local = time if zone else time.astimezone()
        minutes = f"{self.summary.seconds / 60:g} min"
        return Text(f"{self.name}, the last {minutes}, {local:%H:%M:%S}", "bold cyan")

    def _facts(self) -> Iterator[tuple[str, str, str]]:
        """Yield label, text and style."""
        found = self.summary
        yield "requests", f"{_rate(found.per_minute(found.requests))} a minute", ""
        yield "errors", self._errors(), self._error_style()
        yield "streams", f"{found.in_flight} in flight", ""
        if found.median_first_event_ms is not None:
            yield "first event", f"{format_ms(found.median_first_event_ms)} (median)", ""
        input, output = map(found.per_minute, (found.input_tokens, found.output_tokens))
        yield "tokens", f"{format_count(input)} in, {format_count(output)} out a minute", ""
        hourly = format_dollars(found.per_hour(found.cost), places=4)
        yield "cost", f"{format_dollars(found.cost, places=4)}, at this rate {hourly} an hour", ""
        yield "circuits", self._circuits(), "bold red" if self.circuits else "green"

    def _errors(self) -> str:
        found = self.summary
        if not found.errors:
            return "none"
        kinds = ", ".join(f"{kind} {count}" for kind, count in found.error_kinds[:KINDS])
        return f"{found.errors / found.requests:.1%}: {kinds}"

    def _error_style(self) -> str:
        found = self.summary
        if not found.errors:
            return "green"
        return "bold red" if found.errors > MAX_ERROR_SHARE * found.requests else "yellow"

    def _circuits(self) -> str:
        texts = [f"{name} for {seconds:.0f}s" for name, seconds in sorted(self.circuits.items())]
        return f"open: {', '.join(texts)}" if texts else "all closed"

    def _key_table(self, width: int) -> RenderableType:
        if not self.keys:
            return Text("No requests.", "dim")
        columns = [*self._key_columns(width)]
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
        for column in columns:
            table.add_column(
                column.heading,
                no_wrap=True,
                justify="right" if column.is_number else "left",
                max_width=column.width,
                min_width=column.width if column.is_number else None,
            )
        for use in self.keys:
            table.add_row(*(Text(column.cell(use)) for column in columns))
        return table

    def _key_columns(self, width: int) -> Iterator[Column]:
        is_wide = width >= WIDE_WIDTH
        yield Column("key", None, _key_id if is_wide else _short_key_id)
        tenant = None if is_wide else NARROW_TENANT if width < MEDIUM_WIDTH else MEDIUM_TENANT
        yield Column("tenant", tenant, lambda use: use.tenant or "-")
        yield Column("requests", 8, lambda use: format_count(use.requests), is_number=True)
        yield Column("errors", 6, lambda use: format_count(use.errors), is_number=True)
        yield Column("tokens", 6, lambda use: format_count(use.tokens), is_number=True)
        yield Column("cost", 7, lambda use: format_dollars(use.cost, places=4), is_number=True)
        if width >= MEDIUM_WIDTH:
            yield Column("limit", None, self._limit if is_wide else self._short_limit)

    def _limit(self, use: KeyUse) -> str:
        return self.limits.get(use.key_id or "", "")

    def _short_limit(self, use: KeyUse) -> str:
        return self._limit(use).partition(" of ")[0]


def _key_id(use: KeyUse) -> str:
    return use.key_id or "-"


def _short_key_id(use: KeyUse) -> str:
    return _key_id(use).removeprefix(KEY_PREFIX)[:SHORT_KEY_CHARS]


def _rate(number: float) -> str:
    return f"{number:.1f}" if number < 100 else format_count(number)  # noqa: PLR2004  three digits
