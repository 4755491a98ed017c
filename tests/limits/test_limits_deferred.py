"""Usage counts against a budget even if the table was not available when the response ended."""

from dataclasses import replace

import pytest

from antiphon.recording.tracker import DurableLinks, ResponseTracker, Stores, TrackedLink
from antiphon.store.dynamodb import BatchTable
from antiphon.store.items import Items
from antiphon.store.links import Links
from infra.local.aws.resources import TABLE
from tests.support.dynamodb import make_link
from tests.support.follow_up import LINK, make_follow_up, run_follow_up
from tests.support.limits import NANO, make_caller, make_usage, reserve
from tests.support.upstream import plain_transport

CALLER = make_caller(budget_usd=9_999.0)
COST = 7 * NANO  # a dollar for each token


@pytest.fixture
def links(cloud):
    return DurableLinks(Links(cloud.table), cloud.queue)


@pytest.fixture
def follow_up(cloud, provider):
    with plain_transport() as client:
        yield make_follow_up(cloud, provider.address, client)


def spent(cloud):
    row = cloud.table.get("T#acme#L#key_1", "LIMITS")
    return next(value for name, value in row.items() if name.startswith("key_1_u"))


def end_without_table(cloud, links, admission):
    """End a response while the table takes no updates; return its link."""
    reservation = reserve(admission, CALLER)
    link = replace(LINK, store=True, lease=reservation.to_json())
    stores = Stores(links, Items(BatchTable(cloud.dynamodb, TABLE)), 30, 30)
    found = TrackedLink(link)
    tracker = ResponseTracker(stores, reservation, lambda *_: found, make_link, is_new=True)
    links.put(link)
    ended = {"id": link.id, "status": "completed", "usage": make_usage(3, 4), "model": "dear"}
    cloud.fail(cloud.dynamodb, "UpdateItem")
    tracker.observe(ended)
    tracker.close("response.completed")
    return link


def test_usage_that_the_table_does_not_take_is_counted_from_the_queue(cloud, links, follow_up):
    link = end_without_table(cloud, links, follow_up.admission)
    deferred, reserved = [message for message, _ in cloud.sent], spent(cloud)
    for message in deferred:
        run_follow_up(follow_up, message)  # the table fails again, so the message is sent again
    assert len(cloud.sent) > len(deferred)
    cloud.restore(cloud.dynamodb, "UpdateItem")
    for message in deferred * 2:  # a message may arrive twice
        run_follow_up(follow_up, message)
    assert reserved > spent(cloud) == COST
    assert cloud.row(link.id)["status"] == "completed"


def test_without_the_queue_the_link_stays_open_so_that_a_poll_counts_it(cloud, links, follow_up):
    cloud.fail(cloud.sqs, "SendMessage")
    link = end_without_table(cloud, links, follow_up.admission)
    assert cloud.row(link.id)["status"] == LINK.status
