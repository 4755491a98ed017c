"""What the functions measure: the one list that the code, the dashboard and the alarms go by.

The figures of a request are logged in one line when it has ended, in CloudWatch's embedded metric
format. CloudWatch bills each name with each combination of dimensions, for the hours in which it
is told. So tenants, keys and ids are in none: GET /usage and the other lines of the log have those.
"""

from dataclasses import dataclass
from typing import Literal

NAMESPACE = "Antiphon"
STAGE = "stage"  # a dimension of all
NEAR_PERCENT = 80  # percent of a budget

type Unit = Literal["Count", "Milliseconds", "None", "Percent"]


@dataclass(frozen=True, eq=False)
class Metric:
    name: str
    unit: Unit = "Count"
    dimensions: tuple[str, ...] = ()  # beside the stage


# Of the API function, whatever was asked and answered.
REQUESTS = Metric("Requests")
# Answers from 400 on, by the gateway's own code, or provider_429, provider_4xx, provider_5xx.
ERRORS = Metric("Errors", dimensions=("kind",))

# Of answers below 400 for which a provider was asked, from the event's arrival at the function on:
# until the first event of a stream can go out, its link being written,
FIRST_EVENT = Metric("FirstEventMs", "Milliseconds")
# until a whole answer can,
ANSWER = Metric("AnswerMs", "Milliseconds")
# and of either the part that no provider was waited for: all of it, less what each attempt took
# from before it is sent until its first event or whole body was there, connecting included.
# Waiting until a provider knows what is continued is ours, too.
ADDED = Metric("AddedMs", "Milliseconds")

# Streams that ended without the provider's own last event.
CUT_STREAMS = Metric("CutStreams")
# Requests that went to another target since the one before certainly began nothing.
FAILOVERS = Metric("Failovers")
# Decisions to spare a target for a while, those after a failed probe included.
CIRCUITS_OPENED = Metric("CircuitsOpened", dimensions=("target",))
# Requests for a model that had no target left but a spared one.
ALL_OPEN = Metric("AllOpen")

# Links, or changes of them, that the table did not take and the queue did.
DEFERRED_ROWS = Metric("DeferredRows")
# The same where the queue took none either: an answer without its id, or usage that nobody counts.
LINK_NOT_WRITTEN = Metric("LinkNotWritten")
# Responses whose end and usage nobody asks after any more.
UNSETTLED = Metric("Unsettled")

# Of the budgets of keys and tenants that were counted in, the one used most: spent and reserved.
BUDGET_USED = Metric("BudgetUsed", "Percent")

# Of each response, once it is counted; later corrections come as differences.
_PLACE = ("model", "target")
INPUT_TOKENS = Metric("InputTokens", dimensions=_PLACE)
CACHED_TOKENS = Metric("CachedTokens", dimensions=_PLACE)  # of the input
OUTPUT_TOKENS = Metric("OutputTokens", dimensions=_PLACE)
COST = Metric("CostUSD", "None", _PLACE)
UNPRICED = Metric("Unpriced", dimensions=_PLACE)  # responses whose price is not known

METRICS = (
    *(REQUESTS, ERRORS, FIRST_EVENT, ANSWER, ADDED),
    *(CUT_STREAMS, FAILOVERS, CIRCUITS_OPENED, ALL_OPEN),
    *(DEFERRED_ROWS, LINK_NOT_WRITTEN, UNSETTLED, BUDGET_USED),
    *(INPUT_TOKENS, CACHED_TOKENS, OUTPUT_TOKENS, COST, UNPRICED),
)
