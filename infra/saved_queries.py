"""The saved queries of CloudWatch Logs Insights: what operators ask the functions' logs.

They read the lines `answered` and `stream ended` of the API function, and what all functions log
of one response. Their fields are those that the functions write:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html
"""

from dataclasses import dataclass

API = ("api",)
MAX_ROWS = 100
PERCENTILES = "pct(first_event_ms, 50) as p50, pct(first_event_ms, 99) as p99"
TOKENS = "sum(input_tokens) as input, sum(output_tokens) as output"


@dataclass(frozen=True)
class SavedQuery:
    name: str
    steps: tuple[str, ...]
    functions: tuple[str, ...] | None = API  # whose logs it reads; None: those of all

    @property
    def text(self) -> str:
        return "\n| ".join((*self.steps, f"limit {MAX_ROWS}"))


SAVED_QUERIES = (
    SavedQuery(
        "errors by code",
        (
            'filter message = "answered" and status >= 400',
            "stats count(*) as requests by code, status, target",
            "sort requests desc",
        ),
    ),
    SavedQuery(
        "broken streams",
        (
            'filter message = "stream ended" and response_status in ["cut", "error", "failed"]',
            "stats count(*) as streams by response_status, code, target, model",
            "sort streams desc",
        ),
    ),
    SavedQuery(
        "first events by target",
        (
            'filter message = "answered" and ispresent(first_event_ms)',
            f"stats count(*) as streams, {PERCENTILES} by target, model",
            "sort p99 desc",
        ),
    ),
    SavedQuery(
        "slow first events",
        (
            "fields @timestamp, first_event_ms, tenant, model, target, response_id, request_id",
            'filter message = "answered" and ispresent(first_event_ms)',
            "sort first_event_ms desc",
        ),
    ),
    SavedQuery(
        "slow answers",
        (
            "fields @timestamp, ms, method, path, status, tenant, model, target, request_id",
            'filter message = "answered" and not ispresent(first_event_ms)',
            "sort ms desc",
        ),
    ),
    SavedQuery(
        "refusals by address",
        (
            'filter message = "answered" and ispresent(source_ip)',
            "stats count(*) as refusals by source_ip, code",
            "sort refusals desc",
        ),
    ),
    SavedQuery(
        "usage by key",
        (
            # The tokens of a stream are in the line of its end.
            'filter message in ["answered", "stream ended"] and ispresent(key_id)',
            f"stats count_distinct(request_id) as requests, {TOKENS} by tenant, key_id, model",
            "sort requests desc",
        ),
    ),
    SavedQuery(
        "warnings and errors",
        (
            'filter level in ["WARN", "ERROR"]',
            "stats count(*) as lines by level, message, error, errorType",
            "sort lines desc",
        ),
        functions=None,
    ),
    SavedQuery(
        "one request",
        (
            "fields @timestamp, level, message, status, code, ms, response_id, error",
            'filter request_id = "the value of x-antiphon-request-id"',
            "sort @timestamp asc",
        ),
        functions=None,
    ),
    SavedQuery(
        "one response",
        (
            "fields @timestamp, level, message, response_status, code, poll, request_id",
            'filter response_id = "resp_..." or link = "resp_..."',
            "sort @timestamp asc",
        ),
        functions=None,
    ),
)
