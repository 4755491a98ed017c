"""Breaks the guards of the gateway one by one and shows that its tests notice each.

Every mutant is made in a copy of the project in a temporary directory; your files do not change.
A guard survives where all tests that are named for it pass without it: then they prove nothing.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from tests.mutants.guard import ROOT, Guard
from tests.mutants.guards import GUARDS

FAILED = re.compile(r"^FAILED ([^\s\[]+)", re.MULTILINE)
PASSED_CODE, FAILED_CODE = 0, 1  # pytest's exit codes
BASELINE_SECONDS = 1_800.0  # for all tests without a mutant
HEAD = """# Mutants: the guards that tests watch

`python -m tests.mutants` breaks each guard below in a copy of the project and runs the tests that are named for it.
Each must turn red; the last column is the first test that did. `--out docs/mutants.md` rewrites this page.

| guard | broken in | turned red |
|---|---|---|
"""


@dataclass(frozen=True)
class Verdict:
    """What the tests made of one mutant: the first test that failed, or why none did."""

    guard: Guard
    killer: str | None
    trouble: str = ""

    def row(self) -> str:
        return f"| {self.guard.name} | `{self.guard.path}` | `{self.killer or self.trouble}` |"


class Workshop:
    """A copy of the project whose tests import the copy's code."""

    def __init__(self, folder: Path, seconds: float) -> None:
        self._folder = folder
        self._seconds = seconds
        listed = subprocess.check_output(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607
            cwd=ROOT,
            text=True,
        )
        for name in listed.splitlines():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / name).is_file():
                shutil.copy2(ROOT / name, target)
        if (ROOT / "node_modules").exists():
            (folder / "node_modules").symlink_to(ROOT / "node_modules")
        paths = os.pathsep.join(map(str, (folder / "functions", folder)))
        self._env = {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
        found = self._run("-c", "import antiphon; print(antiphon.__file__)").stdout
        if str(folder) not in found:
            raise click.ClickException(f"The copy's tests would import {found.strip()}.")

    def judge(self, guard: Guard) -> Verdict:
        """Break one guard, run its tests, and mend it again."""
        source = self._folder / guard.path
        whole = source.read_text()
        source.write_text(guard.mutate(self._folder))
        try:
            return self._verdict(guard)
        finally:
            source.write_text(whole)

    def _verdict(self, guard: Guard) -> Verdict:
        try:
            done = self.test(guard.tests)
        except subprocess.TimeoutExpired:
            return Verdict(guard, None, f"not finished after {self._seconds:g} s")
        failed = FAILED.search(done.stdout)
        if done.returncode == FAILED_CODE and failed:
            return Verdict(guard, failed[1])
        is_green = done.returncode == PASSED_CODE
        return Verdict(guard, None, "SURVIVED" if is_green else f"pytest: {done.returncode}")

    def test(
        self, tests: Iterable[str], seconds: float | None = None
    ) -> subprocess.CompletedProcess[str]:
        paths = [f"tests/{test}" for test in tests]
        options = ["-q", "-x", "--tb=no", "-p", "no:randomly", "-p", "no:cacheprovider"]
        return self._run("-m", "pytest", *options, *paths, seconds=seconds or self._seconds)

    def _run(self, *arguments: str, seconds: float = 60.0) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self._folder,
            env=self._env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
            check=False,
        )


def check_baseline(workshop: Workshop, guards: Sequence[Guard]) -> None:
    """Without a mutant all named tests must pass, or a red one would prove nothing."""
    tests = sorted({test for guard in guards for test in guard.tests})
    click.echo(f"{len(tests)} files of tests without a mutant … ", nl=False)
    done = workshop.test(tests, BASELINE_SECONDS)
    if done.returncode != PASSED_CODE:
        raise click.ClickException(f"They must pass first:\n{done.stdout[-2_000:]}")
    click.echo("green")


def report(verdict: Verdict, number: int, total: int, seconds: float) -> None:
    click.echo(
        f"[{number:2}/{total}] {verdict.guard.name}: "
        f"{verdict.killer or verdict.trouble.upper()} ({seconds:.1f} s)"
    )


@click.command(help=__doc__)
@click.option("--only", metavar="TEXT", multiple=True, help="Guards whose name or file has it.")
@click.option("--list", "lists", is_flag=True, help="List the guards and end.")
@click.option("--seconds", default=300.0, show_default=True, help="For the tests of one guard.")
@click.option("--no-baseline", is_flag=True, help="Do not run the tests without a mutant first.")
@click.option("--out", type=click.Path(path_type=Path), help="Write the table as Markdown.")
def main(
    only: tuple[str, ...], seconds: float, out: Path | None, *, lists: bool, no_baseline: bool
) -> None:
    guards = [g for g in GUARDS if any(text in f"{g.name} {g.file}" for text in only or ("",))]
    for guard in guards:
        guard.mutate()  # all anchors are there, before hours are spent
    if lists:
        click.echo("\n".join(f"{guard.path}: {guard.name}" for guard in guards))
        return
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        workshop = Workshop(Path(folder), seconds)
        if not no_baseline:
            check_baseline(workshop, guards)
        verdicts = []
        for number, guard in enumerate(guards, 1):
            started = time.monotonic()
            verdicts.append(workshop.judge(guard))
            report(verdicts[-1], number, len(guards), time.monotonic() - started)
    if out is not None:
        out.write_text(HEAD + "\n".join(verdict.row() for verdict in verdicts) + "\n")
    survivors = [verdict for verdict in verdicts if verdict.killer is None]
    click.echo(f"{len(verdicts) - len(survivors)} of {len(verdicts)} mutants turned a test red")
    sys.exit(1 if survivors else 0)


if __name__ == "__main__":
    main()
