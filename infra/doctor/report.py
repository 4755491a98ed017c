"""What was found: tables for people, JSON for machines."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from infra.doctor.examination import Row
from infra.doctor.finding import Finding, Verdict
from infra.doctor.table import NOT_SEEN_FROM_HERE

STYLES: Mapping[Verdict, str] = {"ok": "green", "fails": "bold red", "skipped": "yellow"}


@dataclass(frozen=True)
class Report:
    """Of one base URL."""

    url: str
    rows: list[Row]
    model: str | None
    tokens: int

    @property
    def holds(self) -> bool:
        return all(row.finding.verdict != "fails" for row in self.rows)

    @property
    def counts(self) -> Mapping[str, int]:
        verdicts = [row.finding.verdict for row in self.rows]
        return {verdict: verdicts.count(verdict) for verdict in STYLES}


def show(console: Console, report: Report) -> None:
    table = Table(title=Text(report.url, "bold"), title_justify="left", show_lines=False)
    table.add_column("")
    table.add_column("What should hold", ratio=2)
    table.add_column("What was seen, and what to do", ratio=3)
    for row in report.rows:
        found = row.finding
        mark = Text(found.verdict, STYLES[found.verdict])
        table.add_row(mark, Text(row.check.holds), Group(*_lines(found)))
    console.print(table)
    counted = ", ".join(f"{number} {verdict}" for verdict, number in report.counts.items())
    used = f"; {report.tokens} tokens of {report.model} were used" if report.tokens else ""
    console.print(f"{counted}{used}.", highlight=False)


def show_rest(console: Console) -> None:
    console.print("\nNot to be seen from here:", highlight=False)
    for each in NOT_SEEN_FROM_HERE:
        console.print(f"- {each}", highlight=False)


def written(reports: Iterable[Report]) -> str:
    told = {"urls": [_told(each) for each in reports], "not_seen_from_here": NOT_SEEN_FROM_HERE}
    return json.dumps(told, indent=2, ensure_ascii=False)


def _lines(found: Finding) -> list[Text]:
    lines = [Text(found.seen)]
    if found.advice:
        lines.append(Text(found.advice, "italic"))
    return lines


def _told(report: Report) -> dict[str, Any]:
    return {
        "url": report.url,
        "holds": report.holds,
        "model": report.model,
        "tokens": report.tokens,
        "checks": [row.told() for row in report.rows],
    }
