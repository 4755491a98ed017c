"""Each response and each batch that ends becomes one event, whatever is delivered how often."""

import json
import random
from collections import Counter
from dataclasses import replace

import pytest

from antiphon.rollup.announcing import Announcer
from antiphon.rollup.counting import LinkCounter
from antiphon.rollup.handler import StreamHandler
from antiphon.rollup.usage import UsageRollup
from antiphon.schema.webhooks import EVENT_TYPES
from antiphon.store.event_bus import EventBus
from antiphon.store.queue import (
    BusEvent,
    DeliverWebhook,
    PublishEvent,
    decode_message,
    encode_message,
)
from antiphon.store.webhook_endpoints import WebhookEndpoints
from tests.support.aws import refuse_connection
from tests.support.aws_clients import ONCE, aws_client
from tests.support.canaries import CONTENT
from tests.support.concurrency import IS_SOAK, wait_for
from tests.support.receiver import make_endpoint
from tests.support.usage import begin_response, complete_response, make_usage


class Events:
    """The default bus of moto, with a rule whose target is a queue."""

    def __init__(self, endpoint=None):
        self.client = aws_client("events", ONCE, endpoint)
        self.sqs = aws_client("sqs", endpoint=endpoint)
        self.url = self.sqs.create_queue(QueueName="ends")["QueueUrl"]
        name = {"QueueUrl": self.url, "AttributeNames": ["QueueArn"]}
        arn = self.sqs.get_queue_attributes(**name)["Attributes"]["QueueArn"]
        pattern = json.dumps({"source": ["antiphon"]})
        self.client.put_rule(Name="ends", EventPattern=pattern)
        self.client.put_targets(Rule="ends", Targets=[{"Id": "1", "Arn": arn}])

    def read(self):
        found = []
        while got := self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for each in got:
                found.append(json.loads(each["Body"]))
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=each["ReceiptHandle"])
        return found

    def refuse(self, is_down):
        hook = "before-send.events.PutEvents"
        if is_down:
            self.client.meta.events.register_first(
                hook, lambda request, **_: refuse_connection(request), "down"
            )
        else:
            self.client.meta.events.unregister(hook, unique_id="down")


@pytest.fixture
def bus(counted):
    events = Events()
    events.bus = EventBus(events.client, "default")
    cost = lambda _: None  # noqa: E731
    webhooks = WebhookEndpoints(counted.table, 20)
    webhooks.add("acme", ENDPOINT)
    announcer = Announcer(
        counted.links, counted.table, counted.dynamo.queue, cost, events.bus, webhooks
    )
    counter = LinkCounter(counted.table, UsageRollup(cost))
    counted.rollup = StreamHandler(
        [counter.apply, announcer.apply], counted.dynamo.queue, announce=announcer.flush
    )
    return events


ENDPOINT = make_endpoint(event_types=EVENT_TYPES)


def deferred_events(counted):
    """The events in the gateway's queue, as they are after a way through SQS."""
    sent = [each for each in counted.dynamo.queue if isinstance(each, PublishEvent)]
    counted.dynamo.queue.clear()
    return [decode_message(encode_message(each)).event for each in sent]


def test_a_response_that_ends_is_one_event_without_content(counted, bus):
    link = begin_response(
        counted,
        background=True,
        conversation="conv_1",
        metadata={"team": CONTENT["metadata value"]},
    )
    counted.run_rollup()
    assert bus.read() == []
    complete_response(counted, link, usage=make_usage(cached=400, reasoning=60))
    records = counted.dynamo.stream_records()
    for _ in range(2):  # a change may be delivered repeatedly
        assert counted.run_rollup(records) == []
    (event,) = bus.read()
    assert (event["source"], event["detail-type"]) == ("antiphon", "Response Ended")
    detail = event["detail"]
    assert detail["type"] == "response.completed"
    assert detail["object"] == {"id": link.id, "object": "response", "status": "completed"}
    assert (detail["tenant"], detail["key_id"], detail["target"]) == ("acme", "key_1", "openai")
    assert (detail["model"], detail["background"]) == ("gpt-5", True)
    assert detail["usage"]["input_tokens"] == 1000
    assert detail["usage"]["cached_tokens"] == 400
    assert detail["cost_usd"] is None  # no price is known here
    assert detail["created_at"].startswith("2023-11-14T")
    assert CONTENT["metadata value"] not in str(event)


def test_a_response_whose_outcome_is_lost_is_an_event_that_says_so(counted, bus):
    begin_response(counted, store=False, unfinished="cut")
    counted.run_rollup()
    (event,) = bus.read()
    assert event["detail"]["object"]["status"] == "unknown"
    assert event["detail"]["type"] == "response.unknown"
    assert event["detail"]["reason"] == "cut"


def test_a_batch_that_ends_is_one_event_with_its_usage(counted, bus):
    batch = counted.make_link(kind="batch", status="validating", id="batch_1")
    counted.links.put(batch)
    counted.run_rollup()
    usage = {"kind": "compaction", "status": "completed", "usage": make_usage(), "model": "gpt-5"}
    counted.links.put(replace(batch, **usage))
    counted.links.change(batch, status="expired")
    counted.run_rollup()
    (event,) = bus.read()
    assert event["detail-type"] == "Batch Ended"
    assert event["detail"]["type"] == "batch.expired"
    assert event["detail"]["usage"]["output_tokens"] == 100
    assert event["detail"]["model"] == "gpt-5"


def test_a_vector_store_whose_files_are_indexed_is_one_event(counted, bus):
    store = counted.make_link(kind="vector_store", status="in_progress", id="vs_1")
    counted.links.put(store)
    counted.links.put(counted.make_link(kind="vector_store", status="completed", id="vs_empty"))
    counted.run_rollup()
    assert bus.read() == []
    counted.links.change(store, status="completed", completed_at=1_700_000_060)
    records = counted.dynamo.stream_records()
    for _ in range(2):
        assert counted.run_rollup(records) == []
    (event,) = bus.read()
    assert event["detail-type"] == "Vector Store Ended"
    detail = event["detail"]
    assert detail["type"] == "vector_store.completed"
    assert detail["object"] == {"id": "vs_1", "object": "vector_store", "status": "completed"}
    assert (detail["usage"], detail["cost_usd"]) == (None, None)
    assert detail["completed_at"] == "2023-11-14T22:14:20Z"


def test_what_the_bus_does_not_take_goes_to_the_queue_and_delays_no_counting(counted, bus):
    bus.refuse(is_down=True)
    begin_response(counted, status="completed", usage=make_usage())
    assert counted.run_rollup() == []
    assert counted.total()["requests"] == 1
    (event,) = deferred_events(counted)
    bus.refuse(is_down=False)
    bus.bus.put_one(event)
    assert [each["detail"]["type"] for each in bus.read()] == ["response.completed"]


def test_an_entry_that_is_refused_is_returned(bus):
    bus.client.meta.events.register(
        "after-call.events.PutEvents",
        lambda parsed, **_: parsed["Entries"][1].update(ErrorCode="ThrottlingException"),
    )
    events = [BusEvent("Response Ended", {"id": str(n)}, 1_700_000_000) for n in range(3)]
    assert bus.bus.put(events) == [events[1]]


def test_a_background_response_is_an_event_of_the_deployed_kind(played):
    """By the command that developers run: its functions, its stream, its queue and its bus."""
    events = Events(played.aws_endpoint)
    with played.client() as client:
        body = {"model": "gpt-5", "input": "x", "background": True}
        id = client.post("/responses", json=body).json()["id"]
    found = []

    def read():
        found.extend(each for each in events.read() if each["detail"]["object"]["id"] == id)
        return found

    (event,) = wait_for(read, lambda found: len(found) > 0)
    assert event["detail"]["type"] == "response.completed"
    assert event["detail"]["usage"]["total_tokens"] > 0
    assert float(event["detail"]["cost_usd"]) > 0


ENDS = (
    {"status": "completed", "usage": make_usage()},
    {"status": "failed"},
    {"status": "incomplete", "usage": make_usage()},
    {"status": "cancelled"},
    {"unfinished": "gone"},
    {"unfinished": "given up: status 500"},
)


class Play:
    """Random lives of responses, and a stream that delivers repeatedly, late and in pieces."""

    def __init__(self, counted, bus, seed):
        self.counted, self.bus, self.random = counted, bus, random.Random(seed)
        self.open, self.ended, self.records, self.seen, self.queued = [], {}, [], [], []

    def run(self, steps):
        for _ in range(steps):
            self.random.choice(
                (self.begin, self.begin_ended, self.end, self.correct, self.cut, self.deliver)
            )()
        self.bus.refuse(is_down=False)
        self.deliver_all()

    def begin(self):
        self.open.append(begin_response(self.counted, background=True))

    def begin_ended(self):
        link = begin_response(self.counted, **self.random.choice(ENDS[:4]))
        self.ended[link.id] = link

    def end(self):
        if self.open:
            link = self.open.pop(self.random.randrange(len(self.open)))
            if self.random.random() < 0.2:
                self.counted.delete_link(link)
            else:
                self.counted.links.change(link, **self.random.choice(ENDS))
            self.ended[link.id] = link

    def correct(self):
        """What was given up may end after all."""
        if self.ended:
            link = self.random.choice([*self.ended.values()])
            self.counted.links.change(link, status="completed", usage=make_usage(input=7))

    def cut(self):
        if self.open:
            self.counted.links.change(self.random.choice(self.open), unfinished="cut")

    def deliver(self):
        is_down = self.random.random() < 0.3
        self.bus.refuse(is_down=is_down)
        self.records += self.counted.dynamo.stream_records()
        count = self.random.randint(0, len(self.records))
        self._deliver(self.records[:count])
        if self.random.random() < 0.7:  # else the batch is delivered again
            self.records = self.records[count:]
        self.bus.refuse(is_down=False)

    def deliver_all(self):
        self.records += self.counted.dynamo.stream_records()
        self._deliver(self.records)
        self.queued = [*self.counted.dynamo.queue]
        for event in deferred_events(self.counted):
            self.bus.bus.put_one(event)
        self.seen += self.bus.read()

    def _deliver(self, records):
        assert self.counted.run_rollup(records) == []


@pytest.mark.parametrize("seed", range(20 if IS_SOAK else 1))
def test_every_end_is_one_event_whatever_the_stream_delivers(counted, bus, seed):
    play = Play(counted, bus, seed)
    play.run(40)
    found = Counter(event["detail"]["object"]["id"] for event in play.seen)
    sent = [each for each in play.queued if isinstance(each, DeliverWebhook)]
    assert {each.event.object_id for each in sent} == set(play.ended)
    assert {each.event.id for each in sent} == {event["detail"]["id"] for event in play.seen}
    assert found == Counter(dict.fromkeys(play.ended, 1))
    assert len({event["detail"]["id"] for event in play.seen}) == len(play.ended)
