"""What an outcome does to the Idempotency-Key of its request."""

from contextlib import suppress

import pytest

from antiphon.errors import (
    InvalidRequest,
    LinkNotWritten,
    ModelNotFound,
    Unavailable,
    UpstreamFailed,
    UpstreamNotReached,
    UpstreamRefusedUs,
    UpstreamTimeout,
)
from antiphon.http import Reply
from antiphon.upstream.outcome import policy_for_status
from tests.idempotency.guarded_requests import (
    ACME,
    CREATED,
    FREE,
    IN_FLIGHT,
    make_request,
    read_outcome,
)

RESPONSE = {"response_id": "resp_1"}


class Body:
    """A stream of two events; the response gets its id before event `id_at`, or never."""

    def __init__(self, guard, id_at):
        self.closed = 0
        self.sends = None
        self._guard = guard
        self._id_at = id_at

    def attach(self, send):
        self.sends = send

    def __iter__(self):
        for number in range(2):
            if number == self._id_at:
                self._guard.remember_response(CREATED)
            yield b"event"

    def close(self):
        self.closed += 1


FREED_BY = (400, 401, 404, 408, 409, 422, 429, 503)
NOT_FREED_BY = (499, 500, 501, 502, 504, 520, 524, 529)


def record_status(idempotency, status):
    with idempotency.guard(make_request(), ACME) as guard:
        guard.record_reply(Reply(status, {}, b"{}"))
    return read_outcome(idempotency)


@pytest.mark.parametrize("status", FREED_BY)
def test_a_refusal_of_the_provider_frees_the_key(idempotency, status):
    assert record_status(idempotency, status) == FREE


@pytest.mark.parametrize("status", NOT_FREED_BY)
def test_an_error_that_may_have_been_processed_keeps_the_key(idempotency, status):
    expected = {"status": status, "code": "upstream_failed"}
    assert record_status(idempotency, status) == expected


@pytest.mark.parametrize("status", [402, 405, 413, 418, 451, 498, *range(505, 600, 6), 599])
def test_the_policy_for_a_status_decides_about_the_key(idempotency, status):
    policy = policy_for_status(status)
    assert policy.frees_key == (not policy.charges) == (policy.should_retry is not False)
    expected = FREE if policy.frees_key else {"status": status, "code": "upstream_failed"}
    assert record_status(idempotency, status) == expected


FAULTS = [
    (InvalidRequest(""), FREE),
    (ModelNotFound(""), FREE),
    (Unavailable(""), FREE),
    (UpstreamNotReached(""), FREE),
    (UpstreamRefusedUs(""), FREE),
    (UpstreamFailed(""), {"status": 502, "code": "upstream_failed"}),
    (UpstreamTimeout("", code="gateway_deadline"), {"status": 504, "code": "gateway_deadline"}),
    (LinkNotWritten(""), {"status": 503, "code": "link_not_written"}),
    (RuntimeError(), {"status": 500, "code": "gateway_error"}),
]


@pytest.mark.parametrize(("fault", "expected"), FAULTS, ids=lambda x: type(x).__name__)
def test_an_error_of_the_gateway_frees_the_key_if_nothing_was_processed(
    idempotency, fault, expected
):
    with pytest.raises(type(fault)), idempotency.guard(make_request(), ACME):
        raise fault
    assert read_outcome(idempotency) == expected


def test_an_unwritten_link_is_a_failure_with_a_response_id(idempotency):
    with suppress(LinkNotWritten), idempotency.guard(make_request(), ACME) as guard:
        guard.remember_response(CREATED)
        raise LinkNotWritten("")
    assert read_outcome(idempotency) == {**RESPONSE, "status": 503, "code": "link_not_written"}


def test_an_interrupted_request_leaves_its_key_until_the_deadline(idempotency):
    with pytest.raises(KeyboardInterrupt), idempotency.guard(make_request(), ACME):
        raise KeyboardInterrupt
    assert read_outcome(idempotency) == IN_FLIGHT


def test_a_response_is_recorded_before_its_reply(idempotency):
    with idempotency.guard(make_request(), ACME) as guard:
        guard.remember_response(CREATED)
        assert read_outcome(idempotency) == RESPONSE
        reply = Reply(200, {}, b"{}")
        assert guard.record_reply(reply) is reply
    assert read_outcome(idempotency) == RESPONSE


def test_a_stream_of_a_recorded_response_is_not_wrapped(idempotency):
    with idempotency.guard(make_request(), ACME) as guard:
        guard.remember_response(CREATED)
        reply = Reply(200, {}, Body(guard, None))
        assert guard.record_reply(reply) is reply


@pytest.mark.parametrize(
    ("id_at", "expected"),
    [(1, RESPONSE), (None, {"status": 502, "code": "upstream_failed"})],
    ids=["late", "never"],
)
def test_a_stream_may_have_its_id_late_or_never(idempotency, id_at, expected):
    with idempotency.guard(make_request(), ACME) as guard:
        body = Body(guard, id_at)
        reply = guard.record_reply(Reply(200, {}, body))
    reply.body.attach(print)
    assert (list(reply.body), body.sends) == ([b"event"] * 2, print)
    reply.body.close()
    assert body.closed
    assert read_outcome(idempotency) == expected


def test_a_stream_that_the_client_closes_is_recorded(idempotency):
    with idempotency.guard(make_request(), ACME) as guard:
        reply = guard.record_reply(Reply(200, {}, body := Body(guard, None)))
    reply.body.close()
    assert body.closed
    assert read_outcome(idempotency)["status"] == 502


@pytest.mark.parametrize("streams", [False, True], ids=["complete", "stream"])
def test_an_id_that_was_not_written_is_written_at_the_end(cloud, idempotency, streams):
    with idempotency.guard(make_request(), ACME) as guard:
        cloud.fail(cloud.dynamodb, "UpdateItem")
        guard.remember_response(CREATED)
        cloud.restore(cloud.dynamodb, "UpdateItem")
        reply = guard.record_reply(Reply(200, {}, Body(guard, None) if streams else b"{}"))
    if streams:
        assert list(reply.body)
    assert read_outcome(idempotency) == RESPONSE


def test_an_outcome_that_the_table_does_not_take_waits_in_the_queue(cloud, idempotency):
    cloud.fail(cloud.dynamodb, "UpdateItem")
    with pytest.raises(UpstreamFailed), idempotency.guard(make_request(), ACME):
        raise UpstreamFailed("")
    cloud.restore(cloud.dynamodb, "UpdateItem")
    [(message, _)] = cloud.sent
    cloud.table.update(*message.updates)
    assert read_outcome(idempotency) == {"status": 502, "code": "upstream_failed"}


def test_a_failed_write_changes_no_reply(cloud, idempotency):
    cloud.fail(cloud.dynamodb, "UpdateItem")
    cloud.fail(cloud.sqs, "SendMessage")
    with idempotency.guard(make_request(), ACME) as guard:
        guard.remember_response(CREATED)
        assert guard.record_reply(Reply(200, {}, b"{}")).status == 200
    with pytest.raises(UpstreamFailed), idempotency.guard(make_request(key="other"), ACME):
        raise UpstreamFailed("")
    assert read_outcome(idempotency) == IN_FLIGHT
