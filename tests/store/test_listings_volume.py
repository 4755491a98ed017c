"""Pages of thousands of links and of a tree with many branches; `make soak`: 10,000 and 1,000."""

import pytest

from antiphon.store.listings import LinkQuery
from tests.support.concurrency import ROUNDS
from tests.support.dynamodb import embedded_store, make_link, page_ids

LINKS, BRANCHES = 500 * ROUNDS, 50 * ROUNDS
MIDDLE = LINKS // 2


@pytest.fixture(scope="module")
def full():
    """A table with all these links of one tenant, and the branches of one conversation."""
    with embedded_store(stream=False) as store:
        store.put_links(*(store.make_link(id=f"resp_{n:05d}", tenant="rich") for n in range(LINKS)))
        tree = {"root": "conv_1", "conversation": "conv_1", "previous_response_id": "resp_b0000"}
        store.put_links(store.make_link(id="conv_1", kind="conversation", root="conv_1"))
        store.put_links(*(store.make_link(id=f"resp_b{n:04d}", **tree) for n in range(BRANCHES)))
        yield store


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("after_id", [None, f"resp_{MIDDLE:05d}"])
def test_a_page_of_many_links_is_one_query(full, newest_first, after_id):
    after = after_id and full.links.get("response", "rich", after_id)
    query = LinkQuery(limit=100, newest_first=newest_first, after=after)
    with full.count_calls() as calls:
        page = full.listing.page("response", "rich", query)
    first = {(True, True): LINKS - 1, (True, False): 0, (False, True): MIDDLE - 1}
    number = first.get((after_id is None, newest_first), MIDDLE + 1)
    step = -1 if newest_first else 1
    assert page_ids(page) == [f"resp_{number + step * n:05d}" for n in range(100)]
    assert (page.has_more, calls) == (True, ["Query"])


def test_the_last_page_of_many_has_no_more(full):
    after = full.links.get("response", "rich", "resp_00100")
    page = full.listing.page("response", "rich", LinkQuery(limit=100, after=after))
    assert (len(page.links), page.has_more, page.last_id) == (100, False, "resp_00000")


def test_a_rare_link_among_many_is_found(full):
    rare = make_link(id="resp_rare", tenant="rich", created_ms=1, status="failed")
    full.put_links(rare)
    with full.count_calls() as calls:
        page = full.listing.page("response", "rich", LinkQuery(status="failed"))
    full.table.delete("T#rich#R#resp_rare", "LINK")
    assert (page.links, page.has_more) == ([rare], False)
    assert set(calls) == {"Query"}
    assert len(calls) < 30


def test_each_page_of_a_tree_with_many_branches_is_one_query(full):
    branch = full.links.get("response", "acme", f"resp_b{BRANCHES // 2:04d}")
    seen, after, has_more = [], None, True
    while has_more:
        query = LinkQuery(limit=100, newest_first=False, after=after)
        with full.count_calls() as calls:
            page = full.listing.tree(branch, query)
        assert calls == ["Query"]
        seen += page_ids(page)
        after, has_more = page.links[-1], page.has_more
    assert seen == ["conv_1", *(f"resp_b{n:04d}" for n in range(BRANCHES))]
