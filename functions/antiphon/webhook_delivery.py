"""Sends events to the webhook endpoints of tenants, signed as Standard Webhooks are.

An event is sent until its endpoint answers with a 2xx: after 5 s, 20 s, 80 s and so on up to 6
hours, by messages of the queue. The same event always has the same `webhook-id`.
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import hashlib
import hmac
import json
import random
import time
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol
from urllib.parse import urlsplit

from cachetools import TTLCache

from antiphon.observability import logger
from antiphon.store.queue import DeliverWebhook, Queue, WebhookEvent
from antiphon.store.webhook_deliveries import Attempted, WebhookDeliveries
from antiphon.store.webhook_endpoints import WebhookEndpoint, WebhookEndpoints
from antiphon.upstream.webhook_sender import WebhookAnswer, WebhookSender

FIRST_PAUSE, PAUSE_FACTOR, MAX_PAUSE = 5.0, 4.0, 21_600.0  # seconds between two attempts
MAX_FACTORS = 7
JITTER = 0.5  # of a pause: endpoints that failed together are not tried together
# After an attempt without an answer, this process sends nothing to the endpoint for so long: each
# such attempt takes the whole time limit, and other messages of the queue wait.
REST_SECONDS = 60.0
MAX_RESTING = 10_000
GONE = 410
SUCCESS = range(200, 300)
NOT_TRIED = WebhookAnswer(error="not_tried")

type Random = Callable[[], float]  # from 0 to 1


class Keys(Protocol):
    """The keys that sign what is sent to an endpoint."""

    def key(self, tenant: str, endpoint: str, generation: int) -> bytes: ...


@dataclass(frozen=True)
class WebhookDelivery:
    endpoints: WebhookEndpoints
    deliveries: WebhookDeliveries
    keys: Keys
    sender: WebhookSender
    queue: Queue
    retry_seconds: float  # after which a delivery has failed
    clock: Callable[[], float] = time.time  # epoch seconds
    random: Random = random.random
    resting: TTLCache[str, bool] = field(
        default_factory=lambda: TTLCache(MAX_RESTING, REST_SECONDS)
    )

    def handle(self, message: DeliverWebhook, ends_at: float) -> None:
        """Make an attempt, or send the message again; `ends_at` is in time.monotonic() seconds.

        Raise Unavailable where neither is possible.
        """
        now = self.clock()
        if message.seconds_early_at(now) > 0:
            self.queue.send(message)  # which could not be delayed for so long
            return
        endpoint = self.endpoints.find(message.tenant, message.endpoint)
        if endpoint is None or self._is_done(message):
            return
        if endpoint.disabled_at is not None:
            attempts = message.attempt - 1
            state = Attempted(status="failed", attempts=attempts, last_error="endpoint_disabled")
            self._record(message, state)
        elif endpoint.id in self.resting:
            self._end_attempt(message, NOT_TRIED)
        else:
            answer = self.send(message.tenant, endpoint, message.event, ends_at)
            if answer.status is None:
                self.resting[endpoint.id] = True
            self._end_attempt(message, answer)

    def send(
        self, tenant: str, endpoint: WebhookEndpoint, event: WebhookEvent, ends_at: float
    ) -> WebhookAnswer:
        """Send an event once; raise CredentialMissing where it cannot be signed."""
        body = encode_event(event)
        sent_at = int(self.clock())
        generations = endpoint.generations_at(sent_at)
        keys = [self.keys.key(tenant, endpoint.id, each) for each in generations]
        headers = {
            "content-type": "application/json",
            "user-agent": "antiphon",
            "webhook-id": event.id,
            "webhook-timestamp": str(sent_at),
            "webhook-signature": sign(keys, event.id, sent_at, body),
        }
        return self.sender.post(_with_path(endpoint.url), headers, body, ends_at)

    def _end_attempt(self, message: DeliverWebhook, answer: WebhookAnswer) -> None:
        state = state_after(answer, message.attempt, int(self.clock()))
        if answer.status == GONE:
            self.endpoints.disable(message.tenant, message.endpoint)
        elif state.status == "failed":
            state = self._retry(message, state)
        self._record(message, state)

    def _retry(self, message: DeliverWebhook, state: Attempted) -> Attempted:
        """Send the message again for the next attempt, before this one is recorded."""
        now = self.clock()
        pause = pause_after(message.attempt, self.random())
        if now + pause > message.since + self.retry_seconds:
            logger.warning("webhook not delivered", extra={"endpoint": message.endpoint})
            return state
        again = replace(message.next_attempt(), not_before=int(now + pause))
        self.queue.send(again)
        return replace(state, status="pending", next_attempt_at=again.not_before)

    def _is_done(self, message: DeliverWebhook) -> bool:
        """Whether another message has made this attempt: a queue may deliver one twice."""
        found = self.deliveries.find(message.tenant, message.endpoint, message.event)
        return found is not None and (
            found.status != "pending" or found.attempts >= message.attempt
        )

    def _record(self, message: DeliverWebhook, state: Attempted) -> None:
        self.deliveries.record(message.tenant, message.endpoint, message.event, state)


def encode_event(event: WebhookEvent) -> bytes:
    """Return what is sent, in OpenAI's form; each attempt has the same bytes."""
    document = {
        "id": event.id,
        "object": "event",
        "created_at": event.created_at,
        "type": event.type,
        "data": {"id": event.object_id},
    }
    return json.dumps(document, separators=(",", ":")).encode()


def sign(keys: Sequence[bytes], id: str, sent_at: int, body: bytes) -> str:
    """Return the header `webhook-signature`, with one signature for each key."""
    content = b"%b.%d.%b" % (id.encode(), sent_at, body)
    digests = (hmac.digest(key, content, hashlib.sha256) for key in keys)
    return " ".join(f"v1,{b64encode(digest).decode()}" for digest in digests)


def state_after(answer: WebhookAnswer, attempts: int, now: int) -> Attempted:
    """Return the state after an attempt that is the last one."""
    is_delivered = answer.status is not None and answer.status in SUCCESS
    return Attempted(
        status="delivered" if is_delivered else "failed",
        attempts=attempts,
        last_attempt_at=now,
        last_status_code=answer.status,
        last_error=answer.error,
    )


def pause_after(attempt: int, chance: float) -> float:
    """Return the seconds from an attempt to the next one; `chance` is from 0 to 1."""
    pause = min(FIRST_PAUSE * PAUSE_FACTOR ** min(attempt - 1, MAX_FACTORS), MAX_PAUSE)
    return pause * (1 - JITTER * chance)


def _with_path(url: str) -> str:
    return url if urlsplit(url).path else f"{url}/"
