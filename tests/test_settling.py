"""Unfinished responses are followed to their end, however long and stony the way."""

import json
import time
from dataclasses import replace

import pytest

from antiphon.follow_up import MIN_POLLS_BEFORE_GONE
from tests.support import aws
from tests.support.events import make_response
from tests.support.follow_up import FOLLOW, HOUR, LINK, NOW, USAGE, make_follow_up, run_follow_up
from tests.support.provider import CLOSE, encode_response
from tests.support.upstream import plain_transport


@pytest.fixture
def cloud():
    with aws.fake_aws() as made:
        yield made


@pytest.fixture
def settling(cloud, provider):
    with plain_transport() as client:
        yield make_follow_up(cloud, provider.address, client)


def says(provider, status="completed", **more):
    provider.respond_to_settle(
        "resp_1", encode_response(json.dumps(make_response("resp_1", status, **more)).encode())
    )


def test_an_ended_response_is_settled_with_its_usage(cloud, settling, provider):
    settling.links.put(LINK)
    says(provider, completed_at=NOW + 9)
    run_follow_up(settling, FOLLOW)
    row = cloud.row("resp_1")
    assert (row["status"], row["usage"], row["completed_at"]) == ("completed", USAGE, NOW + 9)
    assert cloud.sent == []
    [asked] = provider.settle_requests("resp_1")
    assert asked.line == "GET /v1/responses/resp_1 HTTP/1.1"
    assert asked.headers["authorization"] == "Bearer credential"


@pytest.mark.parametrize("status", ["failed", "incomplete", "cancelled"])
def test_every_end_is_an_end(cloud, settling, provider, status):
    settling.links.put(replace(LINK, unfinished="cut"))
    says(provider, status, usage=USAGE)
    run_follow_up(settling, FOLLOW)
    row = cloud.row("resp_1")
    assert (row["status"], row["usage"], row["unfinished"]) == (status, USAGE, None)
    assert NOW <= row["completed_at"] <= time.time()


def test_a_response_that_still_runs_is_asked_after_again_later(cloud, settling, provider):
    settling.links.put(LINK)
    says(provider, "in_progress")
    run_follow_up(settling, FOLLOW)
    assert cloud.row("resp_1")["status"] == "in_progress"
    assert cloud.sent == [(FOLLOW.next_attempt(), 4)]


def test_settled_twice_is_settled_once(cloud, settling, provider):
    settling.links.put(LINK)
    says(provider)
    run_follow_up(settling, FOLLOW)
    before = cloud.row("resp_1")
    run_follow_up(settling, FOLLOW)
    assert cloud.row("resp_1") == before
    assert len(provider.settle_requests("resp_1")) == 1


@pytest.mark.parametrize(
    "link",
    [
        replace(LINK, deleted_at=NOW),
        replace(LINK, expires_at=NOW - 1),
        replace(LINK, unfinished="gone"),
        replace(LINK, unfinished="given up: still running"),
        replace(LINK, tenant="umbra"),
    ],
)
def test_what_is_nobodys_or_settled_is_not_asked_after(cloud, settling, provider, link):
    settling.links.put(link)
    run_follow_up(settling, FOLLOW)
    assert (provider.settle_requests("resp_1"), cloud.sent) == ([], [])


def test_a_response_that_the_provider_does_not_know_for_long_is_gone(cloud, settling, provider):
    settling.links.put(LINK)
    follow = FOLLOW
    for _ in range(MIN_POLLS_BEFORE_GONE):
        assert "unfinished" not in cloud.row("resp_1")
        provider.respond_to_settle("resp_1", encode_response(b'{"error":{}}', status=404))
        run_follow_up(settling, follow)
        follow = follow.next_attempt()
    row = cloud.row("resp_1")
    assert (row["status"], row["unfinished"]) == ("queued", "gone")
    assert len(cloud.sent) == MIN_POLLS_BEFORE_GONE - 1


TROUBLES = {
    "status 500": encode_response(b"{}", status=500),
    "status 429": encode_response(b"{}", status=429),
    "upstream_auth": encode_response(b"{}", status=401),
    "upstream_failed": CLOSE,
    "still running": encode_response(json.dumps(make_response("resp_1", "in_progress")).encode()),
}


@pytest.mark.parametrize("why", TROUBLES)
def test_trouble_is_waited_out_but_not_for_ever(cloud, settling, provider, why):
    settling.links.put(LINK)
    provider.respond_to_settle("resp_1", TROUBLES[why])
    run_follow_up(settling, FOLLOW)
    assert [message for message, _ in cloud.sent] == [FOLLOW.next_attempt()]
    provider.respond_to_settle("resp_1", TROUBLES[why])
    run_follow_up(settling, replace(FOLLOW, since=NOW - 25 * HOUR))
    assert len(cloud.sent) == 1
    assert cloud.row("resp_1")["unfinished"] == f"given up: {why}"


def test_a_provider_that_is_silent_is_left_in_time(cloud, settling, provider):
    settling.links.put(LINK)
    provider.respond_to_settle("resp_1")
    started = time.monotonic()
    run_follow_up(settling, FOLLOW, seconds=0.4)
    assert time.monotonic() - started < 5
    assert [message for message, _ in cloud.sent] == [FOLLOW.next_attempt()]


def test_without_time_left_nobody_is_asked(cloud, settling, provider):
    settling.links.put(LINK)
    run_follow_up(settling, FOLLOW, seconds=-1)
    assert provider.settle_requests("resp_1") == []
    assert [message for message, _ in cloud.sent] == [FOLLOW.next_attempt()]


def test_a_response_whose_target_is_not_configured_is_given_up(cloud, settling, provider):
    settling.links.put(replace(LINK, target="gone"))
    run_follow_up(settling, FOLLOW)
    assert cloud.row("resp_1")["unfinished"] == "given up: target_not_configured"
    assert (provider.settle_requests("resp_1"), cloud.sent) == ([], [])


def test_a_target_without_a_credential_is_asked_when_it_has_one(cloud, settling):
    settling.links.put(LINK)
    cloud.secrets.delete_secret(SecretId="test/openai", ForceDeleteWithoutRecovery=True)
    run_follow_up(settling, FOLLOW)
    assert [message for message, _ in cloud.sent] == [FOLLOW.next_attempt()]


def test_a_table_that_does_not_answer_is_asked_again_later(cloud, settling):
    cloud.fail(cloud.dynamodb, "GetItem")
    run_follow_up(settling, FOLLOW)
    assert cloud.sent == [(FOLLOW.next_attempt(), 4)]


def test_an_outcome_that_was_learnt_but_not_written_is_not_lost(cloud, settling, provider):
    settling.links.put(LINK)
    cloud.fail(cloud.dynamodb, "UpdateItem")
    says(provider)
    run_follow_up(settling, FOLLOW)
    cloud.restore(cloud.dynamodb, "UpdateItem")
    row, again = (message for message, _ in cloud.sent)
    run_follow_up(settling, row)
    run_follow_up(settling, again)
    assert cloud.row("resp_1")["usage"] == USAGE
    assert len(provider.settle_requests("resp_1")) == 1
