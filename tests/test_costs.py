"""What the README says of costs is what is printed, and what is counted there is what is done."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from antiphon.settings.table import INDEXES
from infra import costs
from tests.support.aws import count_aws_calls
from tests.support.events import make_event, make_response, new_id
from tests.support.function import make_create_event, run_function
from tests.support.provider import encode_stream

README = Path(__file__).parents[1] / "README.md"


def test_the_readme_has_what_is_printed():
    printed = CliRunner().invoke(costs.main).stdout
    assert printed == costs.said() + "\n"
    assert printed in README.read_text("utf-8")


def test_its_sums_are_sums():
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in costs.table().split("\n")]
    dollars = {name: [float(cell) for cell in cells] for name, _, *cells in rows[2:]}
    for place in range(len(costs.MEMORY)):
        column = {name: numbers[place] for name, numbers in dollars.items()}
        by_url, by_rest = (
            column.pop(f"**by the {door}**") for door in ("Function URL", "REST API")
        )
        gateway = column.pop("API Gateway")
        assert by_url == pytest.approx(sum(column.values()), abs=0.05)
        assert by_rest == pytest.approx(by_url + gateway, abs=0.01)


def test_ten_seconds_cost_by_memory():
    """10.05 s x 0.25 GB x $13.3334 for a million GB-s."""
    assert costs.compute(10)[costs.MEMORY.index(256)] == pytest.approx(33.50, abs=0.01)
    assert [each / costs.compute(10)[0] for each in costs.compute(10)] == pytest.approx([1, 2, 4])


# As many figures as OpenAI tells.
USAGE = {
    "input_tokens": 10_000,
    "input_tokens_details": {"cached_tokens": 8_000, "cache_write_tokens": 0},
    "output_tokens": 5_000,
    "output_tokens_details": {"reasoning_tokens": 2_000},
    "total_tokens": 15_000,
}


def told(id, status, **more):
    tier = {"model": "gpt-5-mini-2025-08-07", "service_tier": "default"}
    return make_response(id, status, **tier, **more)


@pytest.fixture(scope="module")
def calls_and_rows(gateway, _provider, tmp_path_factory):
    """What one more streamed response makes the API function ask of AWS, and which rows are left."""
    folder = tmp_path_factory.mktemp("costs")
    target = {"provider": "openai", "base_url": f"{_provider.address}/v1", "models": ["gpt-*"]}
    config = folder / "config.json"
    config.write_text(json.dumps({"targets": {"openai": target}}))
    with (
        count_aws_calls(gateway.aws_endpoint) as (endpoint, calls),
        run_function(endpoint, config, folder / "log") as function,
    ):
        parent, _ = stream(function, _provider, None)
        calls.clear()
        made = stream(function, _provider, parent)
        yield list(calls), Rows(gateway, *made)


def stream(function, provider, parent):
    """A response with two items, as long as ids and names get; the ids of all three."""
    id, items = new_id(), [new_id("rs"), new_id("msg")]
    output = [{"type": "message", "id": item} for item in items]
    completed = told(id, "completed", output=output, usage=USAGE)
    provider.respond_with(
        encode_stream(
            make_event("response.created", 0, response=told(id, "in_progress")),
            make_event("response.completed", 1, response=completed),
        )
    )
    ask = {"model": "gpt-5-mini", "input": "x", "stream": True, "previous_response_id": parent}
    assert function(make_create_event(ask)).status == 200
    return id, items


class Rows:
    """What is left of a response in the table, once it has been counted."""

    def __init__(self, gateway, id, items):
        self.link = self._found(gateway, f"T#acme#R#{id}", "LINK")
        self.items = [self._found(gateway, f"T#acme#X#{item}", "ITEM") for item in items]
        self.mark = self._found(gateway, f"T#acme#R#{id}", "COUNTED")
        self.sum = next(row for row in self._sums(gateway) if row["model"] == "gpt-5-mini")

    @staticmethod
    def _found(gateway, partition, sort):
        while True:  # the rollup comes some time; the test's own limit ends a vain wait
            row = gateway.row(partition, sort)
            if row is not None:
                return row

    @staticmethod
    def _sums(gateway):
        asked = {":pk": "T#acme#U"}
        found = gateway._table().query(
            KeyConditionExpression="pk = :pk", ExpressionAttributeValues=asked
        )
        return found["Items"]


def indexes(row):
    return sum(partition in row for partition, _ in INDEXES.values())


def size(value):
    """As DynamoDB counts it, and rather more."""
    if isinstance(value, dict):
        return 3 + sum(1 + len(name) + size(each) for name, each in value.items())
    return len(str(value).encode()) if value is not None else 1


def test_a_stream_takes_the_writes_that_are_counted(calls_and_rows):
    calls, _ = calls_and_rows
    assert calls == ["GetItem", "PutItem", "BatchWriteItem", "UpdateItem"]  # its parent first


def test_its_rows_are_as_many_as_are_counted_in_as_many_indexes(calls_and_rows):
    _, rows = calls_and_rows
    assert indexes(rows.link) == costs.LINK.indexes == costs.END.indexes
    assert (len(rows.items), indexes(rows.items[0])) == (costs.ITEMS.rows, costs.ITEMS.indexes)
    assert indexes(rows.mark) == costs.MARK.indexes
    assert indexes(rows.sum) == costs.SUM.indexes


def test_none_of_them_is_larger_than_a_unit(calls_and_rows):
    _, rows = calls_and_rows
    for row in (rows.link, *rows.items, rows.mark, rows.sum):
        assert size(row) <= 1024
