"""Prints failing tests as they fail, and in long runs a running count, readable in a CI log."""

import time
from collections.abc import Generator

import pytest

STEPS = 20  # lines with a count: one for each 5 percent
MANY = 500  # tests; shorter runs need no count


class ProgressReporter:
    """Belongs to the process that reports: with xdist the controller, which gets all reports."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._terminal = config.pluginmanager.getplugin("terminalreporter")
        # Dots of parallel runs have no order; in a log the count replaces them.
        is_parallel = config.getoption("dist", "no") != "no"
        self._has_dots = not is_parallel or self._terminal.isatty
        if not self._has_dots:
            self._terminal._show_progress_info = False
        self._begun = time.monotonic()
        self._finished = self._shown_steps = 0
        self._failed: set[str] = set()

    @pytest.hookimpl(wrapper=True)
    def pytest_report_teststatus(self) -> Generator[None, tuple[str, ...], tuple[str, ...]]:
        category, letter, word = yield
        return category, letter if self._has_dots else "", word

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and self._config.get_verbosity() <= 0:
            phase = "" if report.when == "call" else f" ({report.when})"
            self._failed.add(report.nodeid)
            self._write(f"FAILED {report.nodeid}{phase}")

    def pytest_runtest_logfinish(self) -> None:
        self._finished += 1
        total = self._terminal._session.testscollected
        steps = self._finished * STEPS // total if total >= MANY else 0
        if steps > self._shown_steps and not self._has_dots:
            self._shown_steps = steps
            seconds = time.monotonic() - self._begun
            self._write(
                f"{self._finished}/{total} finished, {len(self._failed)} failed, {seconds:.0f} s"
            )

    def _write(self, line: str) -> None:
        if self._terminal._tw.width_of_current_line:
            self._terminal._tw.line()
        self._terminal.write_line(line)
