"""Reports of a run: tables for people, JSON for machines."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from infra.doctor.check import CheckResult
from infra.doctor.checklist import NOT_VISIBLE
from infra.doctor.findings import Finding, Verdict

STYLES: Mapping[Verdict, str] = {"ok": "green", "fails": "bold red", "skipped": "yellow"}
WIDTH = 80  # of a line of a command, unless one of its words is longer


@dataclass(frozen=True)
class Report:
    """The results for one base URL, or for the stack."""

    kind: Literal["url", "stack"]
    name: str
    results: list[CheckResult]
    model: str | None = None
    tokens: int = 0
    base_urls: tuple[str, ...] = ()  # of the stack, for checks from outside

    @property
    def holds(self) -> bool:
        """Whether no check fails."""
        return all(result.finding.verdict != "fails" for result in self.results)

    @property
    def counts(self) -> Mapping[str, int]:
        verdicts = [result.finding.verdict for result in self.results]
        return {verdict: verdicts.count(verdict) for verdict in STYLES}

    def to_json(self) -> dict[str, Any]:
        used = {"model": self.model, "tokens": self.tokens} if self.kind == "url" else {}
        checks = [result.to_json() for result in self.results]
        return {self.kind: self.name, "holds": self.holds, **used, "checks": checks}


def print_report(console: Console, report: Report) -> None:
    table = Table(title=Text(report.name, "bold"), title_justify="left", show_lines=False)
    table.add_column("")
    table.add_column("Expected", ratio=2)
    table.add_column("Observed, and what to do", ratio=3)
    for result in report.results:
        finding = result.finding
        verdict = Text(finding.verdict, STYLES[finding.verdict])
        table.add_row(verdict, Text(result.holds), Group(*_format_finding(finding)))
    console.print(table)
    counts = ", ".join(f"{number} {verdict}" for verdict, number in report.counts.items())
    used = f"; {report.tokens} tokens of {report.model} were used" if report.tokens else ""
    console.print(f"{counts}{used}.", highlight=False)
    _print_commands(console, report.results)


def print_not_visible(console: Console) -> None:
    console.print("\nNot visible to a client; check yourself:", highlight=False)
    for each in NOT_VISIBLE:
        console.print(f"- {each}", highlight=False)


def to_json(reports: Iterable[Report]) -> str:
    """Build the document; `stack` is null if no stack was checked."""
    found = [*reports]
    document = {
        "urls": [report.to_json() for report in found if report.kind == "url"],
        "stack": next((report.to_json() for report in found if report.kind == "stack"), None),
        "not_seen_from_here": NOT_VISIBLE,
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def wrap_command(command: str) -> list[str]:
    """Split a command into lines that a shell joins again."""
    lines = [""]
    for word in command.split(" "):
        joined = f"{lines[-1]} {word}".lstrip() if len(lines) == 1 else f"{lines[-1]} {word}"
        if lines[-1] and len(joined) > WIDTH - len(" \\"):
            lines.append(f"  {word}")
        else:
            lines[-1] = joined
    return [*(f"{line} \\" for line in lines[:-1]), lines[-1]]


def _print_commands(console: Console, results: Sequence[CheckResult]) -> None:
    """Print the commands below the table, where they can be copied."""
    for result in results:
        if result.finding.commands:
            console.print(Text(f"\n# To do, until this is true: {result.holds}"))
        for command in result.finding.commands:
            for line in wrap_command(command):
                # As Text: in a string, rich replaces the :secret: of an ARN by an emoji.
                console.print(Text(line), soft_wrap=True)


def _format_finding(finding: Finding) -> list[Text]:
    lines = [Text(finding.seen, overflow="fold")]
    if finding.advice:
        lines.append(Text(finding.advice, "italic", overflow="fold"))
    return lines
