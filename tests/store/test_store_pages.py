"""Pages of a tenant's links, in the order in which they were made."""

import time
from dataclasses import replace

import pytest

from antiphon.store.links import Link
from antiphon.store.listings import LinkQuery
from tests.support.dynamodb import START_MS, page_ids, read_pages


def test_the_newest_link_comes_first(dynamo):
    made = [dynamo.make_link() for _ in range(3)]
    dynamo.put_links(*made)
    page = dynamo.listing.page("response", "acme", LinkQuery())
    assert page.links == made[::-1]
    assert (page.has_more, page.last_id) == (False, made[0].id)


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8])
def test_pages_hold_every_link_once_and_never_end_with_an_empty_one(dynamo, limit, newest_first):
    made = [dynamo.make_link() for _ in range(6)]
    dynamo.put_links(*made)
    pages = read_pages(dynamo, LinkQuery(limit=limit, newest_first=newest_first))
    assert [id for page in pages for id in page_ids(page)] == [
        each.id for each in (made[::-1] if newest_first else made)
    ]
    assert all(page.links for page in pages)


@pytest.mark.parametrize("newest_first", [True, False])
def test_links_of_one_millisecond_are_told_apart(dynamo, newest_first):
    made = [
        dynamo.make_link(id=id, created_ms=START_MS)
        for id in ("resp_a", "resp_a0", "resp_aZ", "resp_b")
    ]
    dynamo.put_links(*made)
    pages = read_pages(dynamo, LinkQuery(limit=1, newest_first=newest_first))
    expected = [[each.id] for each in made]
    assert [page_ids(page) for page in pages] == (expected[::-1] if newest_first else expected)


def test_a_page_is_one_query(dynamo):
    dynamo.put_links(*(dynamo.make_link() for _ in range(21)))
    with dynamo.count_calls() as calls:
        page = dynamo.listing.page("response", "acme", LinkQuery())
    assert (len(page.links), page.has_more, calls) == (20, True, ["Query"])


def test_deleted_and_expired_links_are_passed_over(dynamo):
    kept, deleted, expired = (
        dynamo.make_link(),
        dynamo.make_link(),
        dynamo.make_link(expires_at=int(time.time()) - 1),
    )
    dynamo.put_links(kept, deleted, expired)
    dynamo.links.mark_deleted(deleted)
    page = dynamo.listing.page("response", "acme", LinkQuery(limit=1))
    assert (page_ids(page), page.has_more) == ([kept.id], False)


def test_a_tenant_sees_its_own_links_alone(dynamo):
    ours, theirs = dynamo.make_link(), dynamo.make_link(tenant="umbra")
    dynamo.put_links(ours, theirs)
    assert page_ids(dynamo.listing.page("response", "acme", LinkQuery())) == [ours.id]
    assert page_ids(dynamo.listing.page("response", "umbra", LinkQuery())) == [theirs.id]
    assert page_ids(dynamo.listing.page("response", "acm", LinkQuery())) == []


def test_responses_and_conversations_are_listed_apart(dynamo):
    response, conversation = dynamo.make_link(), dynamo.make_link(id="conv_1", kind="conversation")
    dynamo.put_links(response, conversation)
    assert page_ids(dynamo.listing.page("response", "acme", LinkQuery())) == [response.id]
    assert page_ids(dynamo.listing.page("conversation", "acme", LinkQuery())) == ["conv_1"]


BOUNDS = {  # of seconds after the start: what was made at 0, 1, 1.999 and 2 seconds
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
def test_bounds_leave_their_own_seconds_out(dynamo, after, newest_first):
    at = {"a": 0, "b": 1000, "c": 1999, "d": 2000}
    made = {id: dynamo.make_link(id=id, created_ms=START_MS + ms) for id, ms in at.items()}
    dynamo.put_links(*made.values())
    for (low, high), within in BOUNDS.items():
        asked = LinkQuery(
            newest_first=newest_first,
            after=made.get(after),
            created_after=None if low is None else START_MS // 1000 + low,
            created_before=None if high is None else START_MS // 1000 + high,
        )
        found = page_ids(dynamo.listing.page("response", "acme", asked))
        assert sorted(found, reverse=newest_first) == found
        beyond = (id for id in within if (id < after if newest_first else id > after))
        assert sorted(found) == list(beyond if after else within)


def test_links_are_found_by_model_and_status(dynamo):
    made = [
        dynamo.make_link(model=model, status=status)
        for model in ("gpt-5", "o3", None)
        for status in ("completed", "failed")
    ]
    dynamo.put_links(*made)
    for asked in (
        LinkQuery(model="o3"),
        LinkQuery(status="failed"),
        LinkQuery(model="o3", status="failed"),
    ):
        page = dynamo.listing.page("response", "acme", asked)
        assert page.links == [each for each in made[::-1] if asked.fits(each)]
        assert page.links


def test_a_page_is_filled_however_rare_its_links_are(dynamo):
    made = [dynamo.make_link(status="failed" if n % 40 == 0 else "completed") for n in range(200)]
    dynamo.put_links(*made)
    with dynamo.count_calls() as calls:
        pages = read_pages(dynamo, LinkQuery(limit=2, status="failed"))
    assert [len(page.links) for page in pages] == [2, 2, 1]
    assert calls.count("Scan") == 0


def test_a_page_that_reads_too_much_ends_early_and_can_be_gone_on_from(dynamo, monkeypatch):
    monkeypatch.setattr("antiphon.store.listings.MAX_ROWS", 8)
    made = [dynamo.make_link(status="failed" if n == 0 else "completed") for n in range(60)]
    dynamo.put_links(*made)
    pages = read_pages(dynamo, LinkQuery(limit=1, status="failed"))
    assert [page_ids(page) for page in pages[:-1]] == [[]] * (len(pages) - 1)
    assert len(pages) > 2
    assert (page_ids(pages[-1]), pages[-1].has_more) == ([made[0].id], False)


def test_a_page_never_ends_early_at_a_link_nobody_can_ask_by(dynamo, monkeypatch):
    monkeypatch.setattr("antiphon.store.listings.MAX_ROWS", 2)
    made = [dynamo.make_link() for _ in range(30)]
    dynamo.put_links(*(replace(each, deleted_at=1) for each in made[5:]), *made[:5])
    page = dynamo.listing.page("response", "acme", LinkQuery(limit=1, newest_first=True))
    assert page_ids(page) == [made[4].id]


def test_the_link_comes_back_as_it_was_put(dynamo):
    whole = dynamo.make_link(
        model="gpt-5",
        usage={"input_tokens": 3, "input_tokens_details": {"cached_tokens": 1}},
        metadata={"team": "blue"},
        previous_response_id="resp_0",
        background=True,
        completed_at=1_700_000_000,
    )
    dynamo.links.put(whole)
    found = dynamo.listing.page("response", "acme", LinkQuery()).links
    assert found == [whole]
    assert isinstance(found[0], Link)
