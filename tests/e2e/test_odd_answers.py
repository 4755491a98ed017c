"""Whatever a provider's answer contains, its bytes pass, its ids are owned and its usage counts."""

import json

import pytest

from tests.support.events import (
    ODD_VALUES,
    make_event,
    make_events,
    make_response,
    new_id,
    parse_events,
)
from tests.support.provider import (
    CLOSE,
    LAST_CHUNK,
    encode_chunk,
    encode_head,
    encode_response,
    encode_stream,
    encode_stream_head,
)
from tests.support.requests import (
    NOT_STORED,
    KeyedRequest,
    create_conversation,
    create_response,
    read_error,
)

ASK = {"model": "gpt-5", "input": "x"}
AT_OPENAI = {"x-antiphon-target": "openai"}
TOKENS = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}


@pytest.fixture(params=ODD_VALUES.values(), ids=ODD_VALUES)
def odd(request):
    """Adds a member to a JSON text that no strict parser takes."""
    return lambda text: text.replace(b"{", b'{"odd":%b,' % request.param, 1)


def encode(value):
    return json.dumps(value).encode()


def read_link(gateway, id, letter="R"):
    return gateway.row(f"T#acme#{letter}#{id}")


def test_a_created_response(gateway, provider, client, odd):
    id, item = new_id(), new_id("msg")
    answer = odd(encode(make_response(id, output=[{"type": "message", "id": item}])))
    provider.respond_with(encode_response(answer))
    got = client.post("/responses", json=ASK)
    assert (got.status_code, got.content) == (200, answer)
    link = read_link(gateway, id)
    assert (link["status"], link["usage"]) == ("completed", TOKENS)
    assert gateway.row(f"T#acme#X#{item}", "ITEM")
    provider.respond_with(encode_response(answer))
    assert client.get(f"/responses/{id}").content == answer


@pytest.mark.parametrize("at", [0, 2], ids=["first event", "last event"])
def test_a_streamed_response(gateway, provider, client, odd, at):
    id = new_id()
    events = make_events(id)
    events[at] = odd(events[at].replace(b'"response": {', b'"response": {"x":"\\ud800",'))
    provider.respond_with(encode_stream(*events))
    got = client.post("/responses", json={**ASK, "stream": True})
    assert (got.status_code, got.content) == (200, b"".join(events))
    link = read_link(gateway, id)
    assert (link["status"], link["usage"]) == ("completed", TOKENS)


def test_a_response_that_completes_later(gateway, provider, client, odd):
    id = create_response(client, provider, status="in_progress")
    answer = odd(encode(make_response(id)))
    provider.respond_with(encode_response(answer))
    assert client.get(f"/responses/{id}").content == answer
    assert read_link(gateway, id)["status"] == "completed"


@pytest.mark.parametrize("name", ["half of a surrogate pair", "300 arrays", "NaN"])
def test_a_response_that_is_replayed_as_a_stream(provider, client, name):
    keyed, id = KeyedRequest(client, stream=True), new_id()
    provider.respond_with(encode_stream(*make_events(id)))
    assert keyed.create().status_code == 200
    answer = encode(make_response(id)).replace(b"{", b'{"odd":%b,' % ODD_VALUES[name], 1)
    provider.respond_with(encode_response(answer))
    event = parse_events(keyed.create().content)[-1]
    assert (event["type"], event["response"]["id"]) == ("response.completed", id)
    assert "odd" in event["response"]


def test_lists_of_items_and_conversations(gateway, provider, client, odd):
    conversation, item = new_id("conv"), new_id("msg")
    created = odd(encode({"id": conversation, "metadata": {"a": "b"}}))
    provider.respond_with(encode_response(created))
    assert client.post("/conversations").content == created
    assert read_link(gateway, conversation, "C")
    listed = odd(encode({"object": "list", "data": [{"id": item, "type": "message"}]}))
    provider.respond_with(encode_response(listed))
    assert client.get(f"/conversations/{conversation}/items").content == listed
    assert gateway.row(f"T#acme#X#{item}", "ITEM")


def test_a_compaction(gateway, provider, client, odd):
    id = new_id()
    answer = odd(encode({"id": id, "object": "response.compaction", "output": [], "usage": TOKENS}))
    provider.respond_with(encode_response(answer))
    assert client.post("/responses/compact", json=ASK).content == answer
    assert read_link(gateway, id, "Z")["usage"] == TOKENS


def test_an_error_of_a_model_that_is_missing(provider, client, odd):
    """What an error means is found as well: a 404 that names the model is not the request's."""
    answer = odd(b'{"error":{"message":"m","type":"t","param":null,"code":"c"}}')
    provider.respond_with(encode_response(answer, 400))
    got = client.post("/responses", json={**ASK, "model": "public"})
    assert (got.status_code, got.content) == (400, answer)


def test_a_first_event_whose_id_cannot_be_read_is_not_passed_on(provider, client):
    event = make_events("resp_x")[0].replace(b"resp_x", b"resp_\\ud83d")
    provider.respond_with(encode_stream_head(), encode_chunk(event), CLOSE)
    got = client.post("/responses", json={**ASK, "stream": True})
    assert (got.status_code, got.headers["x-should-retry"]) == (502, "false")
    assert b"resp_" not in got.content


@pytest.mark.parametrize("id", ["", "x" * 3_000, "a b", 7, None, {"a": 1}], ids=str)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_an_id_that_nobody_could_name_is_not_passed_on(provider, client, id, stream):
    events = [make_event("response.completed", 1, response=make_response(id))]
    whole = encode_response(encode(make_response(id, output=["paid"])))
    provider.respond_with(encode_stream(*events) if stream else whole)
    got = client.post("/responses", json={**ASK, "stream": stream})
    if stream and id is None:  # nothing is named, so nothing can be lost
        assert got.content == b"".join(events)
        return
    assert (got.status_code, got.headers["x-should-retry"]) == (502, "false")
    assert b"paid" not in got.content


@pytest.mark.parametrize("id", ["x" * 600, "resp_a.b:c+d==", "a/b?c d".replace(" ", "%20")])
def test_an_id_is_as_its_provider_makes_it(gateway, provider, client, id):
    id += new_id()
    response = encode(make_response(id))
    provider.respond_with(encode_response(response))
    assert client.post("/responses", json=ASK).content == response
    assert read_link(gateway, id)
    provider.respond_with(encode_response(encode(make_response(new_id()))))
    follow_up = client.post("/responses", json={**ASK, "previous_response_id": id})
    assert follow_up.status_code == 200
    if "/" in id:
        return  # API Gateway decodes paths, so no request can name it there
    provider.respond_with(encode_response(response))
    got = client.get(f"/responses/{id.replace('%', '%25').replace('+', '%2B')}")
    assert (got.status_code, got.content) == (200, response)
    assert provider.received[-1].line.split("/")[-2].startswith(id[:5])


@pytest.mark.parametrize("usage", [b"NaN", b"1e-300", b"Infinity", b'"%b"' % (b"x" * 500_000)])
def test_usage_that_no_row_can_hold_prevents_no_link(gateway, provider, client, usage):
    id = new_id()
    answer = encode(make_response(id)).replace(b'"usage": {', b'"usage": {"odd":%b,' % usage)
    provider.respond_with(encode_response(answer))
    assert client.post("/responses", json=ASK).content == answer
    assert read_link(gateway, id)["usage"].items() >= TOKENS.items()


@pytest.mark.parametrize("status", [{}, None, 7, ["x"], "x" * 5_000], ids=str)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_status_that_is_none_ends_nothing(gateway, provider, client, status, stream):
    id = new_id()
    response = make_response(id, status, usage=TOKENS)
    events = [make_event("response.created", 0, response=response), make_events(id)[2]]
    provider.respond_with(encode_stream(*events) if stream else encode_response(encode(response)))
    got = client.post("/responses", json={**ASK, "stream": stream})
    assert (got.status_code, got.content) == (200, b"".join(events) if stream else encode(response))
    assert read_link(gateway, id)["status"] == ("completed" if stream else "in_progress")
    if not stream:
        provider.respond_with(encode_response(encode(response)))
        assert client.get(f"/responses/{id}").status_code == 200


def test_a_response_whose_id_changes_is_owned_by_every_id(gateway, provider, client):
    first, second, last = new_id(), new_id(), new_id()
    events = [
        make_event("response.created", 0, response=make_response(first, "in_progress")),
        make_event("response.in_progress", 1, response=make_response(second, "in_progress")),
        make_event("response.completed", 2, response=make_response(last)),
    ]
    provider.respond_with(encode_stream(*events))
    metadata = {"test": first}
    got = client.post("/responses", json={**ASK, "stream": True, "metadata": metadata})
    assert got.content == b"".join(events)
    assert read_link(gateway, first)["status"] == "completed"
    for id in (first, second, last):
        provider.respond_with(encode_response(encode(make_response(id))))
        assert client.get(f"/responses/{id}").status_code == 200
    links = client.get("/responses", params={"limit": 5}).json()["data"]
    assert [link["id"] for link in links if link["id"] in (first, second, last)] == [first]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("kind", ["Application/JSON; charset=utf-8", "text/json", "text/html"])
def test_an_answer_is_read_as_what_it_is(gateway, provider, client, kind, stream):
    id = new_id()
    provider.respond_with(encode_response(encode(make_response(id)), kind=kind))
    got = client.post("/responses", json={**ASK, "stream": stream})
    assert (got.status_code, got.json()) == (200, make_response(id))
    assert got.headers["content-type"] == kind if kind == "text/json" else "application/json"
    assert read_link(gateway, id)["status"] == "completed"


def test_the_answer_to_a_deletion_is_json_too(provider, client):
    id = create_response(client, provider)
    provider.respond_with(encode_response(b'{"deleted":true}', kind="Application/JSON"))
    got = client.delete(f"/responses/{id}")
    assert (got.json(), got.headers["content-type"]) == ({"deleted": True}, "application/json")


def test_events_in_place_of_json_are_passed_on_as_events(gateway, provider, client):
    id = new_id()
    provider.respond_with(encode_stream(*make_events(id)))
    got = client.post("/responses", json=ASK)
    assert (got.status_code, got.content) == (200, b"".join(make_events(id)))
    assert read_link(gateway, id)["status"] == "completed"


def test_an_answer_that_is_cut_is_owned_and_followed_up(gateway, provider, client):
    id = new_id()
    whole = encode(make_response(id))
    provider.respond_with(encode_response(whole)[:-9], CLOSE)
    provider.respond_to_settle(id, encode_response(whole))
    got = client.post("/responses", json=ASK)
    assert (got.status_code, got.headers["x-should-retry"]) == (502, "false")
    assert id not in got.text
    link = gateway.wait_for_row(f"T#acme#R#{id}", lambda row: row["status"] == "completed")
    assert link["usage"] == TOKENS


def test_an_answer_that_is_too_large_is_owned_and_counted(hasty, provider):
    id, later = new_id(), new_id()
    padding = "x" * 100_000
    provider.respond_with(encode_response(encode({"x": padding, **make_response(id)})))
    queued = encode({"x": padding, **make_response(later, "queued")})
    provider.respond_with(encode_response(queued))
    provider.respond_to_settle(
        later, encode_response(encode({"x": padding, **make_response(later)}))
    )
    with hasty.client() as client:
        for _ in range(2):
            got = client.post("/responses", json=ASK)
            error = got.json()["error"]
            assert (got.status_code, error["code"]) == (502, "upstream_answer_too_large")
            assert "max_answer_bytes" in error["message"]
            assert got.headers["x-should-retry"] == "false"
    assert (read_link(hasty, id)["status"], read_link(hasty, id)["usage"]) == ("completed", TOKENS)
    link = hasty.wait_for_row(f"T#acme#R#{later}", lambda row: row["status"] == "completed")
    assert link["usage"] == TOKENS


def test_a_large_answer_passes_unchanged(provider, client):
    answer = encode({**make_response(new_id()), "x": "y" * 3_000_000})
    provider.respond_with(encode_response(answer))
    assert client.post("/responses", json=ASK).content == answer


@pytest.mark.parametrize("body", [{}, {"store": True}])
def test_what_the_provider_did_not_store_is_not_listed_as_stored(provider, client, body):
    keyed, id = KeyedRequest(client, **body), new_id()
    provider.respond_with(encode_response(encode(make_response(id, store=False))))
    assert keyed.create().status_code == 200
    assert read_error(keyed.create()) == NOT_STORED
    links = client.get("/responses", params={"limit": 5}).json()["data"]
    assert [link["store"] for link in links if link["id"] == id] == [False]


def test_a_terminal_event_without_its_blank_line_ends_the_stream(gateway, provider, client):
    id = new_id()
    stream = b"".join(make_events(id))
    provider.respond_with(encode_stream_head(), encode_chunk(stream[:-2]), LAST_CHUNK)
    got = client.post("/responses", json={**ASK, "stream": True})
    assert got.content == stream
    assert read_link(gateway, id)["status"] == "completed"


@pytest.mark.parametrize("query", ["", "?stream=true"])
@pytest.mark.parametrize("kind", ["responses", "conversations"])
def test_another_object_than_the_requested_one_is_not_passed_on(
    gateway, provider, client, kind, query
):
    create = create_response if kind == "responses" else create_conversation
    id, other = create(client, provider), new_id()
    before = read_link(gateway, id, kind[0].upper())
    is_stream = query and kind == "responses"
    answer = encode_stream(*make_events(other)) if is_stream else None
    provider.respond_with(answer or encode_response(encode(make_response(other))))
    got = client.get(f"/{kind}/{id}{query}")
    assert got.status_code == 502
    assert other not in got.text
    assert read_link(gateway, id, kind[0].upper()) == before


@pytest.mark.parametrize("value", ODD_VALUES.values(), ids=ODD_VALUES)
def test_a_file_with_an_odd_name_is_owned(client, provider, value):
    id = new_id("file")
    answer = b'{"id":"%b","object":"file","filename":%b}' % (id.encode(), value)
    provider.respond_with(encode_response(answer))
    made = client.post("/files", json={}, headers=AT_OPENAI)
    assert (made.status_code, made.content) == (200, answer)
    provider.respond_with(encode_response(answer))
    assert client.get(f"/files/{id}").content == answer


def test_a_file_whose_answer_is_cut_is_owned(gateway, client, provider):
    """It exists at the provider, so its tenant must be able to delete it."""
    id = new_id("file")
    head = encode_head(200, "application/json", {"content-length": "999"})
    provider.respond_with(head, b'{"id":"%b","object":"file","byt' % id.encode(), CLOSE)
    made = client.post("/files", json={}, headers=AT_OPENAI)
    assert (made.status_code, made.headers["x-should-retry"]) == (502, "false")
    assert id not in made.text
    assert gateway.row(f"T#acme#file#{id}")["tenant"] == "acme"
