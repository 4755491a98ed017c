"""`python -m infra.costs`: what a million streams cost, with the calculation; docs/costs.md has it.

`antiphon cost` has the same calculation for other numbers.
"""

from collections.abc import Collection
from dataclasses import dataclass

import click

from infra.cost_model import (
    ACCESS_LOG_KB,
    ALARM_METRICS,
    DASHBOARDS,
    FIREWALL_RULES,
    LOG_KB,
    MESSAGE_CALLS,
    METHODS,
    METRICS_PER_METHOD,
    MILLION,
    OVERHEAD_SECONDS,
    READ_UNITS,
    RESTORABLE_KB,
    ROLLUP_MB,
    ROLLUP_RUNS,
    ROLLUP_SECONDS,
    SETTLE_MB,
    SETTLE_SECONDS,
    STORED_KB,
    STREAM_KB,
    TRACED_SHARE,
    WRITE_UNITS,
    WRITES_PER_RESPONSE,
    Charge,
    Door,
    Load,
    list_charges,
)
from infra.prices import DEFAULT_REGION, PRICES

MEMORY_SIZES = (128, 256, 512)  # MB of the API function
STREAM_SECONDS = 10.0
DURATIONS = (1, 3, 10, 30)  # seconds
USUAL_MB = 256
P = PRICES[DEFAULT_REGION]

GATEWAY = "API Gateway"
# How the groups of charges that are one row of the table are computed.
GROUPS = {
    "rollup": (
        "rollup function",
        f"{ROLLUP_RUNS} x ${P.invocations:.2f} + {ROLLUP_SECONDS} s x {ROLLUP_MB} MB",
    ),
    "settle": (
        "settle function",
        (
            f"{MESSAGE_CALLS} x ${P.queue_calls:.2f} + ${P.invocations:.2f} + {SETTLE_SECONDS} s x "
            f"{SETTLE_MB} MB + 1 unit x ${P.reads}"
        ),
    ),
    "logs": ("logs", f"{LOG_KB:g} KB x ${P.logs:.2f} a GB"),
    "traces": ("traces", f"{TRACED_SHARE:.0%} x ${P.traces:.2f}"),
    "storage": (
        "storage for 30 days",
        (
            f"{STORED_KB} KB x ${P.storage:.2f} a GB, "
            f"{RESTORABLE_KB} KB x ${P.backup:.2f} to restore from"
        ),
    ),
    "to the internet": ("to the internet", f"{STREAM_KB} KB x ${P.egress:.2f} a GB"),
    GATEWAY: (GATEWAY, f"${P.rest_calls:.2f} + {ACCESS_LOG_KB} KB of its log"),
}


@dataclass(frozen=True)
class Line:
    """One row of the table: US dollars for a million streams, by memory size."""

    label: str
    calculation: str
    dollars: tuple[float, ...]

    def to_markdown(self) -> str:
        cells = [self.label, self.calculation, *(f"{amount:.2f}" for amount in self.dollars)]
        return f"| {' | '.join(cells)} |"


def compute_cost(seconds: float) -> tuple[float, ...]:
    """Return what the duration of the API function costs, by memory size."""
    return _dollars(seconds, {"Lambda, duration"})


def list_lines() -> list[Line]:
    """List the costs that both endpoints have."""
    duration = f"{STREAM_SECONDS + OVERHEAD_SECONDS:.2f} s x memory x ${P.gb_seconds:.4f}"
    writes = " + ".join(str(write.units) for write in WRITES_PER_RESPONSE)
    first = {
        "Lambda, duration": f"{duration} for a million GB-s",
        "Lambda, requests": f"${P.invocations:.2f}",
        "DynamoDB, writes": f"{writes} = {WRITE_UNITS} units x ${P.writes}",
        "DynamoDB, reads": f"{READ_UNITS} units x ${P.reads}",
    }
    return [
        *(Line(label, how, _dollars(STREAM_SECONDS, {label})) for label, how in first.items()),
        *(_group_line(group) for group in GROUPS if group != GATEWAY),
    ]


def rest_line() -> Line:
    """Return the additional cost of the REST API."""
    return _group_line(GATEWAY)


def build_table() -> str:
    lines = list_lines()
    by_url = _sum("**by the Function URL**", *lines)
    rows = [*lines, by_url, rest_line(), _sum("**by the REST API**", by_url, rest_line())]
    sizes = " | ".join(f"{mb} MB" for mb in MEMORY_SIZES)
    header = f"| US dollars for a million streams of {STREAM_SECONDS:g} s | how | {sizes} |"
    rule = "|---|---|" + "--:|" * len(MEMORY_SIZES)
    return "\n".join([header, rule, *(row.to_markdown() for row in rows)])


def format_durations() -> str:
    """State what a million streams cost at the Function URL, by their duration."""
    totals = {
        seconds: sum(charge.dollars for charge in _charges(seconds, USUAL_MB, "url"))
        for seconds in DURATIONS
    }
    return ", ".join(f"{seconds} s ${dollars:.0f}" for seconds, dollars in totals.items())


def build_monthly_table() -> str:
    """State what costs the same in each month, however few the calls are."""
    metrics, rules = METHODS * METRICS_PER_METHOD, f"{FIREWALL_RULES} rules x ${P.web_acl_rule:.2f}"
    rows = [
        (
            "each target's secret; Bedrock, and targets that trust the AWS identity, have none",
            "",
            P.secret,
        ),
        ("each target's webhook secret (`receives_webhooks`)", "", P.secret),
        ("`[webhooks]`: the secret of all signatures", "", P.secret),
        (
            "the alarms, by the metrics in them; an account has 10 free of charge",
            f"{ALARM_METRICS} metrics x ${P.alarm_metric:.2f}",
            ALARM_METRICS * P.alarm_metric,
        ),
        ("the dashboard; an account has 3 free of charge", "", DASHBOARDS * P.dashboard),
        (
            "REST API: detailed metrics, by the hours in which it is called",
            f"{METHODS} methods x {METRICS_PER_METHOD} x ${P.metric:.2f}",
            metrics * P.metric,
        ),
        (
            "`antiphon:customer_managed_key`",
            f"the key; ${P.kms_calls:.2f} a million calls of KMS",
            P.kms_key,
        ),
        (
            "`antiphon:firewall`",
            f"${P.web_acl:.2f} + {rules}; ${P.inspections:.2f} a million calls",
            P.web_acl + FIREWALL_RULES * P.web_acl_rule,
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
        f"At {USUAL_MB} MB by the Function URL, a million of {format_durations()}.\n\n"
        f"{build_monthly_table()}"
    )


def _group_line(group: str) -> Line:
    labels = {each.label for each in _charges(STREAM_SECONDS, USUAL_MB) if each.group == group}
    label, how = GROUPS[group]
    return Line(label, how, _dollars(STREAM_SECONDS, labels))


def _dollars(seconds: float, labels: Collection[str]) -> tuple[float, ...]:
    """Return what the charges with these labels are together, by memory size."""
    return tuple(
        sum(charge.dollars for charge in _charges(seconds, mb) if charge.label in labels)
        for mb in MEMORY_SIZES
    )


def _charges(seconds: float, mb: int, door: Door = "rest") -> list[Charge]:
    return list_charges(Load(MILLION, seconds, mb, door, P))


def _sum(label: str, *parts: Line) -> Line:
    columns = zip(*(part.dollars for part in parts), strict=True)
    return Line(label, "", tuple(map(sum, columns)))


@click.command()
def main() -> None:
    """Print the tables of costs that docs/costs.md contains."""
    click.echo(build_report())


if __name__ == "__main__":
    main()
