"""Reports of a run: tables for people, JSON for machines."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from infra.doctor.checklist import NOT_VISIBLE, CheckResult
from infra.doctor.findings import Finding, Verdict

STYLES: Mapping[Verdict, str] = {"ok": "green", "fails": "bold red", "skipped": "yellow"}


@dataclass(frozen=True)
class Report:
    """The results for one base URL."""

    url: str
    results: list[CheckResult]
    model: str | None
    tokens: int

    @property
    def holds(self) -> bool:
        """Whether no check fails."""
        return all(result.finding.verdict != "fails" for result in self.results)

    @property
    def counts(self) -> Mapping[str, int]:
        verdicts = [result.finding.verdict for result in self.results]
        return {verdict: verdicts.count(verdict) for verdict in STYLES}

    def to_json(self) -> dict[str, Any]:
        return {
            "url": self.url,
            "holds": self.holds,
            "model": self.model,
            "tokens": self.tokens,
            "checks": [result.to_json() for result in self.results],
        }


def print_report(console: Console, report: Report) -> None:
    table = Table(title=Text(report.url, "bold"), title_justify="left", show_lines=False)
    table.add_column("")
    table.add_column("Expected", ratio=2)
    table.add_column("Observed, and what to do", ratio=3)
    for result in report.results:
        finding = result.finding
        verdict = Text(finding.verdict, STYLES[finding.verdict])
        table.add_row(verdict, Text(result.check.holds), Group(*_format_finding(finding)))
    console.print(table)
    counts = ", ".join(f"{number} {verdict}" for verdict, number in report.counts.items())
    used = f"; {report.tokens} tokens of {report.model} were used" if report.tokens else ""
    console.print(f"{counts}{used}.", highlight=False)


def print_not_visible(console: Console) -> None:
    console.print("\nNot visible to a client; check yourself:", highlight=False)
    for each in NOT_VISIBLE:
        console.print(f"- {each}", highlight=False)


def to_json(reports: Iterable[Report]) -> str:
    document = {
        "urls": [report.to_json() for report in reports],
        "not_seen_from_here": NOT_VISIBLE,
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _format_finding(finding: Finding) -> list[Text]:
    lines = [Text(finding.seen)]
    if finding.advice:
        lines.append(Text(finding.advice, "italic"))
    return lines
