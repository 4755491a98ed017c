"""Unfinished responses are polled to their end, or until polling gives up."""

import json
import time
from dataclasses import replace

import httpx
import pytest

from antiphon.errors import Unavailable
from antiphon.follow_up import MIN_POLLS_BEFORE_GONE
from tests.support.events import make_response
from tests.support.follow_up import FOLLOW, HOUR, LINK, NOW, USAGE, make_follow_up, run_follow_up
from tests.support.limits import DAY, IN_FLIGHT, NANO, RESERVED, SPENT, reserve
from tests.support.provider import CLOSE, encode_response
from tests.support.upstream import plain_transport


@pytest.fixture
def follow_up(cloud, provider):
    with plain_transport() as client:
        yield make_follow_up(cloud, provider.address, client)


def provider_has(provider, status="completed", **more):
    provider.respond_to_settle(
        "resp_1", encode_response(json.dumps(make_response("resp_1", status, **more)).encode())
    )


def test_an_ended_response_is_settled_with_its_usage(cloud, follow_up, provider):
    follow_up.links.put(LINK)
    provider_has(provider, completed_at=NOW + 9)
    run_follow_up(follow_up, FOLLOW)
    row = cloud.row("resp_1")
    assert (row["status"], row["usage"], row["completed_at"]) == ("completed", USAGE, NOW + 9)
    assert cloud.sent == []
    [request] = provider.settle_requests("resp_1")
    assert request.line == "GET /v1/responses/resp_1 HTTP/1.1"
    assert request.headers["authorization"] == "Bearer credential"


@pytest.mark.parametrize("status", ["failed", "incomplete", "cancelled"])
def test_every_final_status_settles(cloud, follow_up, provider, status):
    follow_up.links.put(replace(LINK, unfinished="cut"))
    provider_has(provider, status, usage=USAGE)
    run_follow_up(follow_up, FOLLOW)
    row = cloud.row("resp_1")
    assert (row["status"], row["usage"], row["unfinished"]) == (status, USAGE, None)
    assert NOW <= row["completed_at"] <= time.time()


def test_a_response_that_still_runs_is_polled_again_later(cloud, follow_up, provider):
    follow_up.links.put(LINK)
    provider_has(provider, "in_progress")
    run_follow_up(follow_up, FOLLOW)
    assert cloud.row("resp_1")["status"] == "in_progress"
    assert cloud.sent == [(FOLLOW.next_attempt(), 4)]


def test_a_second_poll_of_a_settled_response_does_nothing(cloud, follow_up, provider):
    follow_up.links.put(LINK)
    provider_has(provider)
    run_follow_up(follow_up, FOLLOW)
    before = cloud.row("resp_1")
    run_follow_up(follow_up, FOLLOW)
    assert cloud.row("resp_1") == before
    assert len(provider.settle_requests("resp_1")) == 1


@pytest.mark.parametrize(
    "link",
    [
        replace(LINK, unfinished="gone"),
        replace(LINK, unfinished="given up: still running"),
        replace(LINK, tenant="umbra"),
    ],
)
def test_what_is_foreign_or_settled_is_not_polled(cloud, follow_up, provider, link):
    follow_up.links.put(link)
    run_follow_up(follow_up, FOLLOW)
    assert (provider.settle_requests("resp_1"), cloud.sent) == ([], [])


def test_a_late_poll_does_not_undo_an_end(cloud):
    """While the provider is asked, the request itself records the end."""

    def answer(_):
        follow_up.links.change(LINK, status="completed", usage=USAGE)
        return httpx.Response(200, json=make_response("resp_1", "in_progress"))

    follow_up = make_follow_up(cloud, "http://127.0.0.1:1", httpx.MockTransport(answer))
    follow_up.links.put(LINK)
    run_follow_up(follow_up, FOLLOW)
    row = cloud.row("resp_1")
    assert (row["status"], row["usage"]) == ("completed", USAGE)


UNKNOWABLE = [({"deleted_at": NOW}, "deleted"), ({"store": False}, "not stored")]


@pytest.mark.parametrize(("more", "why"), UNKNOWABLE)
def test_what_the_provider_cannot_be_asked_for_is_given_up(cloud, follow_up, provider, more, why):
    link = replace(LINK, ends_by=NOW - 1, **more)
    follow_up.links.put(link)
    run_follow_up(follow_up, replace(FOLLOW, not_before=link.ends_by))
    assert cloud.row("resp_1")["unfinished"] == f"given up: {why}"
    assert (provider.settle_requests("resp_1"), cloud.sent) == ([], [])


@pytest.mark.parametrize(("more", "why"), UNKNOWABLE)
def test_what_is_given_up_keeps_its_reservation(cloud, follow_up, more, why):
    """Otherwise stalling, and a deletion or `store: false`, would make a response free."""
    reservation = reserve(follow_up.admission)
    link = replace(LINK, lease=reservation.to_json(), **more)
    follow_up.links.put(link)
    run_follow_up(follow_up, FOLLOW)
    assert cloud.row("resp_1")["unfinished"] == f"given up: {why}"
    counters = cloud.table.get("T#acme#L#key_1", "LIMITS")
    assert (counters[SPENT], counters[IN_FLIGHT]) == (RESERVED * NANO, 0)
    assert not [name for name in counters if name.startswith("held_")]


@pytest.mark.parametrize("attempt", [1, 2], ids=["first", "after a fault of the table"])
def test_what_a_killed_function_left_running_stays_reserved(cloud, follow_up, provider, attempt):
    reservation = reserve(follow_up.admission)
    follow_up.links.put(replace(LINK, ends_by=NOW, lease=reservation.to_json()))
    provider_has(provider, "in_progress")
    run_follow_up(follow_up, replace(FOLLOW, not_before=NOW, attempt=attempt))
    counters = cloud.table.get("T#acme#L#key_1", "LIMITS")
    assert (counters[SPENT], counters[IN_FLIGHT]) == (RESERVED * NANO, 0)
    [held] = [value for name, value in counters.items() if name.startswith("held_")]
    assert held["back"] == {SPENT: RESERVED * NANO}
    assert held["until"] >= follow_up.admission.rows.clock() + DAY


def test_a_poll_that_comes_early_is_sent_again(cloud, follow_up, provider):
    """The queue delays a message by 15 minutes at most."""
    early = replace(FOLLOW, not_before=NOW + HOUR)
    run_follow_up(follow_up, early)
    assert cloud.sent == [(early, 900)]
    assert provider.settle_requests("resp_1") == []


def test_a_cut_stream_is_not_polled_twice(cloud, follow_up, provider):
    """Since it was cut it has a poll of its own."""
    follow_up.links.put(replace(LINK, status="in_progress", ends_by=NOW, unfinished="cut"))
    run_follow_up(follow_up, replace(FOLLOW, not_before=NOW))
    assert (provider.settle_requests("resp_1"), cloud.sent) == ([], [])


def test_a_response_that_the_provider_does_not_find_for_long_is_gone(cloud, follow_up, provider):
    follow_up.links.put(LINK)
    poll = FOLLOW
    for _ in range(MIN_POLLS_BEFORE_GONE):
        assert "unfinished" not in cloud.row("resp_1")
        provider.respond_to_settle("resp_1", encode_response(b'{"error":{}}', status=404))
        run_follow_up(follow_up, poll)
        poll = poll.next_attempt()
    row = cloud.row("resp_1")
    assert (row["status"], row["unfinished"]) == ("queued", "gone")
    assert len(cloud.sent) == MIN_POLLS_BEFORE_GONE - 1


FAILURES = {
    "status 500": encode_response(b"{}", status=500),
    "status 429": encode_response(b"{}", status=429),
    "upstream_auth": encode_response(b"{}", status=401),
    "upstream_failed": CLOSE,
    "still running": encode_response(json.dumps(make_response("resp_1", "in_progress")).encode()),
}


@pytest.mark.parametrize("why", FAILURES)
def test_failing_polls_are_repeated_until_polling_gives_up(cloud, follow_up, provider, why):
    follow_up.links.put(LINK)
    provider.respond_to_settle("resp_1", FAILURES[why])
    run_follow_up(follow_up, FOLLOW)
    assert [message for message, _ in cloud.sent] == [FOLLOW.next_attempt()]
    provider.respond_to_settle("resp_1", FAILURES[why])
    run_follow_up(follow_up, replace(FOLLOW, since=NOW - 25 * HOUR))
    assert len(cloud.sent) == 1
    assert cloud.row("resp_1")["unfinished"] == f"given up: {why}"


def test_a_silent_provider_is_left_in_time(cloud, follow_up, provider):
    follow_up.links.put(LINK)
    provider.respond_to_settle("resp_1")
    started = time.monotonic()
    run_follow_up(follow_up, FOLLOW, seconds=0.4)
    assert time.monotonic() - started < 5
    assert [message for message, _ in cloud.sent] == [FOLLOW.next_attempt()]


def test_without_time_left_the_provider_is_not_called(cloud, follow_up, provider):
    follow_up.links.put(LINK)
    run_follow_up(follow_up, FOLLOW, seconds=-1)
    assert provider.settle_requests("resp_1") == []
    assert [message for message, _ in cloud.sent] == [FOLLOW.next_attempt()]


def test_a_response_whose_target_is_not_configured_is_given_up(cloud, follow_up, provider):
    follow_up.links.put(replace(LINK, target="gone"))
    run_follow_up(follow_up, FOLLOW)
    assert cloud.row("resp_1")["unfinished"] == "given up: target_not_configured"
    assert (provider.settle_requests("resp_1"), cloud.sent) == ([], [])


def test_a_target_without_a_credential_is_polled_when_it_has_one(cloud, follow_up):
    follow_up.links.put(LINK)
    cloud.secrets.delete_secret(SecretId="test/openai", ForceDeleteWithoutRecovery=True)
    run_follow_up(follow_up, FOLLOW)
    assert [message for message, _ in cloud.sent] == [FOLLOW.next_attempt()]


def test_a_poll_waits_while_the_table_does_not_answer(cloud, follow_up):
    cloud.fail(cloud.dynamodb, "GetItem")
    run_follow_up(follow_up, FOLLOW)
    assert cloud.sent == [(FOLLOW.next_attempt(), 4)]


@pytest.mark.parametrize("output", [[], [{"type": "message", "id": "msg_1"}]])
def test_an_outcome_that_the_table_does_not_take_is_not_lost(cloud, follow_up, provider, output):
    follow_up.links.put(LINK)
    for operation in ("UpdateItem", "TransactWriteItems"):
        cloud.fail(cloud.dynamodb, operation)
    provider_has(provider, output=output)
    provider_has(provider, output=output)
    run_follow_up(follow_up, FOLLOW)
    for operation in ("UpdateItem", "TransactWriteItems"):
        cloud.restore(cloud.dynamodb, operation)
    assert [message for message, _ in cloud.sent] == [FOLLOW.next_attempt()]
    run_follow_up(follow_up, FOLLOW.next_attempt())
    assert cloud.row("resp_1")["usage"] == USAGE
    items = [cloud.table.get(f"T#acme#X#{item['id']}", "ITEM") for item in output]
    assert [item["target"] for item in items] == ["openai"] * len(output)


@pytest.mark.parametrize("age", [0, 25 * HOUR])
def test_a_response_that_ends_during_the_last_poll_is_not_given_up(cloud, age):
    change = {"status": "completed", "usage": USAGE}

    def answer(_):
        follow_up.links.change(LINK, **change)
        return httpx.Response(404, json={"error": {}})

    follow_up = make_follow_up(cloud, "http://127.0.0.1:1", httpx.MockTransport(answer))
    follow_up.links.put(LINK)
    poll = replace(FOLLOW, attempt=MIN_POLLS_BEFORE_GONE, since=NOW - age)
    run_follow_up(follow_up, poll)
    row = cloud.row("resp_1")
    assert "unfinished" not in row
    assert row | change == row


@pytest.mark.parametrize(
    "output", [[], [{"type": "message", "id": "msg_1"}]], ids=["none", "items"]
)
def test_a_poll_that_settles_reads_once_and_writes_once(cloud, follow_up, provider, output):
    follow_up.links.put(LINK)
    provider_has(provider, output=output)
    calls = []
    cloud.dynamodb.meta.events.register(
        "before-call.dynamodb.*", lambda model, **_: calls.append(model.name)
    )
    run_follow_up(follow_up, FOLLOW)
    assert calls == ["GetItem", "TransactWriteItems" if output else "UpdateItem"]
    assert cloud.row("resp_1")["status"] == "completed"


def test_the_items_of_a_settled_response_may_be_referred_to(cloud, follow_up, provider):
    follow_up.links.put(LINK)
    provider_has(provider, output=[{"type": "message", "id": "msg_1"}])
    run_follow_up(follow_up, FOLLOW)
    assert cloud.table.get("T#acme#X#msg_1", "ITEM")["target"] == "openai"


CODE = {"type": "code_interpreter_call", "id": "ci_1", "container_id": "cntr_1"}


def container_row(cloud):
    return cloud.table.get("T#acme#container#cntr_1", "LINK")


def test_the_container_of_a_settled_response_may_be_used(cloud, follow_up, provider):
    follow_up.links.put(LINK)
    provider_has(provider, output=[CODE], tools=[{"container_id": "cntr_2"}])
    run_follow_up(follow_up, FOLLOW)
    assert container_row(cloud)["target"] == "openai"
    assert follow_up.links.get("container", "acme", "cntr_2") is None
    assert cloud.sent == []


def test_a_container_that_the_table_does_not_take_is_written_later(cloud, follow_up, provider):
    follow_up.links.put(LINK)
    cloud.fail(cloud.dynamodb, "PutItem")
    provider_has(provider, output=[CODE])
    run_follow_up(follow_up, FOLLOW)
    assert cloud.row("resp_1")["status"] == "completed"
    cloud.restore(cloud.dynamodb, "PutItem")
    [(deferred, _)] = cloud.sent
    for _ in range(2):  # the queue may deliver a message twice
        run_follow_up(follow_up, deferred)
    assert container_row(cloud)["expires_at"] > NOW


def test_a_container_that_nobody_takes_is_found_again(cloud, follow_up, provider):
    follow_up.links.put(LINK)
    cloud.fail(cloud.dynamodb, "PutItem")
    cloud.fail(cloud.sqs, "SendMessage")
    provider_has(provider, output=[CODE])
    with pytest.raises(Unavailable):  # so the message stays in the queue
        run_follow_up(follow_up, FOLLOW)
    assert cloud.row("resp_1")["status"] == "queued"
    cloud.restore(cloud.dynamodb, "PutItem")
    provider_has(provider, output=[CODE])
    run_follow_up(follow_up, FOLLOW)
    assert (cloud.row("resp_1")["status"], container_row(cloud)["id"]) == ("completed", "cntr_1")
