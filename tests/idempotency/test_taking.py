"""Who gets a key, and which request it then stands for."""

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
from tests.idempotency.holding import ACME, IN_FLIGHT, MADE, outcome, request
from tests.support import aws


def test_a_request_without_a_key_costs_nothing(cloud, idempotency):
    for operation in ("PutItem", "UpdateItem"):
        cloud.fail(cloud.dynamodb, operation)
    for reply in (Reply(200, {}, b"{}"), Reply(500, {}, b"{}")):
        with idempotency.hold(Request("req_1", "POST"), ACME) as hold:
            hold.keep(MADE)
            assert hold.settle(reply) is reply
    with pytest.raises(GatewayError), idempotency.hold(Request("req_1", "POST"), ACME):
        raise GatewayError("")


def test_whoever_comes_second_changes_nothing(idempotency):
    idempotency.hold(request(), ACME)
    for fault in (ModelNotFound(""), UpstreamFailed("")):
        with pytest.raises(GatewayError), idempotency.hold(request("req_2"), ACME):
            raise fault
    assert idempotency.hold(request("req_3"), ACME).earlier.request_id == "req_1"
    assert outcome(idempotency) == IN_FLIGHT


@pytest.mark.parametrize(
    "more",
    [
        {"body": b"{ }"},
        {"query": "beta=true"},
        {"openai_beta": "responses_multi_agent=v1"},
        {"x_ms_oai_image_generation_deployment": "images"},
    ],
    ids=lambda more: next(iter(more)),
)
def test_another_request_is_refused_the_key(idempotency, more):
    idempotency.hold(request(), ACME)
    with pytest.raises(IdempotencyKeyReused) as refused:
        idempotency.hold(request("req_2", **more), ACME)
    assert (refused.value.status, refused.value.retry) == (422, False)
    assert idempotency.hold(request("req_2", **more), Caller("umbra", "key_2")).earlier is None


@pytest.mark.parametrize("more", [{"x_client_request_id": "1"}, {"user_agent": "x"}], ids=str)
def test_headers_that_decide_nothing_make_no_other_request(idempotency, more):
    idempotency.hold(request(), ACME)
    assert idempotency.hold(request("req_2", **more), ACME).earlier.request_id == "req_1"


@pytest.mark.parametrize("key", ["", " ", "a b", "k\u00e9y", "tab\t", "x" * 256, "\x7f"], ids=repr)
def test_a_key_is_1_to_255_visible_characters(idempotency, key):
    with pytest.raises(InvalidRequest, match=r"Idempotency-Key.*255 visible ASCII") as refused:
        idempotency.hold(request(key=key), ACME)
    assert refused.value.param == "Idempotency-Key"


@pytest.mark.parametrize("key", ["!", "~" * 255, '"8e03978e-40d5-43dd-bc93-6894a57f9324"'], ids=len)
def test_any_such_key_will_do(idempotency, key):
    assert idempotency.hold(request(key=key), ACME).earlier is None


def test_a_table_out_of_reach_is_no_reason_to_send_twice(cloud, idempotency):
    cloud.fail(cloud.dynamodb, "PutItem")
    with pytest.raises(Unavailable):
        idempotency.hold(request(), ACME)


def test_a_key_whose_confirmation_was_lost_is_taken(cloud, idempotency):
    cloud.fail(cloud.dynamodb, "PutItem", aws.lose_response)
    with pytest.raises(Unavailable):
        idempotency.hold(request(), ACME)
    cloud.restore(cloud.dynamodb, "PutItem")
    assert idempotency.hold(request("req_2"), ACME).earlier.request_id == "req_1"
