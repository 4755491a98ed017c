"""`antiphon tail` and `top` on a stack that moto plays; on this machine: tests/operator."""

import json
import re
import time
from datetime import UTC, datetime

import pytest

from infra.reference.errors import error_examples
from infra.traffic.assembler import RequestAssembler
from infra.traffic.filters import RequestFilter
from infra.traffic.meanings import MEANINGS, explain
from infra.traffic.sources import LATE_SECONDS, CloudWatchLines
from infra.traffic.tail import Tail, find_costs
from tests.support.aws_clients import aws_client, aws_table
from tests.support.commands import (
    OPERATOR_ENVIRONMENT,
    log_group_of,
    operator_account,
    run_antiphon,
    run_for_json,
)
from tests.support.concurrency import ManualClock
from tests.traffic.lines import answered, ended, refused, started

GROUP = log_group_of("Antiphon-prod")
OTHER = {"tenant": "umbra", "key_id": "key_99887766", "model": "o3", "target": "azure-east"}


class WrittenLog:
    """The log group of the stack; CloudWatch has a log stream for each process."""

    def __init__(self):
        self.client = aws_client("logs")

    def create(self):
        self.client.create_log_group(logGroupName=GROUP)
        for stream in ("one", "two"):
            self.client.create_log_stream(logGroupName=GROUP, logStreamName=stream)

    def write(self, *lines, stream="one", ago=60.0):
        at = int((time.time() - ago) * 1000)
        events = [{"timestamp": at + n, "message": line} for n, line in enumerate(lines)]
        self.client.put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=events)


@pytest.fixture(scope="module")
def _account():
    """Once for all tests: it takes a second."""
    with operator_account():
        log = WrittenLog()
        log.client.delete_log_group(logGroupName=GROUP)
        yield log


@pytest.fixture
def log(_account):
    """An empty log group."""
    _account.create()
    yield _account
    _account.client.delete_log_group(logGroupName=GROUP)


def tail(*options, env=OPERATOR_ENVIRONMENT):
    done = run_antiphon("tail", "--no-follow", *options, env=env)
    assert done.code == 0, done.err
    return done.out.splitlines()


def tail_ids(*options):
    return [json.loads(line)["request_id"] for line in tail("--json", *options)]


def test_requests_of_all_log_streams_are_printed_in_the_order_of_their_end(log):
    log.write(answered("r0"), ago=7200)
    log.write(started("r1"), "[INFO] other", ended("r1"), ago=50)
    log.write(answered("r2"), stream="two", ago=55)
    assert tail_ids() == ["r2", "r1"]
    assert tail_ids("--since", "3h") == ["r0", "r2", "r1"]


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        ({"tenant": "acme"}, ["r1", "r3"]),
        ({"key": "key_9988"}, ["r2"]),
        ({"model": "gpt-*"}, ["r1", "r3"]),
        ({"target": "azure-east"}, ["r2"]),
        ({"status": ("4xx", "200")}, ["r1", "r2", "r3"]),
        ({"errors": True}, ["r2", "r3"]),
        ({"errors": True, "tenant": "umbra"}, ["r2"]),
    ],
)
def test_filters(wanted, ids):
    lines = [answered("r1"), started("r2", **OTHER), ended("r2", status="cut", **OTHER)]
    records = filter(None, map(RequestAssembler(needs_reply=False).add, [*lines, refused("r3")]))
    assert [each.request_id for each in records if RequestFilter(**wanted).matches(each)] == ids


def test_filters_are_options(log):
    log.write(answered("r1"), refused("r2"), refused("r3", tenant="umbra"))
    assert tail_ids("--status", "429", "--tenant", "acme", "--errors") == ["r2"]


def test_a_terminal_gets_lines_of_its_width_and_colours(log):
    log.write(answered("r1"), refused("r2"))
    terminal = {**OPERATOR_ENVIRONMENT, "FORCE_COLOR": "1", "COLUMNS": "80", "TERM": "xterm"}
    first, second = tail(env=terminal)
    assert "\x1b[32m200\x1b[0m acme/1a2b" in first
    assert "\x1b[33mrate_limit_exceeded: A rate" in second
    assert "\x1b" not in "".join(tail())


def test_a_refusal_has_its_code_and_what_that_means(log):
    log.write(refused("r1"))
    [line] = tail()
    assert line.endswith(f"rate_limit_exceeded: {MEANINGS['rate_limit_exceeded']}")


def test_each_code_of_the_gateway_has_a_meaning():
    """A new one needs its sentence in infra/traffic/meanings.py."""
    codes = {example.error["code"] for example in error_examples()} - {None}
    assert codes - MEANINGS.keys() == set()
    assert explain("context_length_exceeded", 400) == "context_length_exceeded"
    assert (explain(None, 404), explain(None, 599)) == ("Not Found", "")


def test_costs_are_those_of_the_configuration(log, tmp_path):
    config = tmp_path / "gateway.toml"
    target = "[targets.openai]\nprovider = 'openai'\nmodels = ['gpt-*']\n"
    config.write_text(f"{target}[prices.gpt-5-mini]\ninput = 1000\noutput = 0\n")
    log.write(answered("r1"))
    [line] = tail("--json", "--config", str(config))
    assert json.loads(line)["cost_usd"] == pytest.approx(1.234)


def test_without_a_valid_configuration_there_are_no_costs(tmp_path, capsys):
    config = tmp_path / "gateway.toml"
    config.write_text("[targets]\n")
    assert find_costs(config)("record") == find_costs(None)("record") == "record"
    assert "No costs are printed. gateway.toml" in capsys.readouterr().err


class Interrupted(Exception):
    """Ends a loop that would wait."""


def test_what_comes_later_is_printed_once_also_where_cloudwatch_shows_it_late(log):
    clock, records = ManualClock(), []
    clock.now = time.time()
    source = CloudWatchLines(log.client, GROUP, clock() - 600, clock)

    def wait(_):
        clock.advance(2)
        match len(records):
            case 1:
                log.write(answered("late"), stream="two", ago=LATE_SECONDS - 5)
            case 2:
                log.write(answered("next"), ago=0)
            case 3:
                raise Interrupted

    log.write(answered("first"), ago=1)
    with pytest.raises(Interrupted):
        Tail(RequestFilter(), find_costs(None), records.append).run(source, wait)
    assert [record.request_id for record in records] == ["first", "late", "next"]


def test_a_stack_without_its_log_group_and_a_wrong_status_are_explained(log):
    log.client.delete_log_group(logGroupName=GROUP)
    done = run_antiphon("tail", "--no-follow")
    assert (done.code, done.err) == (1, f"Error: There is no log group {GROUP}.\n")
    log.create()
    done = run_antiphon("tail", "--status", "6xx")
    assert (done.code, "'6xx' is neither a status such as 429 nor a class" in done.err) == (2, True)


def test_help_has_examples():
    assert "antiphon tail --since 1h --errors\n" in run_antiphon("tail", "--help").out
    assert "antiphon top --window 15m --interval 10\n" in run_antiphon("top", "--help").out


def test_top_prints_one_picture_where_there_is_no_terminal(log):
    key = run_for_json("keys", "create", "--tenant", "acme", "--rpm", "5")
    table = aws_table("table-of-prod")
    until = int((time.time() + 90) * 1000)
    table.put_item(
        Item={"pk": "G#CIRCUITS", "sk": "STATE", "until_azure_east": until, "until_openai": 5}
    )
    mine = {"key_id": key["id"]}
    log.write(*(answered(f"r{n}", **now(), **mine) for n in range(10)), refused("r10", **now()))
    log.write(
        started("r11", **now(), **mine),
        answered("old", timestamp="2026-01-02T00:00:00+00:00", **mine),
    )
    done = run_antiphon("top")
    assert (done.code, done.err) == (0, "")
    for text in (
        "Antiphon-prod, the last 5 min, ",
        "requests     2.2 a minute\n",
        "errors       9.1%: rate_limit_exceeded 1\n",
        "streams      1 in flight\n",
        "circuits     open: azure-east for ",
    ):
        assert text in done.out
    assert "openai for" not in done.out
    assert re.search(rf"{key['id']} +acme +10 +0 +16k .* rpm 0% of 5\n", done.out)


def now():
    return {"timestamp": datetime.now(UTC).isoformat()}
