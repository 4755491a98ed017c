"""POST /webhooks/TARGET: the target's provider reports that a response or a batch has ended.

A report only starts a poll, at once: what has become of a response is read from its provider. So a
report that is repeated, or is wrong, changes nothing. Without a valid signature nothing is read
from the table and nothing is sent to the queue.
docs/decisions/0046-a-provider-reports-an-end.md
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from aws_lambda_powertools.event_handler.api_gateway import Router

from antiphon.errors import CredentialMissing, WebhookNotVerified
from antiphon.http import Reply, Request
from antiphon.http_events import RequestReader, build_router
from antiphon.observability import failure_fields, logger
from antiphon.schema.provider_webhook import SignedBody, read_ended_id, signing_key
from antiphon.settings.targets import webhook_secret_name
from antiphon.store.provider_ids import ProviderIds
from antiphon.store.queue import PollReported, Queue
from antiphon.store.secrets import ProviderSecrets

MAX_BODY_BYTES = 65_536  # an event names an id, and has 200 bytes
ANSWER_SECONDS = 30.0  # far more than it takes
RECEIVED = Reply(200, {"content-type": "application/json"}, b'{"received":true}')
NOT_VERIFIED = "The signature of this webhook is missing, wrong or too old."
NO_KEY = "The gateway has no webhook secret for this target that it can use."


@dataclass(frozen=True)
class ProviderWebhooks:
    secrets: ProviderSecrets
    ids: ProviderIds
    queue: Queue
    clock: Callable[[], float] = time.time  # epoch seconds

    def receive(self, request: Request, target: str) -> Reply:
        """Have what has ended polled at once; do nothing for an unknown id or another event.

        Raise WebhookNotVerified. Raise Unavailable, upon which the provider sends it again.
        """
        self._verify(request, target)
        id = read_ended_id(request.body)
        owner = None if id is None else self.ids.find(target, id)
        if id is not None and owner is not None:
            request.metrics.fields.update(response_id=id)
            self.queue.send(PollReported(owner.tenant, id, owner.kind))
        return RECEIVED

    def _verify(self, request: Request, target: str) -> None:
        signed = SignedBody.read(request.headers, request.body)
        is_timely = signed is not None and signed.is_timely(self.clock())
        if signed is None or not (is_timely and signed.is_signed_with(self._key(target))):
            raise WebhookNotVerified(NOT_VERIFIED)

    def _key(self, target: str) -> bytes:
        try:
            return signing_key(self.secrets.get(webhook_secret_name(target)))
        except (CredentialMissing, ValueError) as exc:
            logger.error("webhook not verified", extra={"target": target, **failure_fields(exc)})
            raise CredentialMissing(NO_KEY) from exc


def build(
    secrets: ProviderSecrets, ids: ProviderIds, queue: Queue, targets: Iterable[str]
) -> Router:
    """Build a path for each of these targets; those of all others are unknown paths."""
    webhooks = ProviderWebhooks(secrets, ids, queue)
    reader = RequestReader(MAX_BODY_BYTES, ANSWER_SECONDS)
    paths = ((f"/webhooks/{name}", partial(webhooks.receive, target=name)) for name in targets)
    return build_router(reader, *(("POST", path, receive) for path, receive in paths))
