"""Containers that a provider names: owned before their names pass, and never what a caller named."""

import json
from dataclasses import replace

import pytest

from antiphon.errors import LinkNotWritten, Unavailable
from antiphon.http import RequestMetrics
from antiphon.json_reader import MAX_PARSED_BYTES
from antiphon.recording.reading import event_containers, output_containers
from antiphon.recording.tracker import (
    DurableLinks,
    RecordingStream,
    ResponseTracker,
    Stores,
    TrackedLink,
)
from antiphon.sse import EventSplitter
from antiphon.store.links import Links, link_row
from antiphon.upstream.stream import UpstreamStream
from antiphon.upstream.timers import ReadTimer
from tests.support.dynamodb import make_link
from tests.support.events import make_event, make_response, parse_events
from tests.support.metrics import format_log

NAMED = {"container_id": "cntr_1"}
CALL = {"type": "code_interpreter_call", "id": "ci_1", "code": "1", **NAMED}
SHELL = {"type": "shell_call", "environment": {"type": "container_reference", **NAMED}}
CITATION = {"type": "container_file_citation", "file_id": "cfile_1", **NAMED}
PART = {"type": "output_text", "text": "x", "annotations": [{"type": "url_citation"}, CITATION]}
MESSAGE = {"type": "message", "content": [{"type": "refusal"}, PART]}
ITEMS = {"code interpreter": CALL, "shell": SHELL, "citation": MESSAGE}
TOOL = {"type": "shell", "environment": NAMED}
# What an answer repeats of the caller's words, or looks up for it.
ECHOES = {
    "tools": [{"type": "code_interpreter", "container": "cntr_1", **NAMED}, TOOL],
    "instructions": [CALL, MESSAGE],
    "input": [CALL, MESSAGE],
    "prompt": {"variables": {"x": NAMED}},
    "metadata": NAMED,
    "data": [CALL, MESSAGE],
    **NAMED,
    "environment": NAMED,
    "annotations": [CITATION],
    "content": [PART],
}
ECHOING_ITEMS = [
    {"type": "tool_search_output", "tools": [TOOL]},
    {"type": "mcp_list_tools", "tools": [TOOL]},
    {"type": "function_call", "arguments": json.dumps(NAMED)},
    {"type": "file_search_call", "results": [{"attributes": NAMED}]},
    {"type": "message", "content": [{"type": "output_text", "text": json.dumps(NAMED)}]},
]
EVENTS = {
    "response.output_item.added": {"item": CALL},
    "response.output_item.done": {"item": MESSAGE},
    "response.content_part.done": {"part": PART},
    "response.output_text.annotation.added": {"annotation": CITATION},
    "response.completed": {"response": make_response("resp_1", output=[SHELL])},
    "response.incomplete": {"response": {"id": None, "output": [CALL]}},
}
STREAM = [
    make_event("response.created", 0, response=make_response("resp_1", "in_progress")),
    make_event("response.output_item.added", 1, item=CALL),
    make_event("response.completed", 2, response=make_response("resp_1", output=[CALL])),
]
ODD_IDS = ["", "marked id", "x" * 901, "é", 7, True, ["cntr_1"], {"id": "cntr_1"}]


@pytest.mark.parametrize("item", ITEMS.values(), ids=ITEMS)
def test_a_response_names_its_containers_in_its_output(item):
    assert list(output_containers({"output": [{}, None, item], **ECHOES})) == ["cntr_1"]


def test_what_repeats_the_caller_gives_no_container_away():
    assert list(output_containers({"output": ECHOING_ITEMS, **ECHOES})) == []
    response = {"output": ECHOING_ITEMS, **ECHOES}
    echo = make_event("response.created", 0, response=response, item=ECHOING_ITEMS[0], **ECHOES)
    assert list(event_containers(echo)) == []


@pytest.mark.parametrize("size", [0, MAX_PARSED_BYTES], ids=["small", "large"])
@pytest.mark.parametrize("type", EVENTS)
def test_each_kind_of_event_names_its_containers(type, size):
    event = make_event(type, 1, **EVENTS[type], padding="x" * size, **ECHOES)
    comment = b": container_id\n\n"
    assert list(event_containers(comment + event + event)) == ["cntr_1", "cntr_1"]
    with_crlf = event.replace(b"\n", b"\r\n")
    assert list(event_containers(with_crlf)) == ["cntr_1"]


@pytest.mark.parametrize("id", ODD_IDS, ids=range(len(ODD_IDS)))
def test_what_cannot_be_an_id_passes_without_an_owner(id, caplog):
    call, message = {**CALL, "container_id": id}, json.loads(json.dumps(MESSAGE))
    message["content"][1]["annotations"][1]["container_id"] = id
    assert list(output_containers({"output": [call, message, CALL]})) == ["cntr_1"]
    assert [record.message for record in caplog.records] == ["container has no usable id"] * 2
    assert "marked" not in format_log(caplog)


@pytest.mark.parametrize("value", [None, 7, "x", [], {}, [7], ["x"], [None], [[]]])
def test_members_of_other_types_name_none(value, caplog):
    items = [{"content": value, "environment": value}, {"content": [{"annotations": value}]}]
    assert list(output_containers({"output": items})) == []
    assert list(output_containers({"output": value})) == []
    odd = dict.fromkeys(["response", "item", "part", "annotation"], value)
    assert list(event_containers(make_event("x", 0, **odd, note="container_id"))) == []
    assert caplog.records == []


@pytest.fixture
def stores(cloud):
    links = DurableLinks(Links(cloud.table), cloud.queue)
    return Stores(links, None, 30, 30, shared={"cntr_shared"})


def container(id="cntr_1", **more):
    return make_link(kind="container", id=id, status="active", **more)


def row(cloud, id="cntr_1", tenant="acme"):
    return cloud.table.get(f"T#{tenant}#container#{id}", "LINK")


def count_writes(cloud):
    calls = []
    cloud.dynamodb.meta.events.register(
        "before-call.dynamodb.*", lambda model, **_: calls.append(model.name)
    )
    return calls


def test_one_that_was_recorded_lately_is_not_written_again(cloud, stores):
    calls = count_writes(cloud)
    for _ in range(3):
        stores.own_containers([container(), container("cntr_2")])
    stores.own_containers([container(tenant="umbra")])
    assert calls == ["PutItem"] * 3
    assert row(cloud)["target"] == row(cloud, tenant="umbra")["target"] == "openai"


DAY = 86_400
LATER = 4_000_000_000  # epoch seconds


@pytest.mark.parametrize(
    ("expires_at", "found", "writes"),
    [
        (LATER - DAY, LATER, ["PutItem", "UpdateItem"]),
        (5, LATER, ["PutItem", "UpdateItem"]),  # it has expired, and is not removed yet
        (LATER - DAY + 1, LATER - DAY + 1, ["PutItem"]),
        (LATER + 1, LATER + 1, ["PutItem"]),
    ],
)
def test_an_own_one_ends_as_late_as_the_newest_response(cloud, stores, expires_at, found, writes):
    created = container(request_id="r-0", expires_at=expires_at, details={"name": "x"})
    cloud.table.put(link_row(created))
    calls = count_writes(cloud)
    stores.own_containers([container(request_id="r-1", number=9, expires_at=LATER)])
    assert calls == writes
    assert Links(cloud.table).find("container", "acme", "cntr_1") == replace(
        created, expires_at=found
    )


def test_a_deleted_one_stays_deleted(cloud, stores):
    deleted = container(request_id="r-0", deleted_at=5)
    cloud.table.put(link_row(deleted))
    stores.own_containers([container(request_id="r-1", expires_at=LATER)])
    assert Links(cloud.table).find("container", "acme", "cntr_1") == deleted


def test_what_operators_share_stays_theirs(cloud, stores):
    stores.own_containers([container("cntr_shared")])
    assert row(cloud, "cntr_shared") is None


def make_tracker(stores, *, is_new=True):
    found = TrackedLink(make_link(id="resp_1"))
    return ResponseTracker(stores, None, lambda *_: found, container, is_new=is_new)


@pytest.mark.parametrize(("is_new", "error"), [(True, LinkNotWritten), (False, Unavailable)])
def test_without_table_and_queue_none_is_owned(cloud, stores, is_new, error):
    """A create has done its work, so only a retrieval may be sent again."""
    cloud.fail(cloud.dynamodb, "PutItem")
    cloud.fail(cloud.sqs, "SendMessage")
    tracker = make_tracker(stores, is_new=is_new)
    with pytest.raises(Unavailable) as caught:
        tracker.own_containers(["cntr_1"])
    assert type(caught.value) is error
    cloud.restore(cloud.dynamodb, "PutItem")
    tracker.own_containers(["cntr_1"])
    assert row(cloud) is not None


def test_what_the_table_does_not_take_waits_in_the_queue(cloud, stores):
    cloud.fail(cloud.dynamodb, "PutItem")
    tracker = make_tracker(stores)
    tracker.own_containers(["cntr_1", "cntr_1"])
    [(message, _)] = cloud.sent
    assert (message.link.kind, message.link.id, message.changes) == ("container", "cntr_1", {})


class Tracker:
    """Records the order in which a stream has things owned."""

    def __init__(self, error=None):
        self.owned, self.error, self.closed = [], error, []

    def observe(self, response):
        self.owned.append(response["id"])

    def own_containers(self, ids):
        for id in ids:
            if self.error is not None:
                raise self.error
            self.owned.append(id)

    def close(self, terminal_event):
        self.closed.append(terminal_event)
        return {}


def opened(tracker, chunks):
    stream = UpstreamStream(chunks, ReadTimer(None, float("inf")), lambda: None, EventSplitter())
    stream.open(280)
    recording = RecordingStream(stream, tracker, "openai", RequestMetrics())
    recording.open()
    return recording


def test_wherever_the_chunks_end_no_name_passes_before_it_is_owned():
    whole = b"".join(STREAM)
    for cut in range(1, len(whole)):
        tracker, passed = Tracker(), b""
        for data in opened(tracker, [whole[:cut], whole[cut:]]):
            passed += data
            assert b"cntr_1" not in passed or "cntr_1" in tracker.owned
        assert passed == whole
        assert tracker.closed == ["response.completed"]


def test_byte_by_byte_nothing_else_is_read_twice():
    tracker = Tracker()
    whole = b"".join(STREAM)
    passed = b"".join(opened(tracker, [whole[n : n + 1] for n in range(len(whole))]))
    assert passed == whole
    assert tracker.owned == ["resp_1", "cntr_1", "resp_1", "cntr_1"]


@pytest.mark.parametrize("chunks", [STREAM, STREAM[::2], [STREAM[0], STREAM[1] + STREAM[2]]])
def test_one_that_has_no_owner_is_in_no_event(chunks):
    """The pair has the last response object, which may name it too."""
    tracker = Tracker(LinkNotWritten("m"))
    events = parse_events(b"".join(opened(tracker, chunks)))
    error, failed = events[-2:]
    assert error["error"]["code"] == "link_not_written"
    assert (failed["type"], failed["response"]["id"]) == ("response.failed", "resp_1")
    assert "cntr_1" not in json.dumps(events)
    assert tracker.closed == [None]


def test_one_that_the_first_chunk_names_is_refused_while_the_status_is_open():
    tracker = Tracker(LinkNotWritten("m"))
    with pytest.raises(LinkNotWritten):
        opened(tracker, [b"".join(STREAM)])
    assert (tracker.owned[0], tracker.closed) == ("resp_1", [None])
