"""The command `antiphon usage`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import click
from rich.console import Console

from antiphon.store.keyring import Keyring
from antiphon.store.usage import UsageSum, UsageSums, group_sums
from infra.operator import printing
from infra.operator.deployment import Deployment, about_deployment
from infra.operator.keys.arguments import Tenant
from infra.operator.usage import chart
from infra.operator.usage.days import Day, today
from infra.operator.usage.report import PARTS, Report

USUAL = timedelta(days=29)  # before the last day


@click.command()
@click.option(
    "--by",
    type=click.Choice([*PARTS]),
    multiple=True,
    help="What to tell apart. May be repeated: --by day --by model.  [default: model]",
)
@click.option(
    "--since",
    type=Day(),
    help="The first day: 2026-11-01, or 7d for a week ago.  [default: 30 days with the last]",
)
@click.option("--until", type=Day(), help="The last day, which counts too.  [default: today]")
@click.option("--tenant", type=Tenant(), help="Of one tenant.  [default: of all]")
@click.option("--csv", "as_csv", is_flag=True, help="Lines of CSV, for a sheet.")
@printing.json_option
@about_deployment
def usage(
    deployment: Deployment,
    /,
    *,
    by: tuple[str, ...],
    as_csv: bool,
    as_json: bool,
    **asked: Any,
) -> None:
    """Show what was used: requests, tokens, and what they cost.

    Each response is counted once, as soon as its end is known, by the provider's own figures and
    on the day (UTC) on which it was begun; so what is still running is not in it, and days that
    are past may grow a little. Costs are those of tokens, at the prices of gateway.toml and, behind
    them, of a price list.
    """
    if as_csv and as_json:
        raise click.UsageError("--csv and --json are two ways to write the same: choose one.")
    report = _report(deployment, tuple(dict.fromkeys(by)) or ("model",), **asked)
    if as_json:
        printing.document(report.document())
    elif as_csv:
        report.write_csv()
    else:
        _show(report, _names(deployment, report))


def _report(
    deployment: Deployment,
    by: Sequence[str],
    since: date | None,
    until: date | None,
    tenant: str | None,
) -> Report:
    last = until or today()
    first = since or last - USUAL
    if first > last:
        raise click.UsageError(f"--since {first} is later than --until {last}.")
    told = Report(
        deployment=deployment.name,
        tenant=tenant,
        first=first.isoformat(),
        last=last.isoformat(),
        by=by,
        sums=[],
    )
    with Console(stderr=True).status(f"Adding up what {deployment.name} has counted…"):
        return replace(told, sums=_sums(deployment, told))


def _sums(deployment: Deployment, report: Report) -> list[UsageSum]:
    kept = UsageSums(deployment.table)
    days = (report.first, report.last)
    found = (
        kept.read_all(*days) if report.tenant is None else kept.read_tenant(report.tenant, *days)
    )
    return group_sums(found, {PARTS[part] for part in report.by})


def _names(deployment: Deployment, report: Report) -> Mapping[str, str | None]:
    """Of keys, by their ids, where they are told apart."""
    if "key" not in report.by:
        return {}
    return {key.id: key.name for key in Keyring(deployment.table).list_keys(report.tenant)}


def _show(report: Report, names: Mapping[str, str | None]) -> None:
    if not report.sums:
        printing.say(
            f"{report.deployment} has counted nothing from {report.first} to {report.last}."
        )
        return
    printing.show(chart.drawn(report, names))
    for remark in chart.remarks(report):
        printing.say(remark)
