"""Each end is queued for the endpoints of its tenant that want it, with a bus and without."""

from dataclasses import replace

import pytest

from antiphon.errors import Unavailable
from antiphon.rollup.announcing import MARK_SORT, Announcer
from antiphon.rollup.handler import StreamHandler
from antiphon.store.links import link_partition
from antiphon.store.queue import DeliverWebhook, decode_message, encode_message
from antiphon.store.webhook_endpoints import WebhookEndpoints
from tests.support.receiver import make_endpoint
from tests.support.usage import begin_response, complete_response, make_usage

ENDPOINT = make_endpoint()


@pytest.fixture
def endpoints(counted):
    """The endpoints of acme: one wants completed responses, one failed ones."""
    endpoints = WebhookEndpoints(counted.table, 20)
    endpoints.add("acme", ENDPOINT)
    endpoints.add("acme", replace(ENDPOINT, id="wh_2", event_types=("response.failed",)))
    counted.rollup = roll_up(counted, endpoints, counted.dynamo.queue)
    return endpoints


def roll_up(counted, endpoints, queue):
    announcer = Announcer(counted.links, counted.table, queue, lambda _: None, None, endpoints)
    return StreamHandler([announcer.apply], queue, announce=announcer.flush)


def messages(counted):
    sent = [each for each in counted.dynamo.queue if isinstance(each, DeliverWebhook)]
    assert [decode_message(encode_message(each)) for each in sent] == sent
    return sent


def is_marked(counted, link):
    partition = link_partition("response", link.tenant, link.id)
    return counted.table.get(partition, MARK_SORT) is not None


@pytest.mark.usefixtures("endpoints")
def test_an_end_is_queued_once_for_the_endpoint_that_wants_it(counted):
    link = begin_response(counted, background=True)
    counted.run_rollup()
    assert messages(counted) == []
    complete_response(counted, link, usage=make_usage())
    records = counted.dynamo.stream_records()
    for _ in range(2):  # a change may be delivered repeatedly
        assert counted.run_rollup(records) == []
    (message,) = messages(counted)
    assert (message.tenant, message.endpoint, message.attempt) == ("acme", "wh_1", 1)
    assert (message.event.type, message.event.object_id) == ("response.completed", link.id)
    assert message.delay_at(0) == 0
    assert is_marked(counted, link)


@pytest.mark.usefixtures("endpoints")
def test_other_tenants_get_nothing_and_their_ends_cost_no_write(counted):
    link = begin_response(counted, tenant="umbra", status="completed", usage=make_usage())
    assert counted.run_rollup() == []
    assert messages(counted) == []
    assert not is_marked(counted, link)


def test_a_disabled_endpoint_gets_nothing(counted, endpoints):
    endpoints.disable("acme", "wh_1")
    begin_response(counted, status="completed", usage=make_usage())
    assert counted.run_rollup() == []
    assert messages(counted) == []


def test_an_end_that_the_queue_does_not_take_is_queued_when_it_is_delivered_again(
    counted, endpoints
):
    class Down(list):
        def send(self, _):
            raise Unavailable("The queue does not answer.")

    link = begin_response(counted, status="completed", usage=make_usage())
    records = counted.dynamo.stream_records()
    working, counted.rollup = counted.rollup, roll_up(counted, endpoints, Down())
    assert len(counted.run_rollup(records)) == 1
    assert not is_marked(counted, link)
    counted.rollup = working
    assert counted.run_rollup(records) == []
    assert [each.event.object_id for each in messages(counted)] == [link.id]
