"""`antiphon usage`: requests, tokens and cost of a deployment."""

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import click
from click.core import ParameterSource
from rich.console import Console

from antiphon.store.keyring import Keyring
from antiphon.store.storage import Storage, StorageRows
from antiphon.store.usage import UsageSum, UsageSums, group_sums
from infra.operator.deployment import Deployment, with_deployment
from infra.operator.output import (
    json_option,
    print_json,
    print_message,
    print_rows,
    print_table,
)
from infra.operator.param_types import PastDayType, TenantType
from infra.operator.recount import recount
from infra.operator.storage_report import storage_json, storage_remarks, storage_rows
from infra.operator.usage_report import DIMENSIONS, UsageReport, build_tables, list_remarks

DEFAULT_PERIOD = timedelta(days=29)  # before the last day, which is included
GIVEN = ParameterSource.COMMANDLINE


def unless_subcommand[**P, R](command: Callable[P, R]) -> Callable[P, R | None]:
    """Make a group's own command do nothing if one of its commands is named.

    An option before that name would have no effect, so it is refused.
    """

    @functools.wraps(command)
    def run(*args: P.args, **options: P.kwargs) -> R | None:
        context = click.get_current_context()
        if context.invoked_subcommand is None:
            return command(*args, **options)
        if any(context.get_parameter_source(name) == GIVEN for name in context.params):
            raise click.UsageError(f"Write options after `{context.invoked_subcommand}`.")
        return None

    return run


@click.group(invoke_without_command=True)
@unless_subcommand
@click.option(
    "--by",
    type=click.Choice([*DIMENSIONS]),
    multiple=True,
    help="How to group the sums. May be repeated: --by day --by model.  [default: model]",
)
@click.option(
    "--since",
    type=PastDayType(),
    help="The first day: 2026-11-01, or 7d for a week ago.  [default: 30 days, the last included]",
)
@click.option("--until", type=PastDayType(), help="The last day, included.  [default: today]")
@click.option("--tenant", type=TenantType(), help="Only this tenant.  [default: all]")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@json_option
@with_deployment
def usage(
    deployment: Deployment,
    /,
    *,
    by: tuple[str, ...],
    as_csv: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Print usage: requests, tokens, and their cost; and what is stored now.

    Each response is counted once, when its end is known, with the provider's own figures, on the
    day (UTC) on which it began. So unfinished responses are not included, and the figures of past
    days can increase a little. Costs are those of tokens, at the prices in gateway.toml, else at
    those of a public price list. What is stored now is what the gateway knows of: files, vector
    stores and containers that were made through it and have not ended.
    """
    if as_csv and as_json:
        raise click.UsageError("--csv and --json exclude each other: choose one.")
    report = _create_report(deployment, tuple(dict.fromkeys(by)) or ("model",), **options)
    if as_csv:
        report.write_csv()
        return
    stored = [*StorageRows(deployment.table).read_all(report.tenant, time.time())]
    if as_json:
        print_json({**report.to_json(), "storage": storage_json(stored)})
    else:
        _print_report(report, stored, _read_key_names(deployment, report))


usage.add_command(recount)


def _create_report(
    deployment: Deployment,
    by: Sequence[str],
    since: date | None,
    until: date | None,
    tenant: str | None,
) -> UsageReport:
    last = until or datetime.now(UTC).date()
    first = since or last - DEFAULT_PERIOD
    if first > last:
        raise click.UsageError(f"--since {first} is later than --until {last}.")
    empty = UsageReport(
        deployment=deployment.name,
        tenant=tenant,
        first=first.isoformat(),
        last=last.isoformat(),
        by=by,
        sums=[],
    )
    with Console(stderr=True).status(f"Reading the usage of {deployment.name}…"):
        return replace(empty, sums=_read_sums(deployment, empty))


def _read_sums(deployment: Deployment, report: UsageReport) -> list[UsageSum]:
    stored = UsageSums(deployment.table)
    days = (report.first, report.last)
    sums = (
        stored.read_all(*days)
        if report.tenant is None
        else stored.read_tenant(report.tenant, *days)
    )
    return group_sums(sums, {DIMENSIONS[part] for part in report.by})


def _read_key_names(deployment: Deployment, report: UsageReport) -> Mapping[str, str | None]:
    """Return the names of keys by their ids, if the report is grouped by key."""
    if "key" not in report.by:
        return {}
    return {key.id: key.name for key in Keyring(deployment.table).list_keys(report.tenant)}


def _print_report(
    report: UsageReport, stored: Sequence[Storage], key_names: Mapping[str, str | None]
) -> None:
    if report.sums:
        print_table(*build_tables(report, key_names))
    else:
        print_message(f"{report.deployment} has no usage from {report.first} to {report.last}.")
    headings, rows = storage_rows(stored, key_names, by_key="key" in report.by)
    if rows:
        click.echo()
        print_rows(headings, rows)
    for remark in (*list_remarks(report), *storage_remarks(report, stored)):
        print_message(remark)
