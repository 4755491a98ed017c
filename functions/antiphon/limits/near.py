"""Budgets that come near their end: a figure for the alarm, and a line that says whose it is."""

from collections.abc import Mapping

from antiphon.auth import Caller
from antiphon.limits.meters import SPENT, Meter
from antiphon.observe import figures, logger
from antiphon.settings.metrics import BUDGET_USED, NEAR


def tell_budgets(counted: Mapping[Meter, int], row: Mapping[str, int], caller: Caller) -> None:
    """`row` is as it is with what was `counted`; the line is logged by whoever takes it so far."""
    for meter, amount in counted.items():
        if meter.kind == SPENT:
            used = 100 * row.get(meter.counter, 0) / meter.most
            figures.measure(BUDGET_USED, round(used, 1))
            if used >= NEAR > used - 100 * amount / meter.most:
                about = {"tenant": caller.tenant, "key_id": caller.key_id, "used": round(used)}
                logger.warning("budget near its end", extra={"budget": meter.scope.name, **about})
