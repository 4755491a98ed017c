"""The requests of the last minutes as numbers: how many, how well, at what cost, and whose."""

import statistics
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from infra.traffic.record import RequestRecord

MINUTE, HOUR = 60.0, 3600.0


@dataclass(frozen=True)
class KeyUse:
    """What one key has used; `key_id` is None for requests without a valid key."""

    tenant: str | None
    key_id: str | None
    requests: int
    errors: int
    tokens: int
    cost: float


@dataclass(frozen=True)
class Summary:
    """The requests that ended in the last `seconds`."""

    seconds: float
    records: Sequence[RequestRecord]
    in_flight: int  # streams that have not ended

    @property
    def requests(self) -> int:
        return len(self.records)

    @property
    def errors(self) -> int:
        return sum(record.is_error for record in self.records)

    @property
    def error_kinds(self) -> list[tuple[str, int]]:
        """The codes of the errors, or how the responses ended, the most frequent first."""
        kinds = (
            each.code or each.end or str(each.status) for each in self.records if each.is_error
        )
        return Counter(kinds).most_common()

    @property
    def input_tokens(self) -> int:
        return sum(record.input_tokens or 0 for record in self.records)

    @property
    def output_tokens(self) -> int:
        return sum(record.output_tokens or 0 for record in self.records)

    @property
    def cost(self) -> float:
        return sum(record.cost_usd or 0 for record in self.records)

    @property
    def median_first_event_ms(self) -> float | None:
        times = [each.first_event_ms for each in self.records if each.first_event_ms is not None]
        return statistics.median(times) if times else None

    def per_minute(self, number: float) -> float:
        return number * MINUTE / self.seconds

    def per_hour(self, number: float) -> float:
        return number * HOUR / self.seconds

    @property
    def keys(self) -> list[KeyUse]:
        """All keys, the one with the most requests first."""
        groups: dict[tuple[str | None, str | None], list[RequestRecord]] = {}
        for record in self.records:
            groups.setdefault((record.tenant, record.key_id), []).append(record)
        uses = [_key_use(*key, records) for key, records in groups.items()]
        return sorted(uses, key=lambda use: (-use.requests, use.tenant or "", use.key_id or ""))


class TrafficWindow:
    """The requests that ended in the last seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._records: deque[RequestRecord] = deque()

    def add(self, records: Iterable[RequestRecord]) -> None:
        self._records.extend(records)

    def summarise(self, now: float, in_flight: int) -> Summary:
        """Forget what is too old; `now` is in epoch seconds."""
        recent = [each for each in self._records if _ended_at(each) > now - self._seconds]
        self._records = deque(recent)
        return Summary(self._seconds, recent, in_flight)


def _ended_at(record: RequestRecord) -> float:
    """Return when a request ended: a stream goes on after the time of its first event."""
    return record.time + ((record.ms or 0) - (record.first_event_ms or record.ms or 0)) / 1000


def _key_use(tenant: str | None, key_id: str | None, records: Sequence[RequestRecord]) -> KeyUse:
    return KeyUse(
        tenant=tenant,
        key_id=key_id,
        requests=len(records),
        errors=sum(record.is_error for record in records),
        tokens=sum(record.tokens for record in records),
        cost=sum(record.cost_usd or 0 for record in records),
    )
