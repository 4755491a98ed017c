"""`python -m infra.costs`: what a million streams cost, with the calculation; docs/costs.md has it.

Prices are those of us-east-1, without free tiers, from AWS's public price lists. The quantities
are what the code does; tests compare the two.
"""

from dataclasses import dataclass

import click

MEMORY_SIZES = (128, 256, 512)  # MB of the API function
MB_PER_GB = 1024
MILLION = 1_000_000

# Prices in US dollars.
GB_SECOND = 0.0000133334  # Lambda on arm64
INVOCATIONS = 0.20  # a million
WRITES, READS = 0.625, 0.125  # a million request units, on demand
QUEUE_CALLS = 0.40  # a million
REST_CALLS = 3.50  # a million
LOGS = 0.50  # a GB ingested
TRACES = 5.00  # a million recorded
STORAGE, BACKUP = 0.25, 0.20  # a GB and month: table and indexes; point-in-time recovery
EGRESS = 0.09  # a GB
# A month.
SECRET = 0.40
METRIC = 0.30
KMS_KEY, KMS_CALLS = 1.00, 3.00  # a key; a million requests
WEB_ACL, WEB_ACL_RULE, INSPECTIONS = 5.00, 1.00, 0.60  # the last for a million requests

STREAM_SECONDS = 10.0
DURATIONS = (1, 3, 10, 30)  # seconds
OVERHEAD_SECONDS = 0.05  # the gateway's own time in each invocation
STREAM_KB = 64  # 200 events
# Of both functions, with metrics and Lambda's own lines; of the access log.
LOG_KB, ACCESS_LOG_KB = 4.6, 0.5
# X-Ray records the first request of each second and 5 % of the others: at 10 million a month, 30 %.
TRACED_SHARE = 0.30
# The worst case: every response has a batch of its own.
ROLLUP_RUNS, ROLLUP_SECONDS, ROLLUP_MB = 2, 0.1, 256
# The worst case: no two messages are received together.
MESSAGE_CALLS, SETTLE_SECONDS, SETTLE_MB = 3, 0.05, 512
# Rows of at most 4 KB: the key, unless it is cached; the parent; the link, by rollup.
READ_UNITS = 3
# Of rollup, when a link expires: DynamoDB removes rows without a charge, and tells of each link.
EXPIRY_READS = 3
# API Gateway's detailed metrics (count, two latencies, 4xx, 5xx) of each method in the template.
METHODS, METRICS_PER_METHOD = 2, 5
FIREWALL_RULES = 2


@dataclass(frozen=True)
class Write:
    """Writes of rows of at most 1 KB; each index that contains the row is one more write."""

    label: str
    rows: int = 1
    indexes: int = 0
    transactional: bool = False  # doubles the row's own write, not that of its indexes

    @property
    def units(self) -> int:
        return self.rows * ((2 if self.transactional else 1) + self.indexes)

    @property
    def stored_rows(self) -> int:
        """How many rows are stored, in the table and its indexes."""
        return self.rows * (1 + self.indexes)


LINK = Write("its link", indexes=2)
ITEMS = Write("its two items", rows=2)
END = Write("its end", indexes=2)
MARK = Write("its mark as counted", transactional=True)
SUM = Write("the day's sum", indexes=1, transactional=True)
WRITES_PER_RESPONSE = (LINK, ITEMS, END, MARK, SUM)
NEW_ROWS = (LINK, ITEMS, MARK)  # the others change existing rows


@dataclass(frozen=True)
class Line:
    """One row of the table: US dollars for a million streams, by memory size."""

    label: str
    calculation: str
    dollars: tuple[float, ...]

    def to_markdown(self) -> str:
        cells = [self.label, self.calculation, *(f"{amount:.2f}" for amount in self.dollars)]
        return f"| {' | '.join(cells)} |"


def write_units() -> int:
    return sum(write.units for write in WRITES_PER_RESPONSE)


def compute_cost(seconds: float) -> tuple[float, ...]:
    """Return what the duration of the API function costs, by memory size."""
    gb_seconds = ((seconds + OVERHEAD_SECONDS) * mb / MB_PER_GB for mb in MEMORY_SIZES)
    return tuple(each * GB_SECOND * MILLION for each in gb_seconds)


def list_lines() -> list[Line]:
    """List the costs that both endpoints have."""
    functions = [_rollup_line(), _settle_line(), _expiry_line()]
    return [*_lambda_lines(), *_dynamodb_lines(), *functions, *_other_lines()]


def rest_line() -> Line:
    """Return the additional cost of the REST API."""
    calculation = f"${REST_CALLS:.2f} + {ACCESS_LOG_KB} KB of its log"
    return _uniform("API Gateway", calculation, REST_CALLS + ACCESS_LOG_KB * LOGS)


def build_table() -> str:
    lines = list_lines()
    by_url = _sum("**by the Function URL**", *lines)
    rows = [*lines, by_url, rest_line(), _sum("**by the REST API**", by_url, rest_line())]
    sizes = " | ".join(f"{mb} MB" for mb in MEMORY_SIZES)
    header = f"| US dollars for a million streams of {STREAM_SECONDS:g} s | how | {sizes} |"
    rule = "|---|---|" + "--:|" * len(MEMORY_SIZES)
    return "\n".join([header, rule, *(row.to_markdown() for row in rows)])


def format_durations(mb: int = 256) -> str:
    """State what a million streams cost at the Function URL, by their duration."""
    column = MEMORY_SIZES.index(mb)
    total = sum(line.dollars[column] for line in list_lines())
    other = total - compute_cost(STREAM_SECONDS)[column]
    totals = {seconds: compute_cost(seconds)[column] + other for seconds in DURATIONS}
    return ", ".join(f"{seconds} s ${dollars:.0f}" for seconds, dollars in totals.items())


def build_monthly_table() -> str:
    """State what costs the same in each month, however few the calls are."""
    metrics, rules = METHODS * METRICS_PER_METHOD, f"{FIREWALL_RULES} rules x ${WEB_ACL_RULE:.2f}"
    rows = [
        ("each target's secret", "", SECRET),
        (
            "REST API: detailed metrics, by the hours in which it is called",
            f"{METHODS} methods x {METRICS_PER_METHOD} x ${METRIC:.2f}",
            metrics * METRIC,
        ),
        (
            "`antiphon:customer_managed_key`",
            f"the key; ${KMS_CALLS:.2f} a million calls of KMS",
            KMS_KEY,
        ),
        (
            "`antiphon:firewall`",
            f"${WEB_ACL:.2f} + {rules}; ${INSPECTIONS:.2f} a million calls",
            WEB_ACL + FIREWALL_RULES * WEB_ACL_RULE,
        ),
    ]
    body = [f"| {label} | {how} | {dollars:.2f} |" for label, how, dollars in rows]
    return "\n".join(["| US dollars a month | how | |", "|---|---|--:|", *body])


def build_report() -> str:
    """Return the text that docs/costs.md contains."""
    units = ", ".join(f"{write.units} for {write.label}" for write in WRITES_PER_RESPONSE)
    return (
        f"{build_table()}\n\n"
        f"Write units: {units};\n"
        "each index of a row is one more, a transaction doubles the row's.\n"
        f"At 256 MB by the Function URL, a million of {format_durations()}.\n\n"
        f"{build_monthly_table()}"
    )


def _lambda_lines() -> list[Line]:
    seconds, price = STREAM_SECONDS + OVERHEAD_SECONDS, GB_SECOND * MILLION
    calculation = f"{seconds:.2f} s x memory x ${price:.4f} for a million GB-s"
    return [
        Line("Lambda, duration", calculation, compute_cost(STREAM_SECONDS)),
        _uniform("Lambda, requests", f"${INVOCATIONS:.2f}", INVOCATIONS),
    ]


def _dynamodb_lines() -> list[Line]:
    writes = " + ".join(str(write.units) for write in WRITES_PER_RESPONSE)
    return [
        _uniform(
            "DynamoDB, writes",
            f"{writes} = {write_units()} units x ${WRITES}",
            write_units() * WRITES,
        ),
        _uniform("DynamoDB, reads", f"{READ_UNITS} units x ${READS}", READ_UNITS * READS),
    ]


def _rollup_line() -> Line:
    duration = ROLLUP_SECONDS * ROLLUP_MB / MB_PER_GB * GB_SECOND * MILLION
    return _uniform(
        "rollup function",
        f"{ROLLUP_RUNS} x ${INVOCATIONS:.2f} + {ROLLUP_SECONDS} s x {ROLLUP_MB} MB",
        ROLLUP_RUNS * INVOCATIONS + duration,
    )


def _settle_line() -> Line:
    """Return the cost of one look at each stream after its function's time limit."""
    duration = SETTLE_SECONDS * SETTLE_MB / MB_PER_GB * GB_SECOND * MILLION
    return _uniform(
        "settle function",
        f"{MESSAGE_CALLS} x ${QUEUE_CALLS:.2f} + ${INVOCATIONS:.2f} + {SETTLE_SECONDS} s x "
        f"{SETTLE_MB} MB + 1 unit x ${READS}",
        MESSAGE_CALLS * QUEUE_CALLS + INVOCATIONS + duration + READS,
    )


def _expiry_line() -> Line:
    """Return what rollup costs when the links expire, which costs nothing itself."""
    duration = ROLLUP_SECONDS * ROLLUP_MB / MB_PER_GB * GB_SECOND * MILLION
    run = f"${INVOCATIONS:.2f} + {ROLLUP_SECONDS} s x {ROLLUP_MB} MB"
    return _uniform(
        "expiry",
        f"{run} + {EXPIRY_READS} units x ${READS}",
        INVOCATIONS + duration + EXPIRY_READS * READS,
    )


def _other_lines() -> list[Line]:
    stored, rows = sum(w.stored_rows for w in NEW_ROWS), sum(w.rows for w in NEW_ROWS)
    return [
        _uniform("logs", f"{LOG_KB:g} KB x ${LOGS:.2f} a GB", LOG_KB * LOGS),
        _uniform("traces", f"{TRACED_SHARE:.0%} x ${TRACES:.2f}", TRACED_SHARE * TRACES),
        _uniform(
            "storage for 30 days",
            f"{stored} KB x ${STORAGE:.2f} a GB, {rows} KB x ${BACKUP:.2f} to restore from",
            stored * STORAGE + rows * BACKUP,
        ),
        _uniform("to the internet", f"{STREAM_KB} KB x ${EGRESS:.2f} a GB", STREAM_KB * EGRESS),
    ]


def _uniform(label: str, calculation: str, dollars: float) -> Line:
    """Return a line whose cost does not depend on the memory size."""
    return Line(label, calculation, (dollars,) * len(MEMORY_SIZES))


def _sum(label: str, *parts: Line) -> Line:
    columns = zip(*(part.dollars for part in parts), strict=True)
    return Line(label, "", tuple(map(sum, columns)))


@click.command()
def main() -> None:
    """Print the tables of costs that docs/costs.md contains."""
    click.echo(build_report())


if __name__ == "__main__":
    main()
