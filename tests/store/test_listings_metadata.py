"""Pages of links by metadata, from the index that the table's stream updates."""

import time
from dataclasses import replace

import pytest

from antiphon.errors import InvalidRequest
from antiphon.store.listings import LinkQuery
from tests.support.dynamodb import embedded_store, page_ids, read_pages

LONG = "ü" * 512


def found_ids(store, tenant="acme", kind="response", **query):
    return page_ids(store.listing.page(kind, tenant, LinkQuery(**query)))


def test_all_pairs_must_match(store):
    links = [
        store.make_link(metadata={"team": "blue", "run": "1"}),
        store.make_link(metadata={"team": "blue", "run": "2"}),
        store.make_link(metadata={"team": "red", "run": "1"}),
        store.make_link(),
    ]
    store.put_links(*links)
    store.run_rollup()
    assert found_ids(store, metadata={"team": "blue"}) == [links[1].id, links[0].id]
    assert found_ids(store, metadata={"team": "blue", "run": "1"}) == [links[0].id]
    assert found_ids(store, metadata={"run": "1", "team": "red"}) == [links[2].id]
    assert found_ids(store, metadata={"team": "green"}) == []


@pytest.mark.parametrize("pair", [("k" * 64, LONG), ("empty", ""), ("a=b", "c#d"), ("a\0b", "c")])
def test_links_are_found_by_any_key_and_value(store, pair):
    link = store.make_link(metadata=dict([pair]))
    store.put_links(link, store.make_link(metadata={"a": "b\0c"}))
    store.run_rollup()
    assert found_ids(store, metadata=dict([pair])) == [link.id]


def test_a_page_by_metadata_is_one_query_and_one_batch_read(store):
    links = [store.make_link(metadata={"team": "blue"}) for _ in range(45)]
    store.put_links(*links)
    store.run_rollup()
    query = LinkQuery(metadata={"team": "blue"})
    with store.count_calls() as calls:
        page = store.listing.page("response", "acme", query)
    assert calls == ["Query", "BatchGetItem"]
    assert page.links == links[:24:-1]
    assert page.has_more
    pages = read_pages(store, query)
    assert [len(page.links) for page in pages] == [20, 20, 5]


def test_other_filters_apply_to_links_found_by_metadata(store):
    metadata = {"team": "blue"}
    links = [
        store.make_link(metadata=metadata, model=model, status=status)
        for model in ("gpt-5", "o3")
        for status in ("completed", "failed")
    ]
    store.put_links(*links)
    store.run_rollup()
    assert found_ids(store, metadata=metadata, model="o3") == [links[3].id, links[2].id]
    assert found_ids(store, metadata=metadata, model="o3", status="failed") == [links[3].id]
    start = links[0].created_at
    later = found_ids(store, metadata=metadata, created_after=start, newest_first=False)
    assert later == [each.id for each in links[1:]]
    assert found_ids(store, metadata=metadata, created_before=start + 1) == [links[0].id]


def test_tenants_and_kinds_have_separate_indexes(store):
    metadata = {"team": "blue"}
    store.put_links(
        store.make_link(id="resp_ours", metadata=metadata),
        store.make_link(id="resp_theirs", tenant="umbra", metadata=metadata),
        store.make_link(id="conv_ours", kind="conversation", metadata=metadata),
    )
    store.run_rollup()
    assert found_ids(store, metadata=metadata) == ["resp_ours"]
    assert found_ids(store, "umbra", metadata=metadata) == ["resp_theirs"]
    assert found_ids(store, kind="conversation", metadata=metadata) == ["conv_ours"]
    assert found_ids(store, "umbra", "conversation", metadata=metadata) == []


def test_stale_rows_of_the_index_are_ignored(store):
    """Deleted, expired and changed links are left out before the rollup has processed it."""
    metadata = {"team": "blue"}
    live, deleted, expired, changed = (store.make_link(metadata=metadata) for _ in range(4))
    store.put_links(live, deleted, expired, changed)
    store.run_rollup()
    store.delete_link(deleted)
    store.links.change(expired, expires_at=int(time.time()) - 1)
    store.links.change(changed, metadata={"team": "red"})
    assert found_ids(store, metadata=metadata) == [live.id]


def test_a_page_with_many_stale_rows_ends_early_and_can_be_continued(store, monkeypatch):
    monkeypatch.setattr("antiphon.store.listings.MAX_ROWS", 4)
    links = [
        store.make_link(metadata={"team": "blue"}, model="o3" if n == 0 else None)
        for n in range(30)
    ]
    store.put_links(*links)
    store.run_rollup()
    pages = read_pages(store, LinkQuery(limit=1, metadata={"team": "blue"}, model="o3"))
    assert len(pages) > 2
    assert [id for page in pages for id in page_ids(page)] == [links[0].id]


def test_only_configured_keys_are_indexed_and_others_are_refused():
    with embedded_store(keys=["team"]) as store:
        link = store.make_link(metadata={"team": "blue", "run": "1"})
        store.put_links(link)
        store.run_rollup()
        assert len(store.metadata_index_keys()) == 1
        assert found_ids(store, metadata={"run": "1", "team": "blue"}) == [link.id]
        assert found_ids(store, metadata={"run": "2", "team": "blue"}) == []
        with pytest.raises(InvalidRequest, match=r"by metadata 'run'. This gateway indexes: team "):
            found_ids(store, metadata={"run": "1"})


def test_the_index_holds_no_metadata_and_expires_with_its_link(store):
    link = store.make_link(metadata={"secret-key": "secret-value"})
    store.put_links(link)
    store.run_rollup()
    [(partition, sort)] = store.metadata_index_keys()
    row = store.table.get(partition, sort)
    assert row == {"pk": partition, "sk": sort, "id": link.id, "expires_at": link.expires_at}
    assert partition.startswith("T#acme#M#R#")
    assert "secret" not in str(row)


def test_a_row_with_another_time_than_its_link_is_ignored(store):
    link = store.make_link(metadata={"team": "blue"})
    store.put_links(link)
    store.run_rollup()
    [(partition, _)] = store.metadata_index_keys()
    row = {"pk": partition, "sk": f"0000000000001#{link.id}", "id": link.id, "expires_at": 1}
    store.table.put(row)
    assert found_ids(store, metadata={"team": "blue"}) == [link.id]
    assert found_ids(store, metadata={"team": "blue"}, after=replace(link)) == []
