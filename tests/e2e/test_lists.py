"""What a tenant has started, listed by the gateway itself at both doors."""

import itertools
import time

import pytest

from tests.support.events import new_id
from tests.support.requests import (
    create_conversation,
    create_from_request,
    create_response,
    delete_response,
    list_ids,
    read_list,
)

_models = (f"gpt-list-{n}" for n in itertools.count())
SHAPE = {
    "object": "response.link",
    "status": "completed",
    "target": "openai",
    "previous_response_id": None,
    "conversation": None,
    "background": False,
    "store": True,
    "metadata": {},
    "usage": {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7},
    "cost_usd": None,  # nobody knows a price of these models
    "service_tier": None,
    "unfinished": None,
    "attempts": None,
    "upstream_model": "gpt-5-2026",
}


@pytest.fixture
def model():
    """A model nobody else asks for: with it a test finds its own responses in the list."""
    return next(_models)


@pytest.fixture
def acme(gateway, door):
    with gateway.client(door) as client:
        yield client


@pytest.fixture
def umbra(gateway, door):
    with gateway.client(door, "umbra") as client:
        yield client


def test_responses_are_listed_newest_first_and_no_provider_is_called(acme, provider, model):
    first, second = (create_response(acme, provider, model) for _ in range(2))
    got = acme.get("/responses", params={"model": model})
    page = got.json()
    assert (page["object"], page["has_more"]) == ("list", False)
    assert (list_ids(page), page["first_id"], page["last_id"]) == ([second, first], second, first)
    link = page["data"][0]
    times = [link.pop("created_at"), link.pop("completed_at")]
    assert times == sorted(times)
    assert abs(times[0] - time.time()) < 60
    assert link.pop("expires_at") > time.time()
    assert 0 <= link.pop("waited_ms") < 60_000
    assert link.pop("key_id").startswith("key_")
    assert link == {"id": second, "model": model, "root": second, **SHAPE}
    assert got.headers["content-type"] == "application/json"
    assert got.headers["x-antiphon-consistency"] == "eventual"
    assert provider.received == []


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_follow_one_another(acme, provider, model, order):
    made_here = [create_response(acme, provider, model) for _ in range(4)]
    query = {"model": model, "limit": 2, "order": order}
    first = read_list(acme, **query)
    second = read_list(acme, **query, after=first["last_id"])
    assert [first["has_more"], second["has_more"]] == [True, False]
    assert list_ids(first) + list_ids(second) == (made_here if order == "asc" else made_here[::-1])


def test_lists_can_be_narrowed(acme, provider, model):
    failed, done = (
        create_response(acme, provider, model, status="failed"),
        create_response(acme, provider, model),
    )
    assert list_ids(read_list(acme, model=model, status="failed")) == [failed]
    now = int(time.time())
    assert list_ids(read_list(acme, model=model, created_after=now - 60)) == [done, failed]
    assert list_ids(read_list(acme, model=model, created_after=now + 60)) == []
    assert list_ids(read_list(acme, model=model, created_before=now + 60)) == [done, failed]
    assert read_list(acme, model=model, created_before=now - 60) == {
        "object": "list",
        "data": [],
        "first_id": None,
        "last_id": None,
        "has_more": False,
    }


def test_conversations_are_listed_with_what_is_known_of_them(acme, provider):
    id = create_conversation(acme, provider)
    page = read_list(acme, "/conversations", limit=1)
    [link] = page["data"]
    assert abs(link.pop("created_at") - time.time()) < 60
    assert link == {
        "id": id,
        "object": "conversation.link",
        "target": "openai",
        "metadata": {"a": "b"},
    }


def test_another_tenant_sees_nothing_of_it(acme, umbra, provider, model):
    response, conversation = (
        create_response(acme, provider, model),
        create_conversation(acme, provider),
    )
    assert list_ids(read_list(umbra, model=model)) == []
    assert conversation not in list_ids(read_list(umbra, "/conversations", limit=100))
    assert umbra.get(f"/responses/{response}/lineage").status_code == 404


def test_a_deleted_response_is_listed_no_more(acme, provider, model):
    left, deleted = (create_response(acme, provider, model) for _ in range(2))
    delete_response(acme, provider, deleted)
    assert list_ids(read_list(acme, model=model)) == [left]


def test_metadata_is_searched_by_an_index_that_follows_the_links(acme, umbra, provider, model):
    team = new_id("team")
    blue = create_from_request(acme, provider, model=model, metadata={"team": team, "run": "1"})
    red = create_from_request(acme, provider, model=model, metadata={"team": team, "run": "2"})
    bare = create_from_request(acme, provider, model=model)
    query = {"metadata[team]": team}
    while list_ids(found := read_list(acme, **query)) != [red, blue]:
        assert set(list_ids(found)) < {red, blue}  # the index lags; the time limit ends a vain wait
    assert list_ids(read_list(acme, **query, **{"metadata[run]": "1"})) == [blue]
    assert list_ids(read_list(acme, **query, model="another")) == []
    assert bare in list_ids(read_list(acme, model=model))
    assert list_ids(read_list(umbra, **query)) == []
    delete_response(acme, provider, red)
    assert list_ids(read_list(acme, **query)) == [blue]
