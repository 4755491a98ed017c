"""A check as data, its result, and how checks run one after the other."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from infra.doctor.findings import Finding, skipped


@dataclass(frozen=True)
class Check[Subject]:
    """One check; it is skipped unless all checks named in `needs` are ok."""

    name: str  # stable: scripts read it from --json
    holds: str  # the statement that is true if the check is ok
    run: Callable[[Subject], Finding]
    needs: tuple[str, ...] = ()
    costs: bool = False  # tokens, or it creates something at the provider
    long: bool = False


@dataclass(frozen=True)
class CheckResult:
    name: str
    holds: str
    finding: Finding

    def to_json(self) -> dict[str, Any]:
        finding = self.finding
        return {
            "check": self.name,
            "holds": self.holds,
            "verdict": finding.verdict,
            "seen": finding.seen,
            "advice": finding.advice,
            "commands": [*finding.commands],
        }


def run_in_order[Subject](
    checks: Iterable[Check[Subject]],
    run: Callable[[Check[Subject]], Finding],
    on_start: Callable[[str], None],
) -> Iterator[CheckResult]:
    """Run the checks; `on_start` gets the statement of each before it runs."""
    titles: dict[str, str] = {}
    passed: set[str] = set()
    for check in checks:
        on_start(check.holds)
        titles[check.name] = check.holds
        missing = next((name for name in check.needs if name not in passed), None)
        if missing is None:
            finding = run(check)
        else:
            finding = skipped(f"because this is not true: {titles.get(missing, missing)}")
        if finding.verdict == "ok":
            passed.add(check.name)
        yield CheckResult(check.name, check.holds, finding)
