"""`antiphon usage recount`: counts what a deployment has not counted."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from antiphon.rollup.recount import Recount
from antiphon.settings.config import Config, ConfigError, load_config
from antiphon.store.keyring import Keyring
from infra.operator.deployment import Deployment, with_deployment
from infra.operator.output import json_option, print_json, print_message, print_rows
from infra.operator.param_types import PastDayType, TenantType
from infra.project import CONFIG

COLUMNS = ("tenant", "links", "not counted", "not polled")


@dataclass(frozen=True)
class TenantResult:
    """How many links of a tenant were read, and how many of them lacked something."""

    tenant: str
    links: int = 0
    uncounted: int = 0
    unpolled: int = 0

    def to_row(self) -> list[str]:
        return [self.tenant, *(f"{number:,}" for number in self.numbers)]

    def to_json(self) -> dict[str, Any]:
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @property
    def numbers(self) -> tuple[int, int, int]:
        return self.links, self.uncounted, self.unpolled


@click.command()
@click.option(
    "--since",
    type=PastDayType(),
    required=True,
    help="The first day on which links were made: 2026-11-01, or 7d for a week ago.",
)
@click.option("--tenant", type=TenantType(), help="Only this tenant.  [default: all with a key]")
@click.option("--dry-run", is_flag=True, help="Print what would be done, and change nothing.")
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    default=CONFIG,
    help="The configuration that is deployed: what is counted costs its prices.  "
    "[default: gateway.toml]",
)
@json_option
@with_deployment
def recount(
    deployment: Deployment, /, *, dry_run: bool, config: Path, as_json: bool, **options: Any
) -> None:
    """Count the responses and objects that the gateway has not counted.

    The gateway counts a response when its link changes in the table. If that fails for most of a
    day, the change is lost (alarm LostChanges). This command reads the links that tenants have made
    since a day, compares each with the mark of what was counted, and counts it if the two differ.
    Nothing is counted twice: repeat it, interrupt it, or run it while the gateway counts.

    It also has responses polled again that have no outcome although their time for it is over.
    Links that have expired (links_days) are not found. What ended in the last minute may be listed
    as not counted because the gateway has still to count it.
    """
    results = [*_recount_tenants(deployment, _load(config), is_dry_run=dry_run, **options)]
    if as_json:
        found = [result.to_json() for result in results]
        print_json({"deployment": deployment.name, "dry_run": dry_run, "data": found})
        return
    if results:
        print_rows(COLUMNS, [result.to_row() for result in results])
    print_message(_summary(results, is_dry_run=dry_run))


def _recount_tenants(
    deployment: Deployment, config: Config, since: date, tenant: str | None, *, is_dry_run: bool
) -> Iterator[TenantResult]:
    keys = Keyring(deployment.table).list_keys(tenant)
    tenants = sorted({key.tenant for key in keys} if tenant is None else {tenant})
    start = datetime.combine(since, time(), UTC).timestamp()
    recounting = Recount.from_config(deployment.table, deployment.batch, config)
    with Console(stderr=True).status("Reading the tenants…") as status:
        for name in tenants:
            result = TenantResult(name)
            for page in recounting.pages(name, start):
                if not is_dry_run:
                    recounting.repair(page)
                found = (page.size, len(page.uncounted), len(page.unpolled))
                result = TenantResult(name, *map(sum, zip(result.numbers, found, strict=True)))
                status.update(f"{name}: {result.links:,} links, {result.uncounted:,} not counted…")
            yield result


def _load(config: Path) -> Config:
    try:
        return load_config(config)
    except ConfigError as exc:
        raise click.ClickException(str(exc)) from exc


def _summary(results: list[TenantResult], *, is_dry_run: bool) -> str:
    links, uncounted, unpolled = (sum(r.numbers[n] for r in results) for n in range(3))
    if not uncounted + unpolled:
        return f"All of {links:,} links are counted."
    done = "would be" if is_dry_run else "are"
    return (
        f"Of {links:,} links, {uncounted:,} {done} counted by this command, and {unpolled:,} "
        f"{done} polled again."
    )
