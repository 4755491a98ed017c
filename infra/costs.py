"""`python -m infra.costs`: what a million streams cost, with its arithmetic, as the README has it.

Unit prices are those of us-east-1, without free tiers, as copies of AWS's lists give them; what is
counted with them is what the code does, and tests hold the two together.
"""

from dataclasses import dataclass

import click

MEMORY = (128, 256, 512)  # MB of the API function
GB = 1024  # MB
MILLION = 1_000_000

# US dollars
GB_SECOND = 0.0000133334  # Lambda on arm64
INVOCATIONS = 0.20  # a million
WRITES, READS = 0.625, 0.125  # a million units, on demand
REST_CALLS = 3.50  # a million
LOGS = 0.50  # a GB taken in
TRACES = 5.00  # a million recorded
STORED, RESTORABLE = 0.25, 0.20  # a GB and month: of the table and its indexes; of its past
EGRESS = 0.09  # a GB

SECONDS = 10.0
DURATIONS = (1, 3, 10, 30)
OVERHEAD = 0.05  # seconds of ours that are billed beside a stream's own
STREAM_KB = 64  # 200 events
LOG_KB, REST_LOG_KB = 4.0, 0.5  # lines, figures and Lambda's own, of both functions; access log
# X-Ray takes the first request of each second and 5 % of the others: at 10 million a month, 30 %.
TRACED = 0.30
ROLLUP_RUNS, ROLLUP_SECONDS, ROLLUP_MB = 2, 0.1, 256  # where no two responses share a batch
# Of at most 4 KB: the key, where it is not remembered; the parent; and by rollup the link.
ROW_READS = 3


@dataclass(frozen=True)
class Write:
    """Rows of at most 1 KB, each in so many indexes as well."""

    what: str
    rows: int = 1
    indexes: int = 0
    transacted: bool = False

    @property
    def units(self) -> int:
        return self.rows * ((2 if self.transacted else 1) + self.indexes)

    @property
    def kept(self) -> int:
        """Rows that are stored, in the table and in its indexes."""
        return self.rows * (1 + self.indexes)


LINK = Write("its link", indexes=2)
ITEMS = Write("its two items", rows=2)
END = Write("its end", indexes=2)
MARK = Write("its mark as counted", transacted=True)
SUM = Write("the day's sum", indexes=1, transacted=True)
RESPONSE = (LINK, ITEMS, END, MARK, SUM)
LASTING = (LINK, ITEMS, MARK)  # of which each response has its own


@dataclass(frozen=True)
class Line:
    """One row of the table: US dollars for a million, by memory."""

    what: str
    how: str
    dollars: tuple[float, ...]

    def told(self) -> str:
        cells = [self.what, self.how, *(f"{each:.2f}" for each in self.dollars)]
        return f"| {' | '.join(cells)} |"


def units() -> int:
    return sum(write.units for write in RESPONSE)


def compute(seconds: float) -> tuple[float, ...]:
    """Of the API function, by memory."""
    return tuple((seconds + OVERHEAD) * mb / GB * GB_SECOND * MILLION for mb in MEMORY)


def lines() -> list[Line]:
    """What is paid at both doors."""
    gb_seconds = GB_SECOND * MILLION
    billed = f"{SECONDS + OVERHEAD:.2f} s x memory x ${gb_seconds:.4f} for a million GB-s"
    written = " + ".join(str(write.units) for write in RESPONSE)
    rollup = ROLLUP_SECONDS * ROLLUP_MB / GB * gb_seconds
    kept, rows = sum(w.kept for w in LASTING), sum(w.rows for w in LASTING)
    return [
        Line("Lambda, duration", billed, compute(SECONDS)),
        _same("Lambda, requests", f"${INVOCATIONS:.2f}", INVOCATIONS),
        _same("DynamoDB, writes", f"{written} = {units()} units x ${WRITES}", units() * WRITES),
        _same("DynamoDB, reads", f"{ROW_READS} units x ${READS}", ROW_READS * READS),
        _same(
            "rollup function",
            f"{ROLLUP_RUNS} x ${INVOCATIONS:.2f} + {ROLLUP_SECONDS} s x {ROLLUP_MB} MB",
            ROLLUP_RUNS * INVOCATIONS + rollup,
        ),
        _same("logs", f"{LOG_KB:g} KB x ${LOGS:.2f} a GB", LOG_KB * LOGS),
        _same("traces", f"{TRACED:.0%} x ${TRACES:.2f}", TRACED * TRACES),
        _same(
            "storage for 30 days",
            f"{kept} KB x ${STORED:.2f} a GB, {rows} KB x ${RESTORABLE:.2f} to restore from",
            kept * STORED + rows * RESTORABLE,
        ),
        _same("to the internet", f"{STREAM_KB} KB x ${EGRESS:.2f} a GB", STREAM_KB * EGRESS),
    ]


def rest() -> Line:
    """What the other door costs beside that."""
    how = f"${REST_CALLS:.2f} + {REST_LOG_KB} KB of its log"
    return _same("API Gateway", how, REST_CALLS + REST_LOG_KB * LOGS)


def table() -> str:
    every = lines()
    by_url = _sum("**by the Function URL**", *every)
    rows = [*every, by_url, rest(), _sum("**by the REST API**", by_url, rest())]
    heads = " | ".join(f"{mb} MB" for mb in MEMORY)
    head = f"| US dollars for a million streams of {SECONDS:g} s | how | {heads} |"
    rule = "|---|---|" + "--:|" * len(MEMORY)
    return "\n".join([head, rule, *(row.told() for row in rows)])


def by_duration(mb: int = 256) -> str:
    """What a million cost at the Function URL, by how long they take."""
    place = MEMORY.index(mb)
    beside = sum(line.dollars[place] for line in lines()) - compute(SECONDS)[place]
    totals = {seconds: compute(seconds)[place] + beside for seconds in DURATIONS}
    return ", ".join(f"{seconds} s ${total:.0f}" for seconds, total in totals.items())


def _same(what: str, how: str, dollars: float) -> Line:
    """Whatever the memory is."""
    return Line(what, how, (dollars,) * len(MEMORY))


def _sum(what: str, *parts: Line) -> Line:
    return Line(what, "", tuple(map(sum, zip(*(part.dollars for part in parts), strict=True))))


def said() -> str:
    """What the README has."""
    written = ", ".join(f"{write.units} for {write.what}" for write in RESPONSE)
    return (
        f"{table()}\n\n"
        f"Write units: {written};\n"
        "each index of a row is one more, a transaction doubles the row's.\n"
        f"At 256 MB by the Function URL, a million of {by_duration()}."
    )


@click.command()
def main() -> None:
    """Print what the README says of costs."""
    click.echo(said())


if __name__ == "__main__":
    main()
