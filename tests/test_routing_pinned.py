"""What is continued stays in its account, and a key within its models."""

import time

import pytest

from antiphon.auth import Caller
from antiphon.errors import InvalidRequest, ModelNotFound
from antiphon.schema.create import CreateResponse
from tests.support.routing import CALLER, choose_targets, make_link_at, make_router


def test_what_is_continued_stays_within_its_account():
    shared = {"account": "team"}
    routing = make_router(
        make_link_at("b"), a=shared, b={**shared, "priority": 9}, c={}, d={"account": "other"}
    )
    assert choose_targets(routing) == ["b", "a"]


def test_azure_targets_of_one_resource_are_one_account():
    azure = {"provider": "azure", "endpoint": "https://x.example", "models": {"gpt-5": "d"}}
    routing = make_router(
        make_link_at("b"), a=azure, b=azure, c={**azure, "endpoint": "https://y.example"}
    )
    assert choose_targets(routing) == ["b", "a"]


def test_accounts_of_different_providers_are_different():
    azure = {"provider": "azure", "endpoint": "https://x.example", "models": {"gpt-5": "d"}}
    routing = make_router(make_link_at("a"), a={"account": "team"}, b={**azure, "account": "team"})
    assert choose_targets(routing) == ["a"]


def test_a_model_that_the_holder_lacks_goes_to_its_account():
    shared = {"account": "team"}
    routing = make_router(make_link_at("a"), a={**shared, "models": ["o3"]}, b=shared)
    assert choose_targets(routing) == ["b"]


def test_things_of_one_account_may_be_named_together():
    routing = make_router(make_link_at("a"), a={"account": "team"}, b={"account": "team"}, c={})
    routing._ownership.referred = {"b"}
    assert set(choose_targets(routing)) == {"a", "b"}
    routing._ownership.referred = {"c"}
    with pytest.raises(InvalidRequest, match="'a', 'c'"):
        choose_targets(routing)


def test_siblings_of_a_holder_are_ordered_by_the_root_of_the_tree():
    shared = {name: {"account": "team"} for name in "abcdef"}
    orders = {
        str(choose_targets(make_router(make_link_at("a", root=f"resp_{n}"), **shared)))
        for n in range(20)
    }
    assert len(orders) > 5
    assert all(order.startswith("['a', ") for order in orders)


@pytest.mark.parametrize(
    ("ended", "new"), [(None, True), (0, True), (59, True), (61, False)], ids=str
)
def test_only_what_ended_lately_may_be_unknown_yet(ended, new):
    parent = make_link_at("a", completed_at=None if ended is None else int(time.time()) - ended)
    plan = make_router(parent, a={}).plan(CreateResponse(model="gpt-5", input="x"), CALLER)
    assert plan.follows_new == new


def test_a_conversation_is_never_too_new():
    plan = make_router(make_link_at("a", kind="conversation"), a={}).plan(
        CreateResponse(model="gpt-5", input="x"), CALLER
    )
    assert not plan.follows_new


@pytest.mark.parametrize("model", ["o3", "gpt-5-mini", "gpt-5 ", "GPT-5"])
def test_a_key_calls_its_models_alone(model):
    few = Caller("acme", "k", models=("gpt-5", "gpt-4*"))
    routing = make_router(a={"models": ["*"]})
    assert choose_targets(routing, "gpt-5", few) == choose_targets(routing, "gpt-4.1", few) == ["a"]
    with pytest.raises(ModelNotFound) as refused:
        choose_targets(routing, model, few)
    with pytest.raises(ModelNotFound) as unknown:
        choose_targets(make_router(a={"models": ["x"]}), model)
    assert str(refused.value) == str(unknown.value)


def test_a_key_with_models_has_to_name_one():
    few = Caller("acme", "k", models=("gpt-5",))
    with pytest.raises(InvalidRequest, match="name one"):
        choose_targets(make_router(a={}), None, few, prompt={"id": "pmpt_1"})


def test_near_names_are_those_that_the_key_may_call():
    routing = make_router(a={"models": ["gpt-5-mini", "gpt-5-main"]})
    few = Caller("acme", "k", models=("gpt-5-main", "gpt-5-mni"))
    with pytest.raises(ModelNotFound, match=r"Did you mean 'gpt-5-main'\?$"):
        choose_targets(routing, "gpt-5-mni", few)
