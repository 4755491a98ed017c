"""What was just counted, as the dashboard shows it: tokens and cost by model and target."""

from collections.abc import Iterable

from antiphon.observe import figures
from antiphon.settings.metrics import CACHED_TOKENS, INPUT_TOKENS, OUTPUT_TOKENS, UNPRICED
from antiphon.settings.metrics import COST as COST_USD
from antiphon.store.spent import COST, PICO
from antiphon.store.spent import UNPRICED as UNPRICED_COUNT
from antiphon.store.update import Update

SHOWN = {
    "input_tokens": INPUT_TOKENS,
    "cached_tokens": CACHED_TOKENS,
    "output_tokens": OUTPUT_TOKENS,
    UNPRICED_COUNT: UNPRICED,
}
UNNAMED = "unnamed"  # a dimension's value is never empty


def show(additions: Iterable[Update]) -> None:
    """Once for each addition to a sum that was written."""
    for each in additions:
        where = {"model": each.sets["model"] or UNNAMED, "target": each.sets["target"]}
        for name, metric in SHOWN.items():
            if name in each.adds:
                figures.count(metric, each.adds[name], **where)
        if COST in each.adds:
            figures.count(COST_USD, float(each.adds[COST] / PICO), **where)
