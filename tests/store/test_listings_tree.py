"""Pages of the tree that a response belongs to."""

from antiphon.store.listings import LinkQuery
from tests.support.dynamodb import page_ids

PARENTS_FIRST = LinkQuery(newest_first=False)


def make_child(store, parent, **more):
    return store.make_link(root=parent.root, previous_response_id=parent.id, **more)


def test_a_tree_is_the_same_from_each_of_its_links(store):
    root = store.make_link()
    left, right = make_child(store, root), make_child(store, root)
    leaf = make_child(store, left)
    store.put_links(root, left, right, leaf, store.make_link())
    for link in (root, left, right, leaf):
        with store.count_calls() as calls:
            page = store.listing.tree(link, PARENTS_FIRST)
        assert page.links == [root, left, right, leaf]
        assert (page.has_more, calls) == (False, ["Query"])


def test_the_tree_of_a_conversation_begins_with_the_conversation(store):
    conversation = store.make_link(id="conv_1", kind="conversation")
    turns = [store.make_link(root="conv_1", conversation="conv_1") for _ in range(2)]
    store.put_links(conversation, *turns)
    assert page_ids(store.listing.tree(turns[1], PARENTS_FIRST)) == [
        "conv_1",
        *(t.id for t in turns),
    ]


def test_trees_of_two_tenants_with_the_same_root_are_separate(store):
    ours, theirs = (store.make_link(id="resp_same", tenant=tenant) for tenant in ("acme", "umbra"))
    store.put_links(ours, theirs, make_child(store, theirs, tenant="umbra"))
    assert store.listing.tree(ours, PARENTS_FIRST).links == [ours]


def test_deleted_links_are_not_in_the_tree(store):
    root = store.make_link()
    branch, other = make_child(store, root), make_child(store, root)
    store.put_links(root, branch, other)
    store.delete_link(branch)
    assert store.listing.tree(root, PARENTS_FIRST).links == [root, other]


def test_a_page_of_a_large_tree_can_also_end_at_a_conversation(store, monkeypatch):
    monkeypatch.setattr("antiphon.store.listings.MAX_ROWS", 1)
    older, conversation = (
        store.make_link(root="conv_1"),
        store.make_link(id="conv_1", kind="conversation"),
    )
    turns = [store.make_link(root="conv_1", deleted_at=1) for _ in range(2)]
    store.put_links(older, conversation, *turns)
    page = store.listing.tree(turns[0], LinkQuery(limit=2))
    assert (page_ids(page), page.has_more, page.last_id) == (["conv_1"], True, "conv_1")
