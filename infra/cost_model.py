"""What requests cost: how much of each of AWS's services they use, times its price.

The quantities are what the code does; tests compare the two.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from antiphon.settings.config import Config
from infra.prices import Prices

type Door = Literal["url", "rest"]

MB_PER_GB = 1024
KB_PER_GB = MILLION = 1_000_000

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
# API Gateway's detailed metrics (count, two latencies, 4xx, 5xx) of each method in the template.
METHODS, METRICS_PER_METHOD = 2, 5
FIREWALL_RULES = 2
# Of all alarms of the template: an alarm of an expression is charged by each metric in it.
ALARM_METRICS, DASHBOARDS = 25, 1


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
WRITE_UNITS = sum(write.units for write in WRITES_PER_RESPONSE)
STORED_KB = sum(write.stored_rows for write in NEW_ROWS)  # for the days of a link
RESTORABLE_KB = sum(write.rows for write in NEW_ROWS)


@dataclass(frozen=True)
class Load:
    """Requests of a month, how long each waits for its provider, and what serves them."""

    requests: float
    seconds: float
    memory_mb: int
    door: Door
    prices: Prices
    secrets: int = 1


@dataclass(frozen=True)
class Charge:
    """A quantity, and US dollars for `per` of its unit."""

    group: str  # of charges that have one reason
    what: str
    quantity: float
    unit: str
    price: float
    per: int = 1

    @property
    def dollars(self) -> float:
        return self.quantity / self.per * self.price

    @property
    def label(self) -> str:
        return f"{self.group}, {self.what}" if self.what else self.group


def list_charges(load: Load) -> list[Charge]:
    """List what the requests cost; what is due without any is in `list_monthly_charges`."""
    charges = [*_function_charges(load), *_later_charges(load), *_other_charges(load)]
    return charges + (_rest_charges(load) if load.door == "rest" else [])


def list_monthly_charges(load: Load) -> Iterator[Charge]:
    """List what the same month costs with a single request."""
    prices = load.prices
    yield _fixed("secrets", load.secrets, "secret", prices.secret)
    yield _fixed("alarms", ALARM_METRICS, "metric", prices.alarm_metric)
    yield _fixed("dashboard", DASHBOARDS, "dashboard", prices.dashboard)
    if load.door == "rest":
        metrics = METHODS * METRICS_PER_METHOD
        yield Charge("API Gateway", "metrics", metrics, "metrics", prices.metric)


def count_secrets(config: Config) -> int:
    """Count the secrets that the stack makes; operators make that of a collector themselves."""
    of_targets = sum(target.has_secret for target in config.targets.values())
    of_signatures = 0 if config.webhooks is None else 1
    return of_targets + len(config.webhook_targets()) + of_signatures


def gb_seconds(seconds: float, mb: int) -> float:
    return seconds * mb / MB_PER_GB


def _function_charges(load: Load) -> list[Charge]:
    prices, requests = load.prices, load.requests
    duration = gb_seconds(load.seconds + OVERHEAD_SECONDS, load.memory_mb)
    return [
        _time("Lambda", requests * duration, prices),
        _invocations("Lambda", requests, prices),
        Charge("DynamoDB", "writes", requests * WRITE_UNITS, "units", prices.writes, MILLION),
        _reads("DynamoDB", requests * READ_UNITS, prices),
    ]


def _later_charges(load: Load) -> list[Charge]:
    """Of the functions that count responses and look after unfinished ones."""
    prices, requests = load.prices, load.requests
    rollup, settle = gb_seconds(ROLLUP_SECONDS, ROLLUP_MB), gb_seconds(SETTLE_SECONDS, SETTLE_MB)
    messages = requests * MESSAGE_CALLS
    return [
        _invocations("rollup", requests * ROLLUP_RUNS, prices),
        _time("rollup", requests * rollup, prices),
        Charge("settle", "queue", messages, "calls", prices.queue_calls, MILLION),
        _invocations("settle", requests, prices),
        _time("settle", requests * settle, prices),
        _reads("settle", requests, prices),
    ]


def _other_charges(load: Load) -> list[Charge]:
    prices, requests = load.prices, load.requests
    return [
        _volume("logs", "", requests * LOG_KB, prices.logs),
        Charge("traces", "", requests * TRACED_SHARE, "traces", prices.traces, MILLION),
        _volume("storage", "30 days", requests * STORED_KB, prices.storage),
        _volume("storage", "to restore", requests * RESTORABLE_KB, prices.backup),
        _volume("to the internet", "", requests * STREAM_KB, prices.egress),
    ]


def _rest_charges(load: Load) -> list[Charge]:
    calls = Charge("API Gateway", "calls", load.requests, "calls", load.prices.rest_calls, MILLION)
    return [calls, _volume("API Gateway", "log", load.requests * ACCESS_LOG_KB, load.prices.logs)]


def _fixed(group: str, count: int, unit: str, price: float) -> Charge:
    return Charge(group, "", count, unit if count == 1 else f"{unit}s", price)


def _time(group: str, quantity: float, prices: Prices) -> Charge:
    return Charge(group, "duration", quantity, "GB-s", prices.gb_seconds, MILLION)


def _invocations(group: str, quantity: float, prices: Prices) -> Charge:
    return Charge(group, "requests", quantity, "requests", prices.invocations, MILLION)


def _reads(group: str, quantity: float, prices: Prices) -> Charge:
    return Charge(group, "reads", quantity, "units", prices.reads, MILLION)


def _volume(group: str, what: str, kilobytes: float, price: float) -> Charge:
    return Charge(group, what, kilobytes / KB_PER_GB, "GB", price)
