"""A request as one line of a terminal: of 60 columns, of 80, of 120, or as long as it is."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo

from rich.cells import cell_len
from rich.text import Text

from infra.traffic.columns import ELLIPSIS, fit, format_dollars, format_ms, format_tokens
from infra.traffic.record import CALLER_GONE, RequestRecord

MEDIUM_WIDTH, WIDE_WIDTH = 80, 120
KEY_PREFIX = "key_"
SHORT_KEY_CHARS = 4  # of a key's id, behind its prefix
PREFIXES = ("/openai/v1", "/openai", "/v1")

type Cell = tuple[str, str]  # text and style


@dataclass(frozen=True)
class Layout:
    """The widths of the columns; 0 leaves a column out."""

    caller: int  # the tenant, or tenant/key
    key: int  # 0: the key is a part of the caller, if there is room
    what: int  # the model, or method and path
    target: int
    first: int
    tokens: int
    cost: int
    places: int  # decimal places of a cost
    has_end: bool
    cuts: bool = True  # whether what is longer than its column is cut off

    def cell(self, text: str, width: int, *, right: bool = False) -> str:
        return fit(text, width if self.cuts else max(width, cell_len(text)), right=right)


NARROW = Layout(8, 0, 13, 0, 0, 9, 7, 4, has_end=False)
MEDIUM = Layout(12, 0, 13, 8, 6, 9, 7, 4, has_end=False)
WIDE = Layout(12, 10, 20, 12, 6, 9, 9, 6, has_end=True)
FULL = replace(WIDE, key=16, cuts=False)
MIN_CALLER_WITH_KEY = 12
TIME_WIDTH, STATUS_WIDTH, MS_WIDTH = 8, 3, 6


def format_request(
    record: RequestRecord,
    width: int | None,
    zone: tzinfo | None = None,
    *,
    with_message: bool = True,
) -> Text:
    """Format a request; `width` None cuts nothing off. The zone is the machine's own if None.

    `with_message`: whether the message of an error may be printed, which may quote the request.
    """
    layout, record = _layout(width), record.for_terminal()
    cells = [*_head(record, layout, zone), *_tail(record, layout, with_message=with_message)]
    line = Text(" ").join(Text(text, style) for text, style in cells)
    line.rstrip()
    if width is not None and line.cell_len > width:
        line.truncate(width - 1)
        line.append(ELLIPSIS)
    return line


def _layout(width: int | None) -> Layout:
    if width is None:
        return FULL
    if width >= WIDE_WIDTH:
        return WIDE
    return MEDIUM if width >= MEDIUM_WIDTH else NARROW


def _head(record: RequestRecord, layout: Layout, zone: tzinfo | None) -> Iterator[Cell]:
    """Yield who wanted what, and with which status."""
    time = datetime.fromtimestamp(record.time, zone or UTC)
    local = time if zone else time.astimezone()
    yield f"{local:%H:%M:%S}", "dim"
    yield str(record.status or "---"), _status_style(record)
    yield layout.cell(_caller(record, layout), layout.caller), ""
    if layout.key:
        yield layout.cell(record.key_id or "", layout.key), "dim"
    yield from _what(record, layout)


def _what(record: RequestRecord, layout: Layout) -> Iterator[Cell]:
    name, has_target = record.model or _method_and_path(record), bool(layout.target)
    if record.is_refused and not record.target:  # more room for the message
        has_target, width = False, layout.what
    elif record.model is None and not layout.has_end:  # more room for the path
        has_target, width = False, layout.what + layout.target + bool(layout.target)
    else:
        width = layout.what
    yield layout.cell(name, width), "cyan"
    if has_target:
        yield layout.cell(record.target or "", layout.target), ""


def _tail(record: RequestRecord, layout: Layout, *, with_message: bool) -> Iterator[Cell]:
    """Yield the times, and the tokens and the cost or why it is an error."""
    if layout.first and not record.is_refused:
        yield layout.cell(format_ms(record.first_event_ms), layout.first, right=True), "dim"
    yield layout.cell(format_ms(record.ms), MS_WIDTH, right=True), ""
    if record.is_refused or (record.is_error and not layout.has_end):
        yield _reason(record, with_message=with_message), _status_style(record)
        return
    tokens = format_tokens(record.input_tokens, record.output_tokens)
    yield layout.cell(tokens, layout.tokens, right=True), ""
    cost = format_dollars(record.cost_usd, places=layout.places)
    yield layout.cell(cost, layout.cost, right=True), "bold"
    if layout.has_end:
        yield (_reason(record, with_message=False) or record.end or ""), _end_style(record)


def _caller(record: RequestRecord, layout: Layout) -> str:
    """Return the tenant, with the beginning of the key where it has no column of its own."""
    tenant = record.tenant or record.source_ip or "-"
    if layout.key or layout.caller < MIN_CALLER_WITH_KEY or record.key_id is None:
        return tenant
    key = record.key_id.removeprefix(KEY_PREFIX)[:SHORT_KEY_CHARS]
    return f"{fit(tenant, layout.caller - len(key) - 1).rstrip()}/{key}"


def _method_and_path(record: RequestRecord) -> str:
    path = record.path or ""
    prefix = next((each for each in PREFIXES if path.startswith(f"{each}/")), "")
    return f"{record.method or ''} {path.removeprefix(prefix)}".strip()


def _reason(record: RequestRecord, *, with_message: bool) -> str:
    """Return why it is an error, on one line; without the message its code."""
    if not record.is_error:
        return ""
    text = record.reason if with_message else record.reason_without_message
    return " ".join(text.split())


def _status_style(record: RequestRecord) -> str:
    if record.is_server_error:
        return "bold red"
    if record.is_refused:
        return "yellow"
    return "green" if not record.is_error else _end_style(record)


def _end_style(record: RequestRecord) -> str:
    if not record.is_error:
        return "dim"
    return "yellow" if record.end in {CALLER_GONE, "incomplete"} else "red"
