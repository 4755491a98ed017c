"""docs/costs.md contains the report, and its quantities are those of the code."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from antiphon.settings.table import INDEXES
from infra import cost_model, costs
from tests.faults.aws_proxy import run_aws_proxy
from tests.support.events import make_event, make_response, new_id
from tests.support.function import make_create_event, run_function
from tests.support.provider import encode_stream

PAGE = Path(__file__).parents[1] / "docs" / "costs.md"


def test_the_page_contains_the_report():
    printed = CliRunner().invoke(costs.main).stdout
    assert printed == costs.build_report() + "\n"
    assert printed in PAGE.read_text("utf-8")


def test_totals_are_sums_of_their_rows():
    rows = [
        [cell.strip() for cell in row.split("|")[1:-1]] for row in costs.build_table().split("\n")
    ]
    dollars = {name: [float(cell) for cell in cells] for name, _, *cells in rows[2:]}
    for place in range(len(costs.MEMORY_SIZES)):
        column = {name: numbers[place] for name, numbers in dollars.items()}
        by_url, by_rest = (
            column.pop(f"**by the {name}**") for name in ("Function URL", "REST API")
        )
        gateway = column.pop("API Gateway")
        assert by_url == pytest.approx(sum(column.values()), abs=0.05)
        assert by_rest == pytest.approx(by_url + gateway, abs=0.01)


def test_compute_cost_is_proportional_to_memory():
    """10.05 s x 0.25 GB x $13.3334 for a million GB-s."""
    assert costs.compute_cost(10)[costs.MEMORY_SIZES.index(256)] == pytest.approx(33.50, abs=0.01)
    assert [each / costs.compute_cost(10)[0] for each in costs.compute_cost(10)] == pytest.approx(
        [1, 2, 4]
    )


# All counts that OpenAI reports.
USAGE = {
    "input_tokens": 10_000,
    "input_tokens_details": {"cached_tokens": 8_000, "cache_write_tokens": 0},
    "output_tokens": 5_000,
    "output_tokens_details": {"reasoning_tokens": 2_000},
    "total_tokens": 15_000,
}


def build_response(id, status, **more):
    tier = {"model": "gpt-5-mini-2025-08-07", "service_tier": "default"}
    return make_response(id, status, **tier, **more)


@pytest.fixture(scope="module")
def calls_and_rows(gateway, _provider, tmp_path_factory):
    """Yield the AWS calls of one more streamed response, and the rows that it leaves."""
    folder = tmp_path_factory.mktemp("costs")
    target = {"provider": "openai", "base_url": f"{_provider.address}/v1", "models": ["gpt-*"]}
    config = folder / "config.json"
    config.write_text(json.dumps({"targets": {"openai": target}}))
    with (
        run_aws_proxy(gateway.aws_endpoint) as proxy,
        run_function(proxy.address, config, folder / "log") as function,
    ):
        parent, _ = stream(function, _provider, None)
        proxy.calls.clear()
        made = stream(function, _provider, parent)
        yield list(proxy.calls), Rows(gateway, *made)


def stream(function, provider, parent):
    """Create a response with two items, with ids of maximum length; return all ids."""
    id, items = new_id(), [new_id("rs"), new_id("msg")]
    output = [{"type": "message", "id": item} for item in items]
    completed = build_response(id, "completed", output=output, usage=USAGE)
    provider.respond_with(
        encode_stream(
            make_event("response.created", 0, response=build_response(id, "in_progress")),
            make_event("response.completed", 1, response=completed),
        )
    )
    body = {"model": "gpt-5-mini", "input": "x", "stream": True, "previous_response_id": parent}
    assert function(make_create_event(body)).status == 200
    return id, items


class Rows:
    """The rows of a response after the rollup has counted it."""

    def __init__(self, gateway, id, items):
        self.link = self._wait_for_row(gateway, f"T#acme#R#{id}", "LINK")
        self.items = [self._wait_for_row(gateway, f"T#acme#X#{item}", "ITEM") for item in items]
        self.mark = self._wait_for_row(gateway, f"T#acme#R#{id}", "COUNTED")
        self.sum = next(row for row in self._query_sums(gateway) if row["model"] == "gpt-5-mini")

    @staticmethod
    def _wait_for_row(gateway, partition, sort):
        while True:  # until the rollup has run; the test's timeout ends the loop
            row = gateway.row(partition, sort)
            if row is not None:
                return row

    @staticmethod
    def _query_sums(gateway):
        values = {":pk": "T#acme#U"}
        found = gateway._table().query(
            KeyConditionExpression="pk = :pk", ExpressionAttributeValues=values
        )
        return found["Items"]


def indexes(row):
    return sum(partition in row for partition, _ in INDEXES.values())


def size(value):
    """Return at least the size that DynamoDB counts."""
    if isinstance(value, dict):
        return 3 + sum(1 + len(name) + size(each) for name, each in value.items())
    return len(str(value).encode()) if value is not None else 1


def test_a_stream_makes_the_calls_that_are_counted(calls_and_rows):
    calls, _ = calls_and_rows
    assert calls == [
        "GetItem",
        "PutItem",
        "BatchWriteItem",
        "UpdateItem",
    ]  # GetItem reads the parent


def test_rows_and_indexes_match_the_calculation(calls_and_rows):
    _, rows = calls_and_rows
    assert indexes(rows.link) == cost_model.LINK.indexes == cost_model.END.indexes
    assert (len(rows.items), indexes(rows.items[0])) == (
        cost_model.ITEMS.rows,
        cost_model.ITEMS.indexes,
    )
    assert indexes(rows.mark) == cost_model.MARK.indexes
    assert indexes(rows.sum) == cost_model.SUM.indexes


def test_no_row_is_larger_than_a_write_unit(calls_and_rows):
    _, rows = calls_and_rows
    for row in (rows.link, *rows.items, rows.mark, rows.sum):
        assert size(row) <= 1024
