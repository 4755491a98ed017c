"""Which request gets an Idempotency-Key, and which requests are refused it."""

import pytest

from antiphon.auth import Caller
from antiphon.errors import (
    GatewayError,
    IdempotencyKeyReused,
    InvalidRequest,
    ModelNotFound,
    Unavailable,
    UpstreamFailed,
)
from antiphon.http import Reply, Request
from tests.idempotency.guarded_requests import (
    ACME,
    CREATED,
    FREE,
    IN_FLIGHT,
    make_request,
    read_outcome,
)
from tests.support import aws


def test_a_request_without_a_key_costs_nothing(cloud, idempotency):
    for operation in ("PutItem", "UpdateItem"):
        cloud.fail(cloud.dynamodb, operation)
    for reply in (Reply(200, {}, b"{}"), Reply(500, {}, b"{}")):
        with idempotency.guard(Request("req_1", "POST"), ACME) as guard:
            guard.remember_response(CREATED)
            assert guard.record_reply(reply) is reply
    with pytest.raises(GatewayError), idempotency.guard(Request("req_1", "POST"), ACME):
        raise GatewayError("")


def test_a_second_request_changes_nothing(idempotency):
    idempotency.guard(make_request(), ACME)
    for fault in (ModelNotFound(""), UpstreamFailed("")):
        with pytest.raises(GatewayError), idempotency.guard(make_request("req_2"), ACME):
            raise fault
    assert idempotency.guard(make_request("req_3"), ACME).earlier.request_id == "req_1"
    assert read_outcome(idempotency) == IN_FLIGHT


@pytest.mark.parametrize(
    "changes",
    [
        {"body": b"{ }"},
        {"query": "beta=true"},
        {"openai_beta": "responses_multi_agent=v1"},
        {"x_ms_oai_image_generation_deployment": "images"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_another_request_cannot_use_the_key(idempotency, changes):
    idempotency.guard(make_request(), ACME)
    with pytest.raises(IdempotencyKeyReused) as refused:
        idempotency.guard(make_request("req_2", **changes), ACME)
    assert (refused.value.status, refused.value.retry) == (422, False)
    assert (
        idempotency.guard(make_request("req_2", **changes), Caller("umbra", "key_2")).earlier
        is None
    )


@pytest.mark.parametrize("changes", [{"x_client_request_id": "1"}, {"user_agent": "x"}], ids=str)
def test_other_headers_do_not_make_another_request(idempotency, changes):
    idempotency.guard(make_request(), ACME)
    assert idempotency.guard(make_request("req_2", **changes), ACME).earlier.request_id == "req_1"


@pytest.mark.parametrize("key", ["", " ", "a b", "k\u00e9y", "tab\t", "x" * 256, "\x7f"], ids=repr)
def test_a_key_is_1_to_255_visible_characters(idempotency, key):
    with pytest.raises(InvalidRequest, match=r"Idempotency-Key.*255 visible ASCII") as refused:
        idempotency.guard(make_request(key=key), ACME)
    assert refused.value.param == "Idempotency-Key"


@pytest.mark.parametrize("key", ["!", "~" * 255, '"8e03978e-40d5-43dd-bc93-6894a57f9324"'], ids=len)
def test_valid_keys(idempotency, key):
    assert idempotency.guard(make_request(key=key), ACME).earlier is None


def test_without_the_table_nothing_is_sent(cloud, idempotency):
    cloud.fail(cloud.dynamodb, "PutItem")
    with pytest.raises(Unavailable):
        idempotency.guard(make_request(), ACME)


def test_a_claim_whose_answer_is_lost_is_recognised(cloud, idempotency):
    cloud.fail(cloud.dynamodb, "PutItem", aws.lose_response)
    assert idempotency.guard(make_request(), ACME).earlier is None
    cloud.restore(cloud.dynamodb, "PutItem")
    assert idempotency.guard(make_request("req_2"), ACME).earlier.request_id == "req_1"


@pytest.mark.parametrize("lost", [("GetItem",), ("GetItem", "UpdateItem")], ids=len)
def test_a_claim_that_cannot_be_used_is_given_back(cloud, idempotency, lost):
    """At once, or from the queue; it is not in the way of the caller's next attempt."""
    cloud.fail(cloud.dynamodb, "PutItem", aws.lose_response)
    for operation in lost:
        cloud.fail(cloud.dynamodb, operation)
    with pytest.raises(Unavailable):
        idempotency.guard(make_request(), ACME)
    for operation in ("PutItem", *lost):
        cloud.restore(cloud.dynamodb, operation)
    for message, _ in cloud.sent:
        cloud.table.update(message.updates[0])
    assert len(cloud.sent) == len(lost) - 1
    assert read_outcome(idempotency) == FREE
