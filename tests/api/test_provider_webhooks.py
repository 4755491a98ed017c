"""What a webhook of a provider costs, and what the provider is answered where AWS fails."""

import json
from dataclasses import replace

import pytest

from antiphon.api.provider_webhooks import ProviderWebhooks
from antiphon.errors import CredentialMissing, Unavailable, WebhookNotVerified
from antiphon.http import Request
from antiphon.schema.provider_webhook import signing_key
from antiphon.store.provider_ids import ProviderIds, ReportedLinks
from antiphon.store.queue import PollReported
from antiphon.store.secrets import ProviderSecrets
from tests.support.dynamodb import make_link
from tests.support.webhooks import KEY, make_report, make_secret, sign

EVENT = make_report("resp_1")
LINK = make_link(id="resp_1", status="queued", background=True, target="openai")


@pytest.fixture
def webhooks(cloud):
    cloud.secrets.create_secret(Name="test/webhook", SecretString=make_secret())
    secrets = ProviderSecrets(cloud.secrets, {"openai.webhook": "test/webhook"})
    ids = ProviderIds(cloud.table, {"openai": "openai lab", "second": "openai lab"})
    return ProviderWebhooks(secrets, ids, cloud.queue)


def receive(webhooks, body=EVENT, target="openai", **headers):
    request = Request("r-1", "POST", headers={**sign(body), **headers}, body=body)
    return webhooks.receive(request, target).status


def put(webhooks, link=LINK):
    ReportedLinks(webhooks.ids.table, webhooks.ids).put(link)


def reported(cloud):
    return [(message.tenant, message.id, message.object, delay) for message, delay in cloud.sent]


@pytest.mark.parametrize("of", ["openai", "second"])  # targets of one account
def test_a_background_response_and_a_batch_are_found_by_their_ids(cloud, webhooks, of):
    put(webhooks, replace(LINK, target=of))
    put(webhooks, make_link(id="batch_1", kind="batch", status="validating", target="openai"))
    batch = make_report("batch_1", "batch.failed")
    assert [receive(webhooks), receive(webhooks, batch)] == [200, 200]
    assert reported(cloud) == [
        ("acme", "resp_1", "response", 0),
        ("acme", "batch_1", "batch", 0),
    ]
    assert isinstance(cloud.sent[0][0], PollReported)


@pytest.mark.parametrize(
    "link",
    [
        replace(LINK, background=False),
        replace(LINK, status="completed"),
        replace(LINK, store=False),
        replace(LINK, target="other"),
        replace(LINK, expires_at=1),
    ],
)
def test_nothing_else_is_found(cloud, webhooks, link):
    put(webhooks, link)
    assert receive(webhooks) == 200
    assert cloud.sent == []


def test_what_is_not_verified_costs_no_read_and_no_message(cloud, webhooks):
    put(webhooks)
    cloud.fail(cloud.dynamodb, "GetItem")
    cloud.fail(cloud.sqs, "SendMessage")
    for headers in (sign(EVENT, b"wrong"), sign(EVENT, seconds=-310), {"webhook-id": ""}):
        with pytest.raises(WebhookNotVerified):
            receive(webhooks, **headers)
    with pytest.raises(Unavailable):
        receive(webhooks)


def test_without_a_queue_the_provider_has_to_repeat_it(cloud, webhooks):
    put(webhooks)
    cloud.fail(cloud.sqs, "SendMessage")
    with pytest.raises(Unavailable):
        receive(webhooks)


def test_a_row_that_is_not_written_costs_no_response(cloud, webhooks):
    writes = []
    hook = "provide-client-params.dynamodb.PutItem"
    cloud.dynamodb.meta.events.register(hook, lambda **_: writes.append(1))
    put(webhooks)
    assert len(writes) == 2  # as many as a create has at most
    cloud.fail(cloud.dynamodb, "PutItem")
    webhooks.ids.record(LINK)


def test_one_of_several_signatures_is_enough(webhooks):
    valid = sign(EVENT)["webhook-signature"]
    assert receive(webhooks, **{"webhook-signature": f"v1,b2xk v1a,x {valid}"}) == 200


@pytest.mark.parametrize("secret", ["replace-me", "sk-key", "whsec_", "whsec_é"])
def test_without_its_secret_nothing_is_verified(cloud, webhooks, secret):
    cloud.secrets.put_secret_value(SecretId="test/webhook", SecretString=secret)
    with pytest.raises(CredentialMissing):
        receive(webhooks)


def test_a_secret_is_base64_behind_its_prefix():
    assert signing_key(make_secret()) == KEY
    with pytest.raises(ValueError, match="whsec_"):
        signing_key(KEY.decode())


def test_ids_that_no_row_can_have_are_unknown(webhooks):
    assert receive(webhooks, json.dumps({"type": "response.failed", "data": {"id": " "}}).encode())
