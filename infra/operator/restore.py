"""`antiphon restore`: copies the rows that are missing from a table that was restored."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from time import time
from typing import Any

import click
from botocore.exceptions import ClientError

from antiphon.settings.table import PARTITION_KEY, SORT_KEY, TTL
from infra.operator.aws_errors import error_code
from infra.operator.deployment import Deployment, with_deployment
from infra.operator.output import json_option, print_json, print_message, print_rows

PAGE_ROWS = 100  # as many as BatchGetItem reads
BATCH_ATTEMPTS = 5
ROWS_BETWEEN_LINES = 10_000  # of progress
LINK = "LINK"
IF_MISSING = f"attribute_not_exists({PARTITION_KEY})"
# By their sort key; antiphon.settings.table has the list of all keys.
KINDS = {
    "KEY": "API keys",
    "STATE": "circuits",
    LINK: "links",
    "COUNTED": "marks of counted links",
    "STORED": "marks of counted links",
    "ITEM": "items",
    "CLAIM": "idempotency keys",
    "LIMITS": "counters of limits",
}
COLUMNS = ("rows", "same", "different", "expired", "left out", "missing")

type Row = Mapping[str, Any]  # as DynamoDB has it: {"pk": {"S": "…"}, …}


@dataclass
class Counts:
    """What became of the rows, by their kind; a row is in one column."""

    rows: dict[str, dict[str, int]] = field(default_factory=dict)
    seen: int = 0

    def add(self, row: Row, column: str) -> None:
        counts = self.rows.setdefault(_kind(row), dict.fromkeys(COLUMNS[1:], 0))
        counts[column] += 1
        self.seen += 1
        if self.seen % ROWS_BETWEEN_LINES == 0:
            print_message(f"{self.seen} rows are compared.")

    @property
    def missing(self) -> int:
        return sum(each["missing"] for each in self.rows.values())


@dataclass(frozen=True)
class Comparison:
    """Reads the other table by Scan: it has no index of everything, and is ours for this only."""

    client: Any  # of DynamoDB
    source: str
    destination: str

    def compare(self, *, links: bool) -> Iterator[tuple[Row, str]]:
        """Yield each row, links or all others, with what the destination has of it."""
        condition = "#sk = :link" if links else "#sk <> :link"
        pages = self.client.get_paginator("scan").paginate(
            TableName=self.source,
            FilterExpression=condition,
            ExpressionAttributeNames={"#sk": SORT_KEY},
            ExpressionAttributeValues={":link": {"S": LINK}},
            ConsistentRead=True,
            PaginationConfig={"PageSize": PAGE_ROWS},
        )
        for page in pages:
            rows = page["Items"]
            present = {_key(row): row for row in self._read(rows)}
            yield from ((row, _compare(row, present.get(_key(row)))) for row in rows)

    def put(self, row: Row) -> bool:
        """Write a row unless there is one with its key; return whether it is written."""
        try:
            self.client.put_item(
                TableName=self.destination, Item=row, ConditionExpression=IF_MISSING
            )
        except ClientError as exc:
            if error_code(exc) != "ConditionalCheckFailedException":
                raise
            return False
        return True

    def _read(self, rows: Sequence[Row]) -> Iterator[Row]:
        keys = [{name: row[name] for name in (PARTITION_KEY, SORT_KEY)} for row in rows]
        for _ in range(BATCH_ATTEMPTS):
            if not keys:
                return
            request: Any = {self.destination: {"Keys": keys, "ConsistentRead": True}}
            response = self.client.batch_get_item(RequestItems=request)
            yield from response["Responses"].get(self.destination, ())
            keys = response.get("UnprocessedKeys", {}).get(self.destination, {}).get("Keys", [])
        if keys:
            raise click.ClickException("The table is too busy. Run the command again.")


@click.command()
@click.argument("from_table")
@click.option("--write", is_flag=True, help="Write the missing rows. Without it, count them only.")
@json_option
@with_deployment
def restore(deployment: Deployment, *, from_table: str, write: bool, as_json: bool) -> None:
    """Copy the rows that are missing from FROM_TABLE into the table of a stage.

    FROM_TABLE is in the same Region and account: a backup, or a point in time, that was restored
    under another name. Nothing is overwritten or deleted, so the command may be repeated after it
    was interrupted. Look at the counts without --write first: a row that was deleted on purpose
    after that point in time is missing, too. Counters of limits are left out: a key or tenant whose
    counters are missing begins with new ones.

    Usage is not counted twice: what marks a link as counted is written before the link. Only a
    response that had not ended at that point in time, and whose link is missing, is counted again.

    It reads FROM_TABLE twice with --write, and a row of yours for each of its rows.
    """
    client = deployment.connect("dynamodb")
    destination = deployment.table.name
    _check_source(client, from_table, destination)
    comparison, counts = Comparison(client, from_table, destination), Counts()
    for links in (False, True):
        for row, state in comparison.compare(links=links):
            is_taken = write and state == "missing" and not comparison.put(row)
            counts.add(row, "different" if is_taken else state)
    _print(counts, deployment.name, write=write, as_json=as_json)


def _check_source(client: Any, name: str, destination: str) -> None:
    if name == destination:
        raise click.UsageError(f"{name} is the table of this stage itself.")
    schema = client.describe_table(TableName=name)["Table"]["KeySchema"]
    if [each["AttributeName"] for each in schema] != [PARTITION_KEY, SORT_KEY]:
        raise click.UsageError(f"{name} is no table of Antiphon: its keys have other names.")


def _compare(row: Row, present: Row | None) -> str:
    if present is not None:
        return "same" if row == present else "different"
    if _is_of_limits(row):
        return "left out"
    expires = row.get(TTL)
    return "expired" if expires is not None and float(expires["N"]) <= time() else "missing"


def _is_of_limits(row: Row) -> bool:
    """Whether it has counters or reservations, which belong to requests of that time."""
    partition, _ = _key(row)
    return partition.split("#")[2:3] == ["L"]


def _print(counts: Counts, name: str, *, write: bool, as_json: bool) -> None:
    if as_json:
        print_json({"written": write, "rows": counts.rows})
        return
    print_rows(
        COLUMNS, ([kind, *map(str, each.values())] for kind, each in sorted(counts.rows.items()))
    )
    done = "are written to" if write else "would be written with --write to"
    print_message(f"{counts.missing} missing rows {done} {name}.")


def _key(row: Row) -> tuple[str, str]:
    return row[PARTITION_KEY]["S"], row[SORT_KEY]["S"]


def _kind(row: Row) -> str:
    partition, sort = _key(row)
    if _is_of_limits(row):  # also a reservation in a row of its own, whose sort key is its id
        return KINDS["LIMITS"]
    return KINDS.get(sort) or ("usage sums" if partition.endswith("#U") else "metadata index")
