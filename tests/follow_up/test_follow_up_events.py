"""An event that the bus did not take is sent again, until the bus takes it."""

from dataclasses import replace

import pytest

from antiphon.errors import Unavailable
from antiphon.store.event_bus import EventBus
from antiphon.store.queue import BusEvent, PublishEvent
from tests.support.aws import refuse_connection
from tests.support.aws_clients import ONCE, aws_client
from tests.support.follow_up import HOUR, NOW, make_follow_up, run_follow_up
from tests.support.upstream import plain_transport

EVENT = BusEvent("Response Ended", {"id": "evt_1"}, NOW)


@pytest.fixture
def bus(cloud):
    """The default bus, beside the other services, whose entries are recorded."""
    assert cloud.sent == []
    client = aws_client("events", ONCE)
    client.entries = []
    client.meta.events.register(
        "provide-client-params.events.PutEvents",
        lambda params, **_: client.entries.extend(params["Entries"]),
    )
    return client


@pytest.fixture
def follow_up(cloud, bus):
    with plain_transport() as transport:
        made = make_follow_up(cloud, "http://127.0.0.1:9", transport)
        yield replace(made, bus=EventBus(bus, "default"))


def test_an_event_of_the_queue_is_sent(cloud, bus, follow_up):
    run_follow_up(follow_up, PublishEvent(event=EVENT))
    (entry,) = bus.entries
    assert (entry["Detail"], entry["EventBusName"]) == ('{"id":"evt_1"}', "default")
    assert cloud.sent == []


def test_an_event_that_the_bus_refuses_waits_longer_each_time_and_is_a_dead_letter_at_the_end(
    cloud, bus, follow_up
):
    bus.meta.events.register_first(
        "before-send.events.PutEvents", lambda request, **_: refuse_connection(request)
    )
    run_follow_up(follow_up, PublishEvent(event=EVENT))
    ((again, delay),) = cloud.sent
    assert (again.event, again.attempt, delay) == (EVENT, 2, 4)
    with pytest.raises(Unavailable):
        run_follow_up(follow_up, replace(again, since=NOW - 25 * HOUR))


def test_an_event_is_dropped_where_the_bus_was_switched_off(cloud, bus, follow_up):
    run_follow_up(replace(follow_up, bus=None), PublishEvent(event=EVENT))
    assert (bus.entries, cloud.sent) == ([], [])
