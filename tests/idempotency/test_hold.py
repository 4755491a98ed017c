"""What becomes of a key when its request has come to something, or to nothing."""

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
from tests.idempotency.holding import ACME, FREE, IN_FLIGHT, MADE, outcome, request

NAMED = {"response_id": "resp_1"}


class Body:
    """A stream of two events, with the id noted before one of them, or before none."""

    def __init__(self, hold, names_at):
        self.closed = 0
        self.sends = None
        self._hold = hold
        self._names_at = names_at

    def attach(self, send):
        self.sends = send

    def __iter__(self):
        for number in range(2):
            if number == self._names_at:
                self._hold.keep(MADE)
            yield b"event"

    def close(self):
        self.closed += 1


ANSWERS = [
    (400, FREE),
    (401, FREE),
    (404, FREE),
    (408, FREE),
    (409, FREE),
    (422, FREE),
    (429, FREE),
    (503, FREE),
    (529, FREE),
    (500, {"status": 500, "code": "upstream_failed"}),
    (502, {"status": 502, "code": "upstream_failed"}),
    (504, {"status": 504, "code": "upstream_failed"}),
    (524, {"status": 524, "code": "upstream_failed"}),
]


@pytest.mark.parametrize(("status", "expected"), ANSWERS)
def test_a_providers_error_frees_the_key_if_nothing_was_begun(idempotency, status, expected):
    with idempotency.hold(request(), ACME) as hold:
        hold.settle(Reply(status, {}, b"{}"))
    assert outcome(idempotency) == expected


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
def test_our_own_refusal_frees_the_key_if_nothing_was_begun(idempotency, fault, expected):
    with pytest.raises(type(fault)), idempotency.hold(request(), ACME):
        raise fault
    assert outcome(idempotency) == expected


def test_a_link_that_was_not_written_is_a_failure_whose_id_is_known(idempotency):
    with suppress(LinkNotWritten), idempotency.hold(request(), ACME) as hold:
        hold.keep(MADE)
        raise LinkNotWritten("")
    assert outcome(idempotency) == {**NAMED, "status": 503, "code": "link_not_written"}


def test_a_request_that_is_stopped_leaves_its_key_to_the_deadline(idempotency):
    with pytest.raises(KeyboardInterrupt), idempotency.hold(request(), ACME):
        raise KeyboardInterrupt
    assert outcome(idempotency) == IN_FLIGHT


def test_a_response_is_noted_before_its_answer_is_out(idempotency):
    with idempotency.hold(request(), ACME) as hold:
        hold.keep(MADE)
        assert outcome(idempotency) == NAMED
        reply = Reply(200, {}, b"{}")
        assert hold.settle(reply) is reply
    assert outcome(idempotency) == NAMED


def test_a_stream_that_has_told_its_id_is_passed_on_as_it_is(idempotency):
    with idempotency.hold(request(), ACME) as hold:
        hold.keep(MADE)
        reply = Reply(200, {}, Body(hold, None))
        assert hold.settle(reply) is reply


@pytest.mark.parametrize(
    ("names_at", "expected"),
    [(1, NAMED), (None, {"status": 502, "code": "upstream_failed"})],
    ids=["late", "never"],
)
def test_a_stream_may_tell_its_id_late_or_never(idempotency, names_at, expected):
    with idempotency.hold(request(), ACME) as hold:
        body = Body(hold, names_at)
        reply = hold.settle(Reply(200, {}, body))
    reply.body.attach(print)
    assert (list(reply.body), body.sends) == ([b"event"] * 2, print)
    reply.body.close()
    assert body.closed
    assert outcome(idempotency) == expected


def test_a_stream_whose_client_has_gone_is_told_of_too(idempotency):
    with idempotency.hold(request(), ACME) as hold:
        reply = hold.settle(Reply(200, {}, body := Body(hold, None)))
    reply.body.close()
    assert body.closed
    assert outcome(idempotency)["status"] == 502


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "streamed"])
def test_an_id_that_could_not_be_noted_is_noted_at_the_end(cloud, idempotency, streams):
    with idempotency.hold(request(), ACME) as hold:
        cloud.fail(cloud.dynamodb, "UpdateItem")
        hold.keep(MADE)
        cloud.restore(cloud.dynamodb, "UpdateItem")
        reply = hold.settle(Reply(200, {}, Body(hold, None) if streams else b"{}"))
    if streams:
        assert list(reply.body)
    assert outcome(idempotency) == NAMED


def test_a_note_that_is_never_taken_harms_no_answer(cloud, idempotency):
    cloud.fail(cloud.dynamodb, "UpdateItem")
    with idempotency.hold(request(), ACME) as hold:
        hold.keep(MADE)
        assert hold.settle(Reply(200, {}, b"{}")).status == 200
    with pytest.raises(UpstreamFailed), idempotency.hold(request(key="other"), ACME):
        raise UpstreamFailed("")
    assert outcome(idempotency) == IN_FLIGHT
