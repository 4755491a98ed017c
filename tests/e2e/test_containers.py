"""Containers that a provider makes for a response belong to its tenant; a name alone gives none."""

import itertools
import json
import time

import pytest

from antiphon.store.links import link_row
from tests.support.dynamodb import make_link
from tests.support.events import make_event, make_response, new_id
from tests.support.provider import (
    LAST_CHUNK,
    Gate,
    encode_chunk,
    encode_response,
    encode_stream,
    encode_stream_head,
)
from tests.support.requests import CREATE, create_conversation, create_response

_numbers = itertools.count(1)
TOOL = {"type": "code_interpreter", "container": {"type": "auto"}}


def new_container():
    return f"cntr_e2e_{next(_numbers)}"


def call(container):
    return {"type": "code_interpreter_call", "id": new_id("ci"), "code": "1", "container_id": container, "outputs": None}  # fmt: skip


def citing(container):
    """A message that cites a file of the container."""
    citation = {"type": "container_file_citation", "file_id": "cfile_1", "container_id": container}
    part = {"type": "output_text", "text": "x", "annotations": [citation]}
    return {"type": "message", "role": "assistant", "content": [part]}


def encode(document):
    return encode_response(json.dumps(document).encode())


def make_run(id, container):
    """The events of a response that runs code and cites a file."""
    item, message = call(container), citing(container)
    return [
        make_event("response.created", 0, response=make_response(id, "in_progress")),
        make_event("response.output_item.added", 1, item=item),
        make_event("response.output_item.done", 2, item=item),
        make_event("response.output_item.done", 3, item=message),
        make_event("response.completed", 4, response=make_response(id, output=[item, message])),
    ]


def row(gateway, container, tenant="acme"):
    return gateway.row(f"T#{tenant}#container#{container}")


def run(client, provider, way, container):
    """Have a provider name a container in one of the ways that a caller has to a response."""
    id = new_id()
    item = call(container)
    if way == "create":
        provider.respond_with(encode(make_response(id, output=[item])))
        return client.post("/responses", json={**CREATE, "tools": [TOOL]})
    if way == "create streamed":
        provider.respond_with(encode_stream(*make_run(id, container)))
        return client.post("/responses", json={**CREATE, "tools": [TOOL], "stream": True})
    id = create_response(client, provider)
    if way == "resume":
        provider.respond_with(encode_stream(*make_run(id, container)[2:]))
        return client.get(f"/responses/{id}?stream=true&starting_after=1")
    provider.respond_with(encode(make_response(id, output=[citing(container)])))
    if way == "cancel":
        return client.post(f"/responses/{id}/cancel")
    return client.get(f"/responses/{id}")


def uses(container):
    """The bodies of requests whose response would use a container again."""
    shell = {"type": "container_reference", "container_id": container}
    return [
        {"tools": [{"type": "code_interpreter", "container": container}]},
        {"tools": [{"type": "shell", "environment": shell}], "stream": True},
        {"input": [{"role": "user", "content": "x"}, call(container)]},
        {"brand_new": [{"container_id": container}]},
    ]


def refuse(client, provider, container):
    """Nothing of a container that is another tenant's reaches a provider, whatever names it."""
    sent = len(provider.received)
    for use in uses(container):
        got = client.post("/responses", json={**CREATE, **use})
        assert (got.status_code, container in got.json()["error"]["message"]) == (404, True)
    got = client.post("/conversations", json={"items": [call(container)]})
    assert got.status_code == 404
    got = client.post("/responses", json={**CREATE, "instructions": [call(container)]})
    assert got.status_code == 400  # they are text
    assert len(provider.received) == sent


WAYS = ["create", "create streamed", "retrieve", "resume", "cancel"]


@pytest.mark.parametrize("way", WAYS)
def test_the_tenant_may_use_it_again_and_no_other(gateway, provider, door, way):
    container = new_container()
    with gateway.client(door) as client, gateway.client(door, "umbra") as other:
        refuse(client, provider, container)
        assert run(client, provider, way, container).status_code == 200
        found = row(gateway, container)
        assert (found["kind"], found["target"], found["tenant"]) == ("container", "openai", "acme")
        assert 29 * 86_400 < int(found["expires_at"]) - time.time() <= 30 * 86_400
        for use in uses(container)[::2]:
            provider.respond_with(encode(make_response(new_id())))
            assert client.post("/responses", json={**CREATE, **use}).status_code == 200
        refuse(other, provider, container)
    assert row(gateway, container, "umbra") is None


def test_it_is_owned_before_the_event_that_names_it(gateway, provider, door):
    container, gate = new_container(), Gate()
    events = make_run(new_id(), container)
    first, rest = encode_chunk(events[0]), map(encode_chunk, events[2:])
    half = len(events[1]) // 2
    named = [encode_chunk(events[1][:half]), encode_chunk(events[1][half:])]
    provider.respond_with(encode_stream_head(), first, *named, gate, *rest, LAST_CHUNK)
    create = {**CREATE, "stream": True}
    with gateway.client(door) as client, client.stream("POST", "/responses", json=create) as got:
        pieces, passed = got.iter_raw(), b""
        while container.encode() not in passed:
            passed += next(pieces)
        early = row(gateway, container)
        gate.open()
        assert passed + b"".join(pieces) == b"".join(events)
    assert early is not None
    assert early == row(gateway, container)


def test_one_that_its_tenant_deleted_stays_deleted(gateway, provider, client):
    container = new_container()
    gateway.put(link_row(make_link(kind="container", id=container, deleted_at=5)))
    assert run(client, provider, "create", container).status_code == 200
    refuse(client, provider, container)


ECHOES = {
    "create": lambda client: client.post("/responses", json=CREATE),
    "input items": lambda client, id: client.get(f"/responses/{id}/input_items"),
    "compact": lambda client: client.post("/responses/compact", json=CREATE),
    "conversation items": lambda client, id: client.get(f"/conversations/{id}/items"),
    "add items": lambda client, id: client.post(f"/conversations/{id}/items", json={"items": []}),
    "item": lambda client, id: client.get(f"/conversations/{id}/items/x"),
}


@pytest.mark.parametrize("way", ECHOES)
def test_what_an_answer_repeats_of_the_caller_is_not_owned(gateway, provider, client, way):
    """Otherwise whoever knows the id of another tenant's container could use it."""
    container = new_container()
    items = [call(container), citing(container)]
    tools = [{"type": "code_interpreter", "container": container}, {"container_id": container}]
    # A compaction begins with what it was made of; a single item is the answer itself.
    output, item = items if way == "compact" else [], items[0] if way == "item" else {}
    echo = {"output": output, "tools": tools, "instructions": items, "input": items, "data": items}
    ids = ()
    if way == "input items":
        ids = (create_response(client, provider),)
    elif "item" in way:
        ids = (create_conversation(client, provider),)
    provider.respond_with(encode({"id": new_id(), "status": "completed", **echo, **item}))
    got = ECHOES[way](client, *ids)
    assert (got.status_code, container in got.text) == (200, True)
    assert row(gateway, container) is None
    refuse(client, provider, container)
