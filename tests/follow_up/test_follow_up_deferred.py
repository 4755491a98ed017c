"""Links that come late are written once, and undo nothing that came before them."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from antiphon.errors import Unavailable
from antiphon.follow_up import SqsHandler
from antiphon.store.queue import DeferredWrite, encode_message
from tests.support.follow_up import HOUR, LINK, NOW, USAGE, make_follow_up, run_follow_up
from tests.support.upstream import plain_transport


@pytest.fixture
def settling(cloud, provider):
    with plain_transport() as client:
        yield make_follow_up(cloud, provider.address, client)


def test_a_late_link_is_written(cloud, settling):
    """The rollup function has it polled from then on."""
    for _ in range(2):  # the queue may give a message twice
        run_follow_up(settling, DeferredWrite(LINK))
    assert settling.links.get("response", "acme", "resp_1") == LINK
    assert cloud.sent == []


def test_a_late_link_of_an_ended_response_is_all_there_is_to_write(cloud, settling):
    done = {"status": "completed", "usage": {**USAGE, "cost": 0.1}, "completed_at": NOW}
    run_follow_up(settling, DeferredWrite(LINK, done))
    run_follow_up(settling, DeferredWrite(LINK))  # in whichever order they come
    assert settling.links.get("response", "acme", "resp_1") == replace(LINK, **done)
    assert cloud.sent == []


def test_a_late_outcome_does_not_undo_a_later_one(cloud, settling):
    run_follow_up(settling, DeferredWrite(LINK, {"unfinished": "cut"}))
    settling.links.change(LINK, status="completed", usage=USAGE, unfinished=None)
    run_follow_up(settling, DeferredWrite(LINK, {"unfinished": "cut"}))
    row = cloud.row("resp_1")
    assert (row["status"], row["unfinished"]) == ("completed", None)


def test_a_late_deletion_is_marked_and_stays(cloud, settling):
    done = {"status": "completed", "usage": USAGE, "completed_at": NOW}
    run_follow_up(settling, DeferredWrite(LINK, {"deleted_at": NOW}))
    run_follow_up(settling, DeferredWrite(LINK, done))
    row = cloud.row("resp_1")
    assert (row["deleted_at"], row["usage"]) == (NOW, USAGE)
    assert settling.links.get("response", "acme", "resp_1") is None
    assert cloud.sent == []


def test_another_request_keeps_its_link(settling):
    other = replace(LINK, request_id="r-2", status="completed")
    settling.links.put(other)
    run_follow_up(
        settling, DeferredWrite(LINK, {"status": "failed", "usage": None, "completed_at": NOW})
    )
    assert settling.links.get("response", "acme", "resp_1") == other


def test_a_link_that_is_not_stored_is_written_and_not_followed(cloud, settling, provider):
    run_follow_up(settling, DeferredWrite(replace(LINK, store=False), {"unfinished": "cut"}))
    assert cloud.row("resp_1")["unfinished"] == "cut"
    assert (provider.settle_requests("resp_1"), cloud.sent) == ([], [])


def test_a_row_waits_for_the_table_until_it_is_a_dead_letter(cloud, settling):
    cloud.fail(cloud.dynamodb, "PutItem")
    row = DeferredWrite(LINK, since=NOW, attempt=3)
    run_follow_up(settling, row)
    assert cloud.sent == [(row.next_attempt(), 16)]
    with pytest.raises(Unavailable):
        run_follow_up(settling, replace(row, since=NOW - 25 * HOUR))
    cloud.restore(cloud.dynamodb, "PutItem")
    run_follow_up(settling, replace(row, since=NOW - 25 * HOUR))  # sent back by an operator
    assert settling.links.get("response", "acme", "resp_1") == LINK


def event(*bodies):
    return {"Records": [{"messageId": f"m-{n}", "body": b} for n, b in enumerate(bodies)]}


CONTEXT = SimpleNamespace(aws_request_id="call-1", get_remaining_time_in_millis=lambda: 60_000)


def test_a_bad_message_holds_up_no_other(cloud, settling):
    answer = SqsHandler(settling)(
        event("{", encode_message(DeferredWrite(LINK)), '{"kind":"no"}'), CONTEXT
    )
    failed = [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
    assert failed == ["m-0", "m-2"]
    assert cloud.row("resp_1") is not None


def test_what_nobody_takes_is_the_queues_again(cloud, settling):
    cloud.fail(cloud.dynamodb, "PutItem")
    cloud.fail(cloud.sqs, "SendMessage")
    answer = SqsHandler(settling)(event(encode_message(DeferredWrite(LINK))), CONTEXT)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m-0"}]}


def test_nothing_of_a_message_is_logged_but_ids(cloud, settling, capsys):
    private = replace(LINK, metadata={"note": "marker-of-the-caller"})
    cloud.fail(cloud.sqs, "SendMessage")
    SqsHandler(settling)(
        event("marker-of-the-caller", encode_message(DeferredWrite(private))), CONTEXT
    )
    assert "marker-of-the-caller" not in capsys.readouterr().out


def test_each_message_has_the_time_of_a_whole_request():
    """Else a message behind a slow one would find no time left for the table."""
    steps = []
    limit = SimpleNamespace(renew=lambda: steps.append("time"))
    follow_up = SimpleNamespace(handle=lambda *_: steps.append("message"))
    body = encode_message(DeferredWrite(LINK))
    SqsHandler(follow_up, times=[limit])(event(body, body), CONTEXT)
    assert steps == ["time", "message"] * 2
