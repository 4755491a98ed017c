"""The limits of a key and of its tenant, and what is used of each, as a table or as JSON."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from antiphon.limits.remaining import LimitReport, LimitUse, Scope
from antiphon.settings.config import Limits
from antiphon.store.keys import ApiKey
from infra.operator.deployment import Deployment
from infra.operator.key_presentation import set_limits
from infra.operator.output import format_time, print_message, print_rows

HEADINGS = ("limit", "of", "maximum", "used", "left", "renews (UTC)")
MINUTE_CHARS = 16  # of a formatted time
OLD_STACK = (
    "What is used is not known here: this stack was deployed by an older version, so commands do "
    "not know the limits of its tenants. Deploy it again."
)


@dataclass(frozen=True)
class LimitLine:
    """A limit that is set; `use` is None for one that does not count, such as a maximum size."""

    name: str
    of: Scope
    value: float | str
    period: str | None
    use: LimitUse | None

    def to_json(self) -> dict[str, Any]:
        use = self.use
        return {
            "limit": self.name,
            "of": self.of,
            "maximum": self.value,
            "used": use and use.used,
            "left": use and use.left,
            "renews_at": use and use.renews_at,
        }

    def to_row(self) -> tuple[str, ...]:
        name = self.name.replace("_", "-") + (f" a {self.period}" if self.period else "")
        if self.use is None:
            return (name, self.of, _format(self.value), "", "", "")
        used, left = _format(self.use.used), _format(self.use.left)
        renews = format_time(self.use.renews_at)[:MINUTE_CHARS]
        return (name, self.of, _format(self.value), used, left, renews)


def limit_report(key: ApiKey, deployment: Deployment) -> list[LimitLine] | None:
    """Return all limits of a key and its tenant; None where those of the tenant are unknown."""
    if deployment.key_settings is None:
        return None
    tenant_limits = deployment.key_settings.limits_of(key.tenant)
    report = LimitReport(deployment.table, time.time())
    uses = {
        (use.scope, use.name): use
        for use in report.read(key.tenant, key.id, key.limits, tenant_limits)
    }
    return [*_lines("key", key.limits, uses), *_lines("tenant", tenant_limits, uses)]


def print_limits(lines: Sequence[LimitLine] | None) -> None:
    if lines is None:
        print_message(OLD_STACK)
    elif lines:
        click.echo()
        print_rows(HEADINGS, [line.to_row() for line in lines])


def _lines(
    scope: Scope, limits: Limits, uses: Mapping[tuple[Scope, str], LimitUse]
) -> Iterator[LimitLine]:
    values = set_limits(limits)
    period = values.pop("budget_period", None)
    for name, value in values.items():
        by_period = period if name == "budget_usd" else None
        yield LimitLine(name, scope, value, by_period, uses.get((scope, name)))


def _format(value: float | str) -> str:
    if isinstance(value, float):  # dollars, to the billionth
        return f"{value:,.9f}".rstrip("0").rstrip(".")
    return value if isinstance(value, str) else f"{value:,}"
