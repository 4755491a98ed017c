"""A simulated week of the settle function, with and without Lambda's detection of loops."""

from dataclasses import replace

import httpx
import pytest

from antiphon.follow_up import MAX_BATCH_SECONDS, SqsHandler
from antiphon.store.queue import (
    MAX_PAUSE_SECONDS,
    DeferredWrite,
    PollBatch,
    PollResponse,
    Queue,
    decode_message,
)
from tests.support.events import make_response
from tests.support.follow_up import FOLLOW, HOUR, LINK, NOW, make_follow_up
from tests.support.recursion import (
    MAX_INVOCATIONS,
    MAX_RECEIVES,
    VISIBILITY_SECONDS,
    LoopingQueue,
)

WEEK = 7 * 24 * HOUR
UNTIL_DEAD_LETTER = MAX_RECEIVES * VISIBILITY_SECONDS
RUNNING = {f"/v1/responses/resp_{n}": make_response(f"resp_{n}", "in_progress") for n in (1, 2)}
RUNNING["/v1/batches/batch_1"] = {"id": "batch_1", "status": "in_progress"}


class Week:
    """The queue with its function, at a provider where nothing ends."""

    def __init__(self, cloud):
        self.polls = []  # path and time of each
        self.lambdas = LoopingQueue(cloud, NOW)
        transport = httpx.MockTransport(self._answer)
        self.queue = Queue(lambda: cloud.sqs, "https://sqs.invalid/q", clock=self.lambdas.clock)
        follow_up = make_follow_up(cloud, "http://127.0.0.1:1", transport)
        self.follow_up = replace(follow_up, queue=self.queue, clock=self.lambdas.clock)

    def run(self, *messages):
        for message in messages:
            self.queue.send(message)
        self.lambdas.run(SqsHandler(self.follow_up), NOW + WEEK)

    def poll_times(self, path):
        return [time - NOW for each, time in self.polls if each == f"/v1/{path}"]

    def _answer(self, request):
        self.polls.append((request.url.path, self.lambdas.now))
        return httpx.Response(200, json=RUNNING[request.url.path])


@pytest.fixture
def week(cloud, monkeypatch):
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "settle")  # else the SDK sends no trace header
    week = Week(cloud)
    week.follow_up.links.put(LINK)
    return week


def test_with_loop_detection_a_response_would_be_polled_for_less_than_an_hour(cloud, week):
    week.lambdas.is_loop_allowed = False
    week.run(FOLLOW)
    polls = week.poll_times("responses/resp_1")
    assert len(polls) == MAX_INVOCATIONS
    assert polls[-1] < HOUR
    assert len(week.lambdas.dropped) == 1
    assert "unfinished" not in cloud.row("resp_1")


def test_polls_reach_their_time_and_end(cloud, week):
    links = week.follow_up.links
    links.put(replace(LINK, id="batch_1", kind="batch", root="batch_1"))
    links.put(replace(LINK, id="resp_2", root="resp_2"))
    too_early = PollResponse("acme", "resp_2", since=NOW, not_before=NOW + 10 * WEEK)
    old = PollBatch("acme", "batch_1", since=NOW - MAX_BATCH_SECONDS + 2 * HOUR)
    week.run(FOLLOW, old, too_early)
    polls = week.poll_times("responses/resp_1")
    assert (len(polls), polls[-1] // HOUR) == (295, 24)  # 2, 4, 8, … and then every 300 seconds
    assert cloud.row("resp_1")["unfinished"] == "given up: still running"
    assert [time // HOUR for time in week.poll_times("responses/resp_2")] == [24]
    assert cloud.row("resp_2")["unfinished"] == "given up: still running"
    assert week.poll_times("batches/batch_1")[-1] // HOUR == 2
    assert week.lambdas.is_empty
    assert week.lambdas.now - NOW < 25 * HOUR


def test_a_write_that_the_table_never_takes_becomes_a_dead_letter(cloud, week):
    week.follow_up = replace(week.follow_up, max_age=HOUR)
    cloud.fail(cloud.dynamodb, "PutItem")
    week.run(DeferredWrite(LINK, since=NOW))
    assert [decode_message(body).link for body in week.lambdas.dead_letters] == [LINK]
    assert week.lambdas.is_empty
    assert HOUR < week.lambdas.now - NOW < HOUR + MAX_PAUSE_SECONDS + UNTIL_DEAD_LETTER


def test_a_chain_without_pauses_ends_after_as_many_messages(cloud, week):
    week.follow_up = replace(week.follow_up, max_age=HOUR)
    week.lambdas.has_delays = False
    week.run(FOLLOW)
    assert week.poll_times("responses/resp_1") == [0] * 19  # as many as the pauses of an hour
    assert cloud.row("resp_1")["unfinished"] == "given up: still running"
    assert week.lambdas.is_empty
