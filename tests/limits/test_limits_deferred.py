"""Usage counts against a budget even if the table was not available when the response ended."""

from dataclasses import replace

import pytest

from antiphon.errors import Unavailable
from antiphon.recording.tracker import DurableLinks, ResponseTracker, Stores, TrackedLink
from antiphon.store.dynamodb import BatchTable
from antiphon.store.items import Items
from antiphon.store.links import Links
from antiphon.store.queue import DeferredWrite
from infra.local.aws.resources import TABLE
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


def deferred_writes(cloud):
    return [message for message, _ in cloud.sent if isinstance(message, DeferredWrite)]


def test_usage_that_the_table_does_not_take_is_counted_from_the_queue(cloud, links, follow_up):
    reservation = reserve(follow_up.admission, CALLER)
    link = replace(LINK, store=True, lease=reservation.to_json())
    stores = Stores(links, Items(BatchTable(cloud.dynamodb, TABLE)), 30, 30)
    tracker = ResponseTracker(stores, reservation, lambda _: TrackedLink(link), is_new=True)
    links.put(link)
    ended = {"id": link.id, "status": "completed", "usage": make_usage(3, 4), "model": "dear"}
    cloud.fail(cloud.dynamodb, "UpdateItem")
    tracker.observe(ended)
    tracker.close("response.completed")
    deferred = deferred_writes(cloud)
    reserved = spent(cloud)
    run_follow_up(follow_up, deferred[-1])  # the table fails again, so the message is sent again
    assert len(deferred_writes(cloud)) > len(deferred)
    cloud.restore(cloud.dynamodb, "UpdateItem")
    for message in deferred * 2:  # a message may arrive twice
        run_follow_up(follow_up, message)
    assert reserved > spent(cloud) == COST
    assert cloud.row(link.id)["status"] == "completed"


def test_without_the_queue_the_usage_is_lost_and_nothing_is_raised(cloud, links, follow_up):
    reservation = reserve(follow_up.admission, CALLER)
    cloud.fail(cloud.sqs, "SendMessage")
    links.settle_later(replace(LINK, lease=reservation.to_json()), {})
    with pytest.raises(Unavailable):
        cloud.queue.send(DeferredWrite(LINK))
