"""Pages of a tenant's links, by their creation time."""

import time
from dataclasses import replace

import pytest

from antiphon.store.links import Link
from antiphon.store.listings import LinkQuery
from tests.support.dynamodb import START_MS, page_ids, read_pages


def test_the_newest_link_comes_first(store):
    links = [store.make_link() for _ in range(3)]
    store.put_links(*links)
    page = store.listing.page("response", "acme", LinkQuery())
    assert page.links == links[::-1]
    assert (page.has_more, page.last_id) == (False, links[0].id)


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8])
def test_pages_have_every_link_once_and_none_is_empty(store, limit, newest_first):
    links = [store.make_link() for _ in range(6)]
    store.put_links(*links)
    pages = read_pages(store, LinkQuery(limit=limit, newest_first=newest_first))
    assert [id for page in pages for id in page_ids(page)] == [
        each.id for each in (links[::-1] if newest_first else links)
    ]
    assert all(page.links for page in pages)


@pytest.mark.parametrize("newest_first", [True, False])
def test_links_of_one_millisecond_are_distinct(store, newest_first):
    links = [
        store.make_link(id=id, created_ms=START_MS)
        for id in ("resp_a", "resp_a0", "resp_aZ", "resp_b")
    ]
    store.put_links(*links)
    pages = read_pages(store, LinkQuery(limit=1, newest_first=newest_first))
    expected = [[each.id] for each in links]
    assert [page_ids(page) for page in pages] == (expected[::-1] if newest_first else expected)


def test_a_page_is_one_query(store):
    store.put_links(*(store.make_link() for _ in range(21)))
    with store.count_calls() as calls:
        page = store.listing.page("response", "acme", LinkQuery())
    assert (len(page.links), page.has_more, calls) == (20, True, ["Query"])


def test_deleted_and_expired_links_are_not_listed(store):
    live, deleted, expired = (
        store.make_link(),
        store.make_link(),
        store.make_link(expires_at=int(time.time()) - 1),
    )
    store.put_links(live, deleted, expired)
    store.delete_link(deleted)
    page = store.listing.page("response", "acme", LinkQuery(limit=1))
    assert (page_ids(page), page.has_more) == ([live.id], False)


def test_a_tenant_sees_only_its_own_links(store):
    ours, theirs = store.make_link(), store.make_link(tenant="umbra")
    store.put_links(ours, theirs)
    assert page_ids(store.listing.page("response", "acme", LinkQuery())) == [ours.id]
    assert page_ids(store.listing.page("response", "umbra", LinkQuery())) == [theirs.id]
    assert page_ids(store.listing.page("response", "acm", LinkQuery())) == []


def test_responses_and_conversations_are_listed_separately(store):
    response, conversation = store.make_link(), store.make_link(id="conv_1", kind="conversation")
    store.put_links(response, conversation)
    assert page_ids(store.listing.page("response", "acme", LinkQuery())) == [response.id]
    assert page_ids(store.listing.page("conversation", "acme", LinkQuery())) == ["conv_1"]


BOUNDS = {  # of seconds after the start: links of 0, 1, 1.999 and 2 seconds
    (None, None): "abcd",
    (1, None): "d",
    (0, None): "bcd",
    (None, 2): "abc",
    (0, 2): "bc",
    (1, 2): "",
    (2, 1): "",
}


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("after", ["", *"abcd"])
def test_time_bounds_are_exclusive(store, after, newest_first):
    at = {"a": 0, "b": 1000, "c": 1999, "d": 2000}
    links = {id: store.make_link(id=id, created_ms=START_MS + ms) for id, ms in at.items()}
    store.put_links(*links.values())
    for (low, high), within in BOUNDS.items():
        query = LinkQuery(
            newest_first=newest_first,
            after=links.get(after),
            created_after=None if low is None else START_MS // 1000 + low,
            created_before=None if high is None else START_MS // 1000 + high,
        )
        found = page_ids(store.listing.page("response", "acme", query))
        assert sorted(found, reverse=newest_first) == found
        beyond = (id for id in within if (id < after if newest_first else id > after))
        assert sorted(found) == list(beyond if after else within)


def test_links_are_found_by_model_and_status(store):
    links = [
        store.make_link(model=model, status=status)
        for model in ("gpt-5", "o3", None)
        for status in ("completed", "failed")
    ]
    store.put_links(*links)
    for query in (
        LinkQuery(model="o3"),
        LinkQuery(status="failed"),
        LinkQuery(model="o3", status="failed"),
    ):
        page = store.listing.page("response", "acme", query)
        assert page.links == [each for each in links[::-1] if query.matches(each)]
        assert page.links


def test_a_page_is_filled_however_rare_its_links_are(store):
    links = [store.make_link(status="failed" if n % 40 == 0 else "completed") for n in range(200)]
    store.put_links(*links)
    with store.count_calls() as calls:
        pages = read_pages(store, LinkQuery(limit=2, status="failed"))
    assert [len(page.links) for page in pages] == [2, 2, 1]
    assert calls.count("Scan") == 0


def test_a_page_that_reads_too_many_rows_ends_early_and_can_be_continued(store, monkeypatch):
    monkeypatch.setattr("antiphon.store.listings.MAX_ROWS", 8)
    links = [store.make_link(status="failed" if n == 0 else "completed") for n in range(60)]
    store.put_links(*links)
    pages = read_pages(store, LinkQuery(limit=1, status="failed"))
    assert [page_ids(page) for page in pages[:-1]] == [[]] * (len(pages) - 1)
    assert len(pages) > 2
    assert (page_ids(pages[-1]), pages[-1].has_more) == ([links[0].id], False)


def test_a_page_never_ends_early_at_a_link_that_no_page_can_begin_after(store, monkeypatch):
    monkeypatch.setattr("antiphon.store.listings.MAX_ROWS", 2)
    links = [store.make_link() for _ in range(30)]
    store.put_links(*(replace(each, deleted_at=1) for each in links[5:]), *links[:5])
    page = store.listing.page("response", "acme", LinkQuery(limit=1, newest_first=True))
    assert page_ids(page) == [links[4].id]


def test_a_listed_link_equals_the_written_one(store):
    whole = store.make_link(
        model="gpt-5",
        usage={"input_tokens": 3, "input_tokens_details": {"cached_tokens": 1}},
        metadata={"team": "blue"},
        previous_response_id="resp_0",
        background=True,
        completed_at=1_700_000_000,
    )
    store.links.put(whole)
    found = store.listing.page("response", "acme", LinkQuery()).links
    assert found == [whole]
    assert isinstance(found[0], Link)
