"""The answer of GET /limits.

The string below a field is for the reference; it is not loaded at run time.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from antiphon.schema.list_queries import Query

type LimitSource = Literal["key", "tenant", "configuration"]
type LimitPeriod = Literal["minute", "day", "month"]


class LimitsQuery(Query):
    """GET /limits: it has no parameters."""


class LimitObject(BaseModel):
    """A limit for the calling key, and how much of it is used."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    object: Literal["limit"] = "limit"
    """The type of object."""
    name: str
    """`rpm` (requests per minute), `tpm` (tokens per minute), `streams` (responses in flight),
    `budget_usd` (US dollars), `max_body_bytes` and `max_output_tokens` (of one request), and
    `max_files`, `max_file_bytes`, `max_vector_stores` and `max_containers` (at providers now)."""
    source: LimitSource
    """Where it is set: on the key (`key`), for all keys of the tenant together (`tenant`), or for
    the whole gateway (`configuration`)."""
    period: LimitPeriod | None
    """The period after which it counts from zero again, of the clock and the calendar in UTC; null
    where it has none."""
    limit: int | float
    """The maximum."""
    used: int | float | None
    """What is used or reserved now, including this request; null for the limit of one request."""
    remaining: int | float | None
    """What is left; null for the limit of one request."""
    resets_at: int | None
    """When the next period begins, in epoch seconds; null where there is no period."""


class LimitList(BaseModel):
    """What the calling key and its tenant may use, and what they have used."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    object: Literal["list"] = "list"
    """The type of object."""
    tenant: str
    """The tenant of the key."""
    key_id: str
    """The id of the calling key."""
    models: list[str] | None
    """The models that the key may call, as names or as patterns with one `*`; null for all."""
    data: list[LimitObject]
    """The limits: those of the key, of the tenant, and of the whole gateway."""
    has_more: Literal[False] = False
    """The list is one page."""
