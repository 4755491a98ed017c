"""What a response used is counted against its key's budget even where the table is away."""

from dataclasses import replace

import pytest

from antiphon.errors import Unavailable
from antiphon.recording.tracker import DurableLinks, ResponseTracker, Stores
from antiphon.store.dynamodb import BatchTable
from antiphon.store.items import Items
from antiphon.store.queue import DeferredWrite
from infra.local.things import TABLE
from tests.support import aws
from tests.support.follow_up import LINK, make_follow_up, run_follow_up
from tests.support.limits import make_caller, make_create, make_request, make_usage
from tests.support.upstream import plain_transport

SPENT = 7 * 10**9  # nano-dollars: a dollar for a token


@pytest.fixture
def cloud():
    with aws.fake_aws() as made:
        yield made


@pytest.fixture
def settling(cloud, provider):
    with plain_transport() as client:
        yield make_follow_up(cloud, provider.address, client)


def spent(cloud):
    row = cloud.table.get("T#acme#L#key_1", "LIMITS")
    return next(value for name, value in row.items() if name.startswith("key_1_u"))


def test_usage_that_the_table_does_not_take_is_counted_from_the_queue(cloud, settling):
    lease = settling.admission.admit(make_create(), make_caller(budget_usd=9_999.0), make_request())
    link = replace(LINK, store=True, lease=dict(lease.form))
    links = DurableLinks(cloud.table, cloud.queue)
    book = ResponseTracker(
        Stores(links, Items(BatchTable(cloud.dynamodb, TABLE)), 30, 30),
        lambda _: link,
        lease,
        new=True,
    )
    links.put(link)
    done = {"id": link.id, "status": "completed", "usage": make_usage(3, 4), "model": "dear"}
    cloud.fail(cloud.dynamodb, "UpdateItem")
    book.note(done)
    book.close("response.completed")
    late = [message for message, _ in cloud.sent if isinstance(message, DeferredWrite)]
    reserved = spent(cloud)
    run_follow_up(settling, late[-1])  # the table is still away: it stays in the queue
    assert len([message for message, _ in cloud.sent if isinstance(message, DeferredWrite)]) > len(
        late
    )
    cloud.restore(cloud.dynamodb, "UpdateItem")
    for row in late * 2:  # and may come twice
        run_follow_up(settling, row)
    assert reserved > spent(cloud) == SPENT
    assert cloud.row(link.id)["status"] == "completed"


def test_without_the_queue_it_is_lost_and_the_caller_not_told(cloud, settling):
    lease = settling.admission.admit(make_create(), make_caller(budget_usd=9_999.0), make_request())
    links = DurableLinks(cloud.table, cloud.queue)
    cloud.fail(cloud.sqs, "SendMessage")
    links.tell_later(replace(LINK, lease=dict(lease.form)), {})
    with pytest.raises(Unavailable):
        cloud.queue.send(DeferredWrite(LINK))
