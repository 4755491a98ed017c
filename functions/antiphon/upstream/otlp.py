"""Sends spans to a collector of OpenTelemetry, by OTLP over HTTP in its JSON encoding.

https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

import httpx

from antiphon.errors import CredentialMissing
from antiphon.observability import logger, metrics
from antiphon.settings.metrics import SPANS_NOT_EXPORTED
from antiphon.upstream.http1 import build_request

TRACES_PATH = "/v1/traces"
PAUSE_SECONDS = 60.0  # after a failed export
MAX_SECONDS = 10.0  # for all attempts of one export: the rollup function has a minute
TIMEOUTS = {"connect": 2.0, "write": 3.0, "read": 3.0, "pool": 2.0}
MAX_ANSWER_BYTES = 65_536
# Exactly these: every other error of a collector is final.
# https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes
RETRYABLE = {0, 429, 502, 503, 504}  # 0: nothing was sent
PAUSES = (0.5, 1.0, 2.0)  # seconds after each attempt, if the collector names none
SUCCESS = range(200, 300)
HEADERS = {
    "content-type": "application/json",
    "accept-encoding": "identity",
    "user-agent": "antiphon",
}

type Json = Mapping[str, Any]


@dataclass(frozen=True)
class Answer:
    """What a collector answers; the status is 0 where nothing could be sent."""

    status: int
    retry_after: float = 0.0  # seconds
    body: bytes = b""


NOT_CONNECTED = Answer(0)


class NotExported(Exception):
    """The collector did not take the spans; the message is the reason."""


@dataclass
class SpanExporter:
    """Exports spans at most once: what may have arrived is not sent again.

    After a failed export it drops spans for a while, so that it does not delay the counting.
    """

    transport: httpx.BaseTransport
    endpoint: str
    resource: Sequence[Json]  # attributes of the gateway
    headers: Callable[[], Mapping[str, str]]  # raises CredentialMissing
    clock: Callable[[], float] = time.time  # not monotonic: that may stop while Lambda freezes it
    sleep: Callable[[float], None] = time.sleep
    _paused_until: float = 0.0

    def export(self, spans: Sequence[Json]) -> None:
        """Log and count the spans that the collector does not take; raise nothing."""
        rejected, reason = len(spans), "an earlier export failed"
        if self.clock() >= self._paused_until:
            rejected, reason = self._try_export(spans)
        if rejected:
            metrics.count(SPANS_NOT_EXPORTED, rejected)
            logger.warning("spans not exported", extra={"spans": rejected, "why": reason})

    def _try_export(self, spans: Sequence[Json]) -> tuple[int, str]:
        """Return how many spans the collector did not take, and why."""
        try:
            return _rejected_spans(self._deliver(self._encode(spans))), "rejected"
        except (NotExported, CredentialMissing) as exc:
            reason = str(exc)
        except Exception as exc:  # noqa: BLE001  whatever it is, usage is counted already
            reason = type(exc).__name__
        self._paused_until = self.clock() + PAUSE_SECONDS
        return len(spans), reason

    def _encode(self, spans: Sequence[Json]) -> bytes:
        scope = {"scope": {"name": "antiphon"}, "spans": spans}
        resource = {"resource": {"attributes": self.resource}, "scopeSpans": [scope]}
        return json.dumps({"resourceSpans": [resource]}, separators=(",", ":")).encode()

    def _deliver(self, body: bytes) -> bytes:
        """Return the collector's answer; raise NotExported, or what prevented it."""
        ends_at = self.clock() + MAX_SECONDS
        headers = {**HEADERS, **self.headers()}
        for pause in (*PAUSES, inf):
            answer = self._post(headers, body)
            if answer.status in SUCCESS:
                return answer.body
            wait = max(answer.retry_after, pause)
            if answer.status not in RETRYABLE or self.clock() + wait > ends_at:
                break
            self.sleep(wait)
        raise NotExported(f"status {answer.status}" if answer.status else "no connection")

    def _post(self, headers: Mapping[str, str], body: bytes) -> Answer:
        request = build_request("POST", f"{self.endpoint}{TRACES_PATH}", headers, body)
        request.extensions["timeout"] = TIMEOUTS
        try:
            response = self.transport.handle_request(request)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            return NOT_CONNECTED
        try:
            seconds = response.headers.get("retry-after", "")
            wait = float(seconds) if seconds.isdecimal() else 0.0
            return Answer(response.status_code, wait, _read(response))
        finally:
            response.close()


def _rejected_spans(answer: bytes) -> int:
    """Return how many spans of an accepted request were rejected for good.

    https://opentelemetry.io/docs/specs/otlp/#partial-success-1
    """
    try:
        partial = json.loads(answer)["partialSuccess"]
        return int(partial["rejectedSpans"])
    except (ValueError, LookupError, TypeError):  # nothing was, or the answer is no JSON
        return 0


def _read(response: httpx.Response) -> bytes:
    body = b""
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            break
    return body
