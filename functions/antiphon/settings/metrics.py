"""The metrics of the functions: one list for the code, the dashboard and the alarms.

The metrics of a request are logged in one line at its end, in CloudWatch's embedded metric format.
CloudWatch bills each metric name with each combination of dimension values, per hour in which it
has data. Therefore tenants, keys and ids are never dimensions: they are in GET /usage and in the
other log lines.
"""

from dataclasses import dataclass
from typing import Literal

NAMESPACE = "Antiphon"
STAGE = "stage"  # a dimension of all metrics
BUDGET_ALERT_PERCENT = 80  # of a budget

type Unit = Literal["Count", "Milliseconds", "None", "Percent"]


@dataclass(frozen=True, eq=False)
class Metric:
    """A metric of CloudWatch; `dimensions` are those besides the stage."""

    name: str
    unit: Unit = "Count"
    dimensions: tuple[str, ...] = ()


# Requests to the API function, of all kinds and with any outcome.
REQUESTS = Metric("Requests")
# Responses with a status of 400 or more, by the gateway's error code, or as provider_429,
# provider_4xx or provider_5xx.
ERRORS = Metric("Errors", dimensions=("kind",))
# Those with a status of 500 or more, whoever failed: Lambda counts none of them as an error.
SERVER_ERRORS = Metric("ServerErrors")

# Durations of requests that called a provider and were answered with a status below 400. They
# begin when the event arrives at the function, and end when the first event of a stream can be
# sent, which is after its link is written,
FIRST_EVENT = Metric("FirstEventMs", "Milliseconds")
# or when the complete body can be sent.
ANSWER = Metric("AnswerMs", "Milliseconds")
# The part of either that was not spent waiting for providers: each attempt is subtracted, from
# before its connection is made until its first event or complete body is there. Waiting until a
# provider finds the response that is continued is not subtracted.
ADDED = Metric("AddedMs", "Milliseconds")

# Streams that ended without the provider's own terminal event.
CUT_STREAMS = Metric("CutStreams")
# Requests that were sent to another target, because the previous one certainly did not process it.
FAILOVERS = Metric("Failovers")
# Circuits that were opened, also again after a failed probe.
CIRCUITS_OPENED = Metric("CircuitsOpened", dimensions=("target",))
# Requests where all targets of the model had an open circuit.
ALL_OPEN = Metric("AllOpen")

# Links, or changes of them, that the table did not take and the queue did.
DEFERRED_ROWS = Metric("DeferredRows")
# Those that the queue did not take either: the caller gets no id, or usage is never counted.
LINK_NOT_WRITTEN = Metric("LinkNotWritten")
# Responses that are not polled any more, so that outcome and usage stay unknown.
UNSETTLED = Metric("Unsettled")
# Spans that the collector of OpenTelemetry did not take.
SPANS_NOT_EXPORTED = Metric("SpansNotExported")

# Of all budgets that a request counts against, the highest use: spent and reserved.
BUDGET_USED = Metric("BudgetUsed", "Percent")

# Of each response when it is counted; later corrections are counted as differences.
_MODEL_AND_TARGET = ("model", "target")
INPUT_TOKENS = Metric("InputTokens", dimensions=_MODEL_AND_TARGET)
CACHED_TOKENS = Metric("CachedTokens", dimensions=_MODEL_AND_TARGET)  # included in the input
OUTPUT_TOKENS = Metric("OutputTokens", dimensions=_MODEL_AND_TARGET)
COST = Metric("CostUSD", "None", _MODEL_AND_TARGET)
UNPRICED = Metric("Unpriced", dimensions=_MODEL_AND_TARGET)  # responses without a known price

METRICS = (
    *(REQUESTS, ERRORS, SERVER_ERRORS, FIRST_EVENT, ANSWER, ADDED),
    *(CUT_STREAMS, FAILOVERS, CIRCUITS_OPENED, ALL_OPEN),
    *(DEFERRED_ROWS, LINK_NOT_WRITTEN, UNSETTLED, SPANS_NOT_EXPORTED, BUDGET_USED),
    *(INPUT_TOKENS, CACHED_TOKENS, OUTPUT_TOKENS, COST, UNPRICED),
)
