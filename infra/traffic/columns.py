"""Numbers, times and names in few characters, for columns of a fixed width."""

from rich.cells import cell_len, set_cell_size

SECOND_MS = 1_000
KILO, MEGA = 1_000, 1_000_000
MEGA_FROM = 999_500  # which would be 1000k
DECIMALS_BELOW = 9.95  # of the unit: 2.4k, but 24k
ELLIPSIS = "…"


def fit(text: str, width: int, *, right: bool = False) -> str:
    """Pad a text to the width, or cut it with an ellipsis; a wide character counts twice."""
    length = cell_len(text)
    if length > width:
        return set_cell_size(set_cell_size(text, max(width - 1, 0)).rstrip() + ELLIPSIS, width)
    padding = " " * (width - length)
    return padding + text if right else text + padding


def format_ms(ms: float | None) -> str:
    """Format milliseconds in at most six characters."""
    if ms is None:
        return ""
    if ms < SECOND_MS:
        return f"{ms:.0f}ms"
    seconds = ms / SECOND_MS
    if seconds < DECIMALS_BELOW:
        return f"{seconds:.2f}s"
    return f"{seconds:.1f}s" if seconds < SECOND_MS else f"{seconds:.0f}s"


def format_count(number: float) -> str:
    """Format a number in at most four characters, up to 999 million: 999, 1.2k, 12k."""
    if number < KILO:
        return f"{number:.0f}"
    unit, name = (KILO, "k") if number < MEGA_FROM else (MEGA, "M")
    value = number / unit
    return f"{value:.1f}{name}" if value < DECIMALS_BELOW else f"{value:.0f}{name}"


def format_tokens(input: int | None, output: int | None) -> str:
    """Format both counts as in/out."""
    if input is None or output is None:
        return ""
    return f"{format_count(input)}/{format_count(output)}"


def format_dollars(dollars: float | None, *, places: int) -> str:
    """Format a cost; one that is too small for the decimal places is less than `<$.0001`."""
    if dollars is None:
        return ""
    if dollars >= 1:
        return f"${dollars:,.2f}"
    smallest = 10**-places
    if 0 < dollars < smallest:
        return f"<${smallest:.{places}f}".replace("0.", ".", 1)
    return f"${dollars:.{places}f}"
