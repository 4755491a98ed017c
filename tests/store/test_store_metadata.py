"""Links by their metadata, found through the index that the table's stream feeds."""

import time
from dataclasses import replace

import pytest

from antiphon.errors import InvalidRequest
from antiphon.store.listings import LinkQuery
from tests.support.dynamodb import embedded_store, page_ids, read_pages

LONG = "ü" * 512


def found(dynamo, tenant="acme", kind="response", **asked):
    return page_ids(dynamo.listing.page(kind, tenant, LinkQuery(**asked)))


def test_all_pairs_must_hold(dynamo):
    made = [
        dynamo.make_link(metadata={"team": "blue", "run": "1"}),
        dynamo.make_link(metadata={"team": "blue", "run": "2"}),
        dynamo.make_link(metadata={"team": "red", "run": "1"}),
        dynamo.make_link(),
    ]
    dynamo.put_links(*made)
    dynamo.run_rollup()
    assert found(dynamo, metadata={"team": "blue"}) == [made[1].id, made[0].id]
    assert found(dynamo, metadata={"team": "blue", "run": "1"}) == [made[0].id]
    assert found(dynamo, metadata={"run": "1", "team": "red"}) == [made[2].id]
    assert found(dynamo, metadata={"team": "green"}) == []


@pytest.mark.parametrize("pair", [("k" * 64, LONG), ("empty", ""), ("a=b", "c#d"), ("a\0b", "c")])
def test_any_key_and_value_can_be_looked_for(dynamo, pair):
    made = dynamo.make_link(metadata=dict([pair]))
    dynamo.put_links(made, dynamo.make_link(metadata={"a": "b\0c"}))
    dynamo.run_rollup()
    assert found(dynamo, metadata=dict([pair])) == [made.id]


def test_pages_of_a_search_are_read_from_index_and_links_and_nothing_else(dynamo):
    made = [dynamo.make_link(metadata={"team": "blue"}) for _ in range(45)]
    dynamo.put_links(*made)
    dynamo.run_rollup()
    asked = LinkQuery(metadata={"team": "blue"})
    with dynamo.count_calls() as calls:
        page = dynamo.listing.page("response", "acme", asked)
    assert calls == ["Query", "BatchGetItem"]
    assert page.links == made[:24:-1]
    assert page.has_more
    pages = read_pages(dynamo, asked)
    assert [len(page.links) for page in pages] == [20, 20, 5]


def test_other_filters_hold_for_what_is_found(dynamo):
    metadata = {"team": "blue"}
    made = [
        dynamo.make_link(metadata=metadata, model=model, status=status)
        for model in ("gpt-5", "o3")
        for status in ("completed", "failed")
    ]
    dynamo.put_links(*made)
    dynamo.run_rollup()
    assert found(dynamo, metadata=metadata, model="o3") == [made[3].id, made[2].id]
    assert found(dynamo, metadata=metadata, model="o3", status="failed") == [made[3].id]
    start = made[0].created_at
    later = found(dynamo, metadata=metadata, created_after=start, newest_first=False)
    assert later == [each.id for each in made[1:]]
    assert found(dynamo, metadata=metadata, created_before=start + 1) == [made[0].id]


def test_tenants_and_kinds_are_searched_apart(dynamo):
    metadata = {"team": "blue"}
    dynamo.put_links(
        dynamo.make_link(id="resp_ours", metadata=metadata),
        dynamo.make_link(id="resp_theirs", tenant="umbra", metadata=metadata),
        dynamo.make_link(id="conv_ours", kind="conversation", metadata=metadata),
    )
    dynamo.run_rollup()
    assert found(dynamo, metadata=metadata) == ["resp_ours"]
    assert found(dynamo, "umbra", metadata=metadata) == ["resp_theirs"]
    assert found(dynamo, kind="conversation", metadata=metadata) == ["conv_ours"]
    assert found(dynamo, "umbra", "conversation", metadata=metadata) == []


def test_what_the_index_does_not_know_yet_is_not_believed(dynamo):
    """Deleted, expired and changed links are left out before the rollup has seen it."""
    metadata = {"team": "blue"}
    kept, deleted, expired, changed = (dynamo.make_link(metadata=metadata) for _ in range(4))
    dynamo.put_links(kept, deleted, expired, changed)
    dynamo.run_rollup()
    dynamo.links.mark_deleted(deleted)
    dynamo.links.change(expired, expires_at=int(time.time()) - 1)
    dynamo.links.change(changed, metadata={"team": "red"})
    assert found(dynamo, metadata=metadata) == [kept.id]


def test_a_search_over_many_stale_rows_ends_early_and_can_be_gone_on_from(dynamo, monkeypatch):
    monkeypatch.setattr("antiphon.store.listings.MAX_ROWS", 4)
    made = [
        dynamo.make_link(metadata={"team": "blue"}, model="o3" if n == 0 else None)
        for n in range(30)
    ]
    dynamo.put_links(*made)
    dynamo.run_rollup()
    pages = read_pages(dynamo, LinkQuery(limit=1, metadata={"team": "blue"}, model="o3"))
    assert len(pages) > 2
    assert [id for page in pages for id in page_ids(page)] == [made[0].id]


def test_only_the_configured_keys_are_indexed_and_others_refused():
    with embedded_store(keys=["team"]) as dynamo:
        made = dynamo.make_link(metadata={"team": "blue", "run": "1"})
        dynamo.put_links(made)
        dynamo.run_rollup()
        assert len(dynamo.metadata_index_keys()) == 1
        assert found(dynamo, metadata={"run": "1", "team": "blue"}) == [made.id]
        assert found(dynamo, metadata={"run": "2", "team": "blue"}) == []
        with pytest.raises(InvalidRequest, match=r"by metadata 'run'. This gateway indexes: team "):
            found(dynamo, metadata={"run": "1"})


def test_the_index_holds_no_metadata_and_expires_with_its_link(dynamo):
    made = dynamo.make_link(metadata={"secret-key": "secret-value"})
    dynamo.put_links(made)
    dynamo.run_rollup()
    [(partition, sort)] = dynamo.metadata_index_keys()
    row = dynamo.table.get(partition, sort)
    assert row == {"pk": partition, "sk": sort, "id": made.id, "expires_at": made.expires_at}
    assert partition.startswith("T#acme#M#R#")
    assert "secret" not in str(row)


def test_a_row_of_another_moment_of_the_same_id_is_not_believed(dynamo):
    made = dynamo.make_link(metadata={"team": "blue"})
    dynamo.put_links(made)
    dynamo.run_rollup()
    [(partition, _)] = dynamo.metadata_index_keys()
    row = {"pk": partition, "sk": f"0000000000001#{made.id}", "id": made.id, "expires_at": 1}
    dynamo.table.put(row)
    assert found(dynamo, metadata={"team": "blue"}) == [made.id]
    assert found(dynamo, metadata={"team": "blue"}, after=replace(made)) == []
