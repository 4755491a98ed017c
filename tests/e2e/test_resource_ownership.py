"""Files, containers and other resources in a body: only the tenant's own reach a provider.

Each place where the API has an id, in each call that has the place, with each kind of id.
"""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from antiphon.store.links import link_row
from tests.support.concurrency import IS_SOAK
from tests.support.dynamodb import make_link
from tests.support.events import make_events, make_response, new_id
from tests.support.provider import encode_response, encode_stream

ID = "the id"
TOOLS = {  # path: (kind, tool)
    "vector_store_ids[0]": ("vector_store", {"type": "file_search", "vector_store_ids": [ID]}),
    "container": ("container", {"type": "code_interpreter", "container": ID}),
    "container.file_ids[0]": ("file", {"type": "code_interpreter", "container": {"type": "auto", "file_ids": [ID]}}),
    "environment.container_id": ("container", {"type": "shell", "environment": {"type": "container_reference", "container_id": ID}}),
    "environment.file_ids[0]": ("file", {"type": "shell", "environment": {"type": "container_auto", "file_ids": [ID]}}),
    "environment.skills[1].skill_id": ("skill", {"type": "shell", "environment": {"type": "container_auto", "skills": [{"type": "skill_reference", "skill_id": "openai-spreadsheets"}, {"type": "skill_reference", "skill_id": ID, "version": "latest"}]}}),
    "input_image_mask.file_id": ("file", {"type": "image_generation", "input_image_mask": {"file_id": ID}}),
    "tunnel_id": ("tunnel", {"type": "mcp", "server_label": "x", "tunnel_id": ID}),
    "tools[0].container": ("container", {"type": "namespace", "name": "x", "tools": [{"type": "code_interpreter", "container": ID}]}),
    "brand_new.file_id": ("file", {"type": "brand_new", "brand_new": {"file_id": ID}}),
}  # fmt: skip
ITEMS = {
    "content[1].file_id": ("file", {"role": "user", "content": [{"type": "input_text", "text": "x"}, {"type": "input_file", "file_id": ID}]}),
    "content[0].file_id": ("file", {"type": "message", "role": "developer", "content": [{"type": "input_image", "file_id": ID, "detail": "auto"}]}),
    "output[0].file_id": ("file", {"type": "custom_tool_call_output", "call_id": "c", "output": [{"type": "input_file", "file_id": ID}]}),
    "output.file_id": ("file", {"type": "computer_call_output", "call_id": "c", "output": {"type": "computer_screenshot", "file_id": ID}}),
    "container_id": ("container", {"type": "code_interpreter_call", "id": "ci_1", "code": "1", "status": "completed", "outputs": [], "container_id": ID}),
    "environment.container_id": ("container", {"type": "shell_call", "call_id": "c", "action": {"commands": ["ls"]}, "environment": {"type": "container_reference", "container_id": ID}}),
} | {
    f"tools[0].{path}": (kind, {"type": "tool_search_output", "call_id": "c", "tools": [tool]})
    for path, (kind, tool) in TOOLS.items()
}  # fmt: skip
MODEL_PLACES = {
    **{f"input[1].{path}": (kind, {"input": [{"role": "user", "content": "x"}, item]}) for path, (kind, item) in ITEMS.items()},
    **{f"tools[0].{path}": (kind, {"tools": [tool]}) for path, (kind, tool) in TOOLS.items()},
    "prompt.id": ("prompt", {"prompt": {"id": ID, "version": "2"}}),
    "prompt.variables.x.file_id": ("file", {"prompt": {"id": "pmpt_own", "variables": {"x": {"type": "input_file", "file_id": ID}}}}),
    "extra.vector_store_id": ("vector_store", {"extra": {"vector_store_id": ID}}),
}  # fmt: skip
ITEM_PLACES = {
    f"items[0].{path}": (kind, {"items": [item]}) for path, (kind, item) in ITEMS.items()
}
MODEL_CALLS = {  # name: (path, other members)
    "create": ("/responses", {"model": "gpt-5", "input": "x"}),
    "create streamed": ("/responses", {"model": "gpt-5", "input": "x", "stream": True}),
    "count": ("/responses/input_tokens", {"model": "gpt-5", "input": "x"}),
    "compact": ("/responses/compact", {"model": "gpt-5", "input": "x"}),
}
ITEM_CALLS = {
    "open": ("/conversations", {"brand_new": 1}),
    "add": ("/conversations/conv_own/items", {"brand_new": 1}),
}
UPDATE_PLACES = {"brand_new.container": ("container", {"brand_new": {"container": ID}})}
UPDATE_CALLS = {"update": ("/conversations/conv_own", {"metadata": {}})}
RESOURCE_PLACES = {  # path of the call: places in its body
    "/vector_stores": {"file_ids[0]": ("file", {"file_ids": [ID]})},
    "/vector_stores/vs_own/files": {"file_id": ("file", {"file_id": ID})},
    "/vector_stores/vs_own/file_batches": {
        "file_ids[1]": ("file", {"file_ids": ["file-own", ID]}),
        "files[0].file_id": ("file", {"files": [{"file_id": ID, "attributes": {"a": 1}}]}),
    },
    "/containers": {
        "file_ids[0]": ("file", {"file_ids": [ID]}),
        "skills[0].skill_id": ("skill", {"skills": [{"type": "skill_reference", "skill_id": ID}]}),
    },
    "/containers/cntr_own/files": {"file_id": ("file", {"file_id": ID})},
}


def with_calls(places, calls):
    """Each place in each call in a soak, else in one of them: one reader serves them all."""
    names = list(calls)
    for n, place in enumerate(places):
        for call in names if IS_SOAK else [names[n % len(names)]]:
            yield place, places, call, calls


CASES = [
    *with_calls(MODEL_PLACES, MODEL_CALLS),
    *with_calls(ITEM_PLACES, ITEM_CALLS),
    *(
        (place, UPDATE_PLACES, call, UPDATE_CALLS)
        for place in UPDATE_PLACES
        for call in UPDATE_CALLS
    ),
    *(
        (place, places, path, {path: (path, {"name": "x"})})
        for path, places in RESOURCE_PLACES.items()
        for place in places
    ),
]
TABLE = [
    pytest.param((*places[place], place, *calls[call]), id=f"{call}-{place}")
    for place, places, call, calls in CASES
]
KINDS = ("file", "vector_store", "container", "skill", "prompt", "tunnel")
STATES = ("foreign", "unknown", "deleted", "expired", "no such!")
OWNERS = [(door, key) for door in ("url", "rest") for key in ("acme", "acme's other")]
PREFIXES = {"file": "file-", "vector_store": "vs_", "container": "cntr_", "skill": "skill_", "prompt": "pmpt_", "tunnel": "tunnel_"}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _links(gateway):
    """An id of each kind that is acme's own, and others that are not, or no more."""
    now = int(time.time())
    states = {"own": {}, "foreign": {"tenant": "umbra"}, "deleted": {"deleted_at": now}, "expired": {"expires_at": now - 1}}  # fmt: skip
    for kind in KINDS:
        for state, more in states.items():
            link = make_link(kind=kind, id=PREFIXES[kind] + state, **more)
            gateway.put(link_row(link))
    gateway.put(link_row(make_link(kind="conversation", id="conv_own")))


@pytest.fixture(scope="module")
def clients(gateway):
    opened = {owner: gateway.client(*owner) for owner in OWNERS}
    yield opened
    for client in opened.values():
        client.close()


def choose(options, case, count):
    """All of them in a soak, else some that follow each other, other ones for the next case."""
    start = next(n for n, param in enumerate(TABLE) if param.values[0] is case)
    return options if IS_SOAK else [options[(start + n) % len(options)] for n in range(count)]


def body_with(id, members, common):
    """The bytes of a body, with white space and text that no JSON writer of ours would write."""
    body = json.dumps(common | members, indent=3).replace(json.dumps(ID), json.dumps(id))
    return body.replace("{", '{ "\\u00e4" : 1e2,', 1).encode()


def refused_ids(kind):
    """Of others, of nobody and of what is gone; malformed ones; values that are no text."""
    prefix = PREFIXES[kind]
    states = [prefix + state for state in ("foreign", "deleted", "expired", "unknown")]
    malformed = [prefix + "no such!", prefix + "own\n", prefix + "/../x", prefix + "x" * 1000]
    empty = [] if kind == "skill" else [""]  # OpenAI's own skills have no prefix
    return [*states, *malformed, prefix, prefix.upper() + "own", 7, True, *empty]


@pytest.mark.parametrize("case", TABLE)
def test_the_tenants_own_reaches_the_provider_unchanged(clients, provider, case):
    """At both doors, with the key that made it and with the tenant's other key."""
    kind, members, _, path, common = case
    body = body_with(PREFIXES[kind] + "own", members, common)
    owners = choose(OWNERS, case, 1)
    for client in map(clients.get, owners):
        id = "conv_own" if path == "/conversations/conv_own" else new_id()
        if common.get("stream"):
            provider.respond_with(encode_stream(*make_events(id)))
        else:
            provider.respond_with_json(make_response(id))
        got = client.post(path, content=body)
        assert got.status_code == 200, got.text
    assert [each.body for each in provider.received] == [body] * len(owners)


def refusals(client, case, ids):
    """The different answers that these ids get, apart from the ids."""
    _, members, place, path, common = case
    found = set()
    for id in ids:
        got = client.post(path, content=body_with(id, members, common))
        assert (got.status_code, got.json()["error"]["param"]) == (404, place)
        written = id if isinstance(id, str) else json.dumps(id)
        found.add(json.dumps(got.json()["error"]).replace(json.dumps(f"'{written}'")[1:-1], "'ID'"))
    return found


@pytest.mark.parametrize("case", TABLE)
def test_in_each_place_other_ids_are_refused(clients, provider, case):
    """Those of another tenant, of nobody and of what is gone, and a malformed one; at both doors."""
    kind, *_ = case
    refused = [(door, state) for state in STATES for door in ("url", "rest")]
    answers = [
        refusals(clients[door, "acme"], case, [PREFIXES[kind] + state])
        for door, state in choose(refused, case, 2)
    ]
    assert len(set.union(*answers)) == 1
    assert provider.received == []


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_all_other_ids_get_one_answer(clients, provider, door, kind, stream):
    members = {"extra": {"file_ids": ["file-own"], f"{kind}": {"id": ID}}}
    case = (
        kind,
        members,
        f"extra.{kind}.id",
        *("/responses", {"model": "gpt-5", "input": "x", "stream": stream}),
    )
    (answer,) = refusals(clients[door, "acme"], case, refused_ids(kind))
    assert provider.received == []
    error = json.loads(answer)
    assert error.pop("message").startswith(
        f"{kind.capitalize().replace('_', ' ')} with id 'ID' not found."
    )
    assert error == {"type": "invalid_request_error", "param": f"extra.{kind}.id", "code": None}


def test_items_of_another_target_than_the_conversations_are_refused(gateway, clients, provider):
    gateway.put(link_row(make_link(kind="file", id="file-azure", target="azure")))
    body = body_with("file-azure", {"items": [ITEMS["output.file_id"][1]]}, {})
    got = clients["url", "acme"].post("/conversations/conv_own/items", content=body)
    assert (got.status_code, got.json()["error"]["code"]) == (400, "targets_differ")
    assert provider.received == []


@pytest.mark.parametrize("deleted", [200, 404])
def test_no_create_that_follows_a_deletion_uses_the_id(gateway, clients, provider, deleted):
    """Creates run at both doors meanwhile; those that began before it ended may go either way."""
    id = f"file-race-{deleted}"
    gateway.put(link_row(make_link(kind="file", id=id)))
    body = body_with(id, {"file_id": ID}, {"model": "gpt-5", "input": "x"})
    is_used, is_deleted, uses = threading.Event(), threading.Event(), []

    def answer(request):
        if not request.line.startswith("POST /v1/responses "):
            is_delete = request.line.startswith("DELETE /v1/files/")
            return (encode_response(b'{"error":{}}', status=deleted if is_delete else 404),)
        uses.append(request)
        is_used.set()
        return (encode_response(json.dumps(make_response(new_id())).encode()),)

    def use(client):
        began_before, statuses = [], []
        while len(statuses) < 3:
            is_late = is_deleted.is_set()
            got = client.post("/responses", content=body)
            (statuses if is_late else began_before).append(got.status_code)
        return began_before, statuses

    provider.respond_by(answer)
    with ThreadPoolExecutor(len(clients)) as pool:
        callers = [pool.submit(use, client) for client in clients.values()]
        assert is_used.wait(30)
        assert clients["url", "acme"].delete(f"/files/{id}").status_code == deleted
        is_deleted.set()
        results = [caller.result() for caller in callers]
    assert {status for _, late in results for status in late} == {404}
    assert sum(early.count(200) for early, _ in results) == len(uses)
