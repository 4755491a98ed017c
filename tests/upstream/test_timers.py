"""Deadlines of a blocking read, by a clock of the test's own and by the real thread."""

import socket
import threading
import time

import pytest

from antiphon.upstream.outcome import UpstreamRequest, latest_end
from antiphon.upstream.timers import KEEP_ALIVE_COMMENT, NEVER, ReadTimer, TimerThread

NOW = 1000.0


def make_timer(**fields):
    return ReadTimer(None, fields.pop("ends_at", NEVER), last_read=NOW, last_sent=NOW, **fields)


def test_without_limits_nothing_is_due():
    assert make_timer().next_deadline() == NEVER


@pytest.mark.parametrize(
    ("fields", "deadline"),
    [
        ({"ends_at": NOW + 5}, NOW + 5),
        ({"ends_at": NOW + 5, "answers_by": NOW + 4}, NOW + 4),
        ({"max_silence": 3}, NOW + 3),
        ({"keep_alive": 2}, NEVER),
        ({"keep_alive": 2, "send": print}, NOW + 2),
        ({"ends_at": NOW + 5, "max_silence": 3, "keep_alive": 2, "send": print}, NOW + 2),
    ],
)
def test_the_earliest_deadline_is_next(fields, deadline):
    assert make_timer(**fields).next_deadline() == deadline


def test_a_comment_is_sent_in_silence():
    sent = []
    timer = make_timer(keep_alive=2, send=sent.append)
    timer.fire(NOW + 2)
    assert sent == [KEEP_ALIVE_COMMENT]
    assert timer.next_deadline() == NOW + 4
    assert timer.fault is None


@pytest.mark.parametrize(
    ("fields", "code"),
    [({"ends_at": NOW + 1}, "gateway_deadline"), ({"max_silence": 1}, "upstream_timeout")],
)
def test_a_deadline_ends_the_read_once(fields, code):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        timer = make_timer(**fields)
        timer.socket = ours
        timer.fire(NOW + 1)
        assert ours.recv(1) == b""
        assert timer.fault is not None
        assert timer.fault.code == code
        assert timer.next_deadline() == NEVER


def test_a_socket_that_is_closed_already_is_no_trouble():
    ours, theirs = socket.socketpair()
    ours.close()
    theirs.close()
    timer = make_timer(max_silence=1)
    timer.socket = ours
    timer.fire(NOW + 1)
    assert timer.fault is not None


def test_before_the_end_of_a_stream_no_comments_are_sent():
    timer = make_timer(keep_alive=1, send=print)
    timer.expect_end(5)
    assert timer.send is None


def test_what_arrives_does_not_postpone_the_end():
    timer = make_timer()
    timer.expect_end(5)
    ends_at = timer.next_deadline()
    timer.last_read = ends_at
    assert timer.next_deadline() == ends_at < NEVER


@pytest.mark.parametrize(
    ("left", "margin"),
    [(900, 10), (60, 10), (40, 10), (12, 3), (10, 2.5), (9, 2.25), (1, 0.25), (0, 0)],
)
def test_time_is_left_for_an_orderly_end_before_lambdas(left, margin):
    request = UpstreamRequest("GET", "/models", ends_at=time.monotonic() + left)
    assert request.ends_at - latest_end(request) == pytest.approx(margin, abs=0.1)


def test_the_thread_ends_a_read_that_blocks():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        timer = ReadTimer(ours, time.monotonic() + 60)
        TimerThread().start(timer)
        timer.allow_silence(0.05)
        assert ours.recv(1) == b""
        assert timer.fault is not None
        assert timer.fault.code == "upstream_timeout"


def test_the_thread_sends_comments_and_an_earlier_deadline_wakes_it():
    sent = threading.Event()
    timer = ReadTimer(None, time.monotonic() + 60, keep_alive=0.01)
    threads = TimerThread()
    threads.start(timer)
    timer.start_keep_alive(lambda _: sent.set())
    assert sent.wait(10)
    threads.stop(timer)


def test_a_timer_that_was_stopped_does_nothing_more():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        threads = TimerThread()
        first = ReadTimer(ours, NEVER, max_silence=NEVER)
        threads.start(first)
        threads.stop(first)
        first.allow_silence(0)
        second = ReadTimer(theirs, NEVER, max_silence=0)
        threads.start(second)
        assert theirs.recv(1) == b""  # the thread has run, and left the first timer alone
        assert first.fault is None


class EndingTimer(ReadTimer):
    """Its stream ends as soon as `send` is read."""

    def __getattribute__(self, name):
        value = super().__getattribute__(name)
        if name == "send":
            self.send = None
        return value


def test_a_stream_that_ends_while_a_comment_is_due_does_not_end_the_thread():
    sent = []
    EndingTimer(None, NEVER, send=sent.append, last_read=NOW, last_sent=NOW).fire(NOW + 2)
    assert sent == [KEEP_ALIVE_COMMENT]
