"""The tree that a response belongs to."""

from antiphon.store.listings import LinkQuery
from tests.support.dynamodb import page_ids

PARENTS_FIRST = LinkQuery(newest_first=False)


def make_child(dynamo, parent, **more):
    return dynamo.make_link(root=parent.root, previous_response_id=parent.id, **more)


def test_a_tree_has_root_children_and_branches_from_wherever_it_is_asked_for(dynamo):
    root = dynamo.make_link()
    left, right = make_child(dynamo, root), make_child(dynamo, root)
    leaf = make_child(dynamo, left)
    dynamo.put_links(root, left, right, leaf, dynamo.make_link())
    for asked_for in (root, left, right, leaf):
        with dynamo.count_calls() as calls:
            page = dynamo.listing.tree(asked_for, PARENTS_FIRST)
        assert page.links == [root, left, right, leaf]
        assert (page.has_more, calls) == (False, ["Query"])


def test_the_tree_of_a_conversation_begins_with_the_conversation(dynamo):
    conversation = dynamo.make_link(id="conv_1", kind="conversation")
    turns = [dynamo.make_link(root="conv_1", conversation="conv_1") for _ in range(2)]
    dynamo.put_links(conversation, *turns)
    assert page_ids(dynamo.listing.tree(turns[1], PARENTS_FIRST)) == [
        "conv_1",
        *(t.id for t in turns),
    ]


def test_two_tenants_trees_of_one_root_stay_apart(dynamo):
    ours, theirs = (dynamo.make_link(id="resp_same", tenant=tenant) for tenant in ("acme", "umbra"))
    dynamo.put_links(ours, theirs, make_child(dynamo, theirs, tenant="umbra"))
    assert dynamo.listing.tree(ours, PARENTS_FIRST).links == [ours]


def test_deleted_branches_are_left_out(dynamo):
    root = dynamo.make_link()
    branch, other = make_child(dynamo, root), make_child(dynamo, root)
    dynamo.put_links(root, branch, other)
    dynamo.links.mark_deleted(branch)
    assert dynamo.listing.tree(root, PARENTS_FIRST).links == [root, other]


def test_a_tree_that_reads_too_much_goes_on_from_a_conversation_as_well(dynamo, monkeypatch):
    monkeypatch.setattr("antiphon.store.listings.MAX_ROWS", 1)
    older, conversation = (
        dynamo.make_link(root="conv_1"),
        dynamo.make_link(id="conv_1", kind="conversation"),
    )
    turns = [dynamo.make_link(root="conv_1", deleted_at=1) for _ in range(2)]
    dynamo.put_links(older, conversation, *turns)
    page = dynamo.listing.tree(turns[0], LinkQuery(limit=2))
    assert (page_ids(page), page.has_more, page.last_id) == (["conv_1"], True, "conv_1")
