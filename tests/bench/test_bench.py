"""A benchmark as small as may be, for real: its figures are not judged, but that they are there."""

import asyncio
import io
import json

import pytest
from click.testing import CliRunner
from rich.console import Console

from infra.local.processes import Processes
from tests.bench import measurements
from tests.bench.__main__ import main
from tests.bench.answer import Answer
from tests.bench.bars import Bar, bars
from tests.bench.contestants import Broken
from tests.bench.function import WithoutTable
from tests.bench.ledger import STEPS, Ledger
from tests.bench.machine import machine
from tests.bench.measurements import BenchOptions
from tests.bench.measures.crowd import Crowd
from tests.bench.report import show
from tests.bench.request import WHOLE
from tests.bench.rig import BARE, DIRECT, FLOOR, MOTO, NAIVE, OURS, WITHOUT_TABLE, player
from tests.bench.scale import Scale
from tests.bench.spread import spread
from tests.bench.steps import measure
from tests.support.concurrency import IS_SOAK

TINY = Scale(
    seconds=5,
    rounds=1,
    calls=3,
    streams=1,
    starts=1,
    plans=5,
    deltas=20,
    pace_ms=2,
    growth_calls=2,
    growth_links=(0, 30),
    growth_turns=(3, 6),
    growth_targets=(1, 4),
    growth_limited=(1, 40),
    growth_streams=(1, 2) if IS_SOAK else (),  # they need an `antiphon local` of their own
)
MEASURED = ("planning", "latency", "paced")


@pytest.fixture(scope="module")
def progress():
    return []


@pytest.fixture(scope="module")
def found(progress):
    return asyncio.run(
        measurements.run(
            BenchOptions(MEASURED, TINY, from_source=True, growth=True), progress.append
        )
    )


def test_every_contestant_has_its_latencies(found):
    for kind in ("not_streamed", "first_event"):
        rows = found["latency"][kind]
        assert set(rows) == {DIRECT, FLOOR, NAIVE, OURS, WITHOUT_TABLE, MOTO}
        for row in rows.values():
            assert row["ms"]["n"] == TINY.rounds * TINY.calls
            assert 0 < row["ms"]["p50"] <= row["ms"]["p90"] <= row["ms"]["p99"]
            assert row["cpu_ms"] is None or row["cpu_ms"] > 0  # only Linux has it
        assert rows[DIRECT]["added_ms"] == {"p50": 0, "p90": 0, "p99": 0}


async def test_the_time_of_the_links_write_is_subtracted_and_must_be_reported():
    pieces = [(150, b"{}")]
    answers = iter([Answer(100, 200, pieces, 160, in_aws=30), Answer(100, 200, pieces, 160)])

    class Function:
        pid = None

        async def ask(self, _):
            return next(answers)

    without = WithoutTable(Function())
    answer = await without.ask(WHOLE)
    assert (answer.first_ms, answer.total_ms) == (20 / 1e6, 30 / 1e6)
    with pytest.raises(Broken):
        await without.ask(WHOLE)


def test_every_paced_event_is_seen_by_itself_or_counted_as_merged(found):
    rows = found["paced"]
    assert set(rows) == {DIRECT, FLOOR, BARE, NAIVE, OURS}
    for row in rows.values():
        assert row["lag_ms"]["n"] == TINY.streams * TINY.deltas
        assert row["lag_ms"]["p50"] > 0
        assert 0 <= row["merged"] < TINY.deltas


async def test_more_streams_at_once_arrive_whole(found):
    async with Processes() as processes, player(processes, "provider") as provider:
        alone = await Crowd(2).stream(provider.address)
    points = [alone, *found["crowds"]]
    numbers = [(point["streams"], point["failed"]) for point in points]
    assert numbers == [(2, 0), *((number, 0) for number in TINY.growth_streams)]
    assert all(0 < point["lag_ms"]["p50"] <= point["lag_ms"]["p99"] for point in points)


def test_more_links_turns_targets_and_limited_requests_make_no_more_calls_to_aws(found):
    growth = found["growth"]
    numbers = {name: [point["number"] for point in points] for name, points in growth.items()}
    assert numbers == {"links": [0, 30], "turns": [3, 6], "targets": [1, 4], "limited": [1, 40]}
    for points in growth.values():
        assert all(point["aws_calls"] > 0 and point["ms"] > 0 for point in points)
    judged = [bar for bar in bars({"growth": growth}) if bar.what.startswith("AWS")]
    assert len(judged) == 8
    assert all(bar.holds for bar in judged), judged


def test_planning_has_its_figures(found):
    assert found["planning"]["targets"] == 20
    assert all(figure > 0 for figure in found["planning"].values())


@pytest.mark.usefixtures("found")
def test_a_long_run_reports_its_progress(progress):
    assert f"latency: not_streamed: round 1 of {TINY.rounds}" in progress


def test_tables_and_document_have_the_same_content(found):
    judged = bars(found)
    page, here = io.StringIO(), machine()
    show(Console(file=page, width=120), {"machine": here, "results": found}, judged)
    for name in (DIRECT, FLOOR, BARE, NAIVE, OURS, WITHOUT_TABLE, MOTO):
        assert f" {name} " in page.getvalue()
    documents = json.loads(json.dumps([bar.document() for bar in judged]))
    assert {bar["holds"] for bar in documents} <= {True, False, None}
    assert all(bar["what"] in page.getvalue() for bar in documents)


@pytest.mark.parametrize(
    ("bar", "holds"),
    [
        (Bar("most", 1.0, 1.0, "ms"), True),
        (Bar("most", 1.1, 1.0, "ms"), False),
        (Bar("least", 199, 200, "", least=True), False),
        (Bar("least", 200, 200, "", least=True), True),
        (Bar("unknown", None, 1.0, "ms"), None),
    ],
)
def test_a_bar_holds_or_does_not_or_was_not_measured(bar, holds):
    assert bar.holds is holds


def test_a_step_has_the_time_between_the_steps_that_it_calls():
    ledger = Ledger(iter([0, 10, 13, 20]).__next__)
    inner = ledger.around("inner", lambda: "found")
    assert ledger.around("outer", inner)() == "found"
    assert ledger.calls == [{"outer": 17, "inner": 3}]


async def test_every_step_of_a_create_is_watched():
    spent = await measure(WHOLE, 3)
    assert spent.keys() == {step for step, _ in STEPS}


def test_a_spread_of_one_value_is_that_value():
    assert spread([7.0]) == {"p50": 7.0, "p90": 7.0, "p99": 7.0, "n": 1}


def test_a_missing_folder_is_reported_before_the_run(tmp_path):
    done = CliRunner().invoke(main, ["--json", str(tmp_path / "none" / "figures.json")])
    assert done.exit_code == 2
    assert "There is no folder" in done.output
