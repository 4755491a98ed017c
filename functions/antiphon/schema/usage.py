"""The query and the report of GET /usage.

The string below a field is for the reference; it is not loaded at run time.
"""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from antiphon.schema.list_queries import Query
from antiphon.schema.validation_errors import invalid_value

DEFAULT_DAYS, MAX_DAYS = 30, 366
EPOCH_SECONDS = re.compile(r"[0-9]{9,18}")  # fewer digits could be a date without dashes

UsageDimension = Literal["day", "model", "target", "key"]


def _parse_day(text: str) -> str:
    """Return the date, in UTC if the text is a number of epoch seconds."""
    try:
        if EPOCH_SECONDS.fullmatch(text):
            return datetime.fromtimestamp(int(text), UTC).date().isoformat()
        return datetime.strptime(text, "%Y-%m-%d").date().isoformat()  # noqa: DTZ007  a date has no zone
    except (ValueError, OverflowError, OSError) as exc:
        message = "Input should be a date such as 2026-11-22, or epoch seconds"
        raise PydanticCustomError("day", message) from exc


def _split_dimensions(text: Any) -> Any:
    return [part.strip() for part in text.split(",")] if isinstance(text, str) else text


Day = Annotated[str, AfterValidator(_parse_day)]


class UsageQuery(Query):
    """GET /usage."""

    repeatable: ClassVar[frozenset[str]] = frozenset({"by"})

    start: Day | None = None
    """The first day: a date (UTC), or epoch seconds within it. By default the report has the last
    30 days; at most it has 366."""
    end: Day | None = None
    """The last day, inclusive; today by default."""
    by: Annotated[list[UsageDimension], BeforeValidator(_split_dimensions)] = Field(
        default=["day", "model", "target", "key"]
    )
    """The dimensions of the sums; repeat the parameter or separate them by commas."""

    def days(self) -> tuple[str, str]:
        """Return the first and the last day, both inclusive; raise InvalidRequest."""
        last = date.fromisoformat(self.end) if self.end else datetime.now(UTC).date()
        default = max(last, date.min + timedelta(DEFAULT_DAYS)) - timedelta(DEFAULT_DAYS - 1)
        first = date.fromisoformat(self.start) if self.start else default
        if first > last:
            message = "Invalid 'start': it is later than 'end', which is today by default."
            raise invalid_value("start", message)
        if (last - first).days >= MAX_DAYS:
            message = f"Invalid 'start': a report covers at most {MAX_DAYS} days."
            raise invalid_value("start", message)
        return first.isoformat(), last.isoformat()


class UsageModel(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)


class UsageGroup(UsageModel):
    """What the responses of a bucket have in common."""

    object: Literal["usage.bucket"] = "usage.bucket"
    """The type of object."""
    day: str | None
    """The day (UTC) on which the responses began, or null for all days."""
    model: str | None
    """The model's name in the requests, or null for all models; empty where there is none."""
    target: str | None
    """The name of the target that served them, or null for all targets."""
    key_id: str | None
    """The id of the key of the requests, or null for all keys."""


class UsageCounts(UsageModel):
    """Requests by final status, and the tokens that the provider counted."""

    requests: int
    """Responses and compactions; each is counted when it has ended."""
    completed: int
    """Those that completed."""
    failed: int
    """Those that failed."""
    incomplete: int
    """Those that ended early, such as at `max_output_tokens`."""
    cancelled: int
    """Those that were cancelled."""
    unknown: int
    """Those whose end will never be known: deleted before it, cut and not stored, or gone."""
    unmetered: int
    """Those without token counts of the provider, whatever their status."""
    unpriced: int
    """Those whose tokens have no known price; they are not in `cost_usd`."""
    input_tokens: int
    """Input tokens, including cached ones."""
    cached_tokens: int
    """Input tokens that came from the provider's cache."""
    cache_write_tokens: int
    """Input tokens that were written to the cache."""
    output_tokens: int
    """Output tokens, including reasoning."""
    reasoning_tokens: int
    """Output tokens for reasoning."""
    total_tokens: int
    """All tokens, as the provider counts them."""
    cost_usd: str
    """The exact cost of the tokens in US dollars, without tools that are billed by the call."""
    estimated_container_minutes: int
    """Minutes for which containers ran: from their creation until 20 minutes after their last use
    through the gateway, or until their deletion; at least 5 each. An estimate: the provider bills
    sessions and sizes, which the gateway does not read. They count on the day of the creation, in a
    bucket with an empty `model`."""


class UsageBucket(UsageCounts, UsageGroup):
    """The usage of one day, model, target and key, or of all where a value is null."""


class StoredNow(UsageModel):
    """What the tenant has stored at providers now, as far as it was made through the gateway."""

    files: int
    """Files that are not deleted; one that expires is counted until the gateway's row of it is
    removed, up to some days later."""
    file_bytes: int
    """The size of these files together."""
    vector_stores: int
    """Vector stores that are not deleted."""
    containers: int
    """Containers that were used through the gateway within the last 20 minutes."""


class UsageReport(UsageModel):
    """The usage of the caller's tenant."""

    object: Literal["list"] = "list"
    """The type of object."""
    start: str
    """The first day."""
    end: str
    """The last day."""
    data: list[UsageBucket]
    """The sums, by day, model, target and key; empty ones are left out."""
    total: UsageCounts
    """The sum of all."""
    storage: StoredNow
    """What is stored now, whatever days the report has; it lags by seconds."""
    has_more: Literal[False] = False
    """A report is one page."""
