"""Continued requests stay in their account, and keys are limited to their models."""

import time

import pytest

from antiphon.auth import Caller
from antiphon.errors import InvalidRequest, ModelNotFound, PolicyViolation
from antiphon.policies.policies import Policies
from antiphon.routing import Routing
from antiphon.schema.create import CreateResponse
from antiphon.settings.config import parse_config
from tests.support.routing import (
    CALLER,
    FakeOwnership,
    choose_targets,
    make_link_at,
    make_routing,
)


def test_a_continued_request_stays_in_its_account():
    shared = {"account": "team"}
    routing = make_routing(
        make_link_at("b"), a=shared, b={**shared, "priority": 9}, c={}, d={"account": "other"}
    )
    assert choose_targets(routing) == ["b", "a"]


def test_azure_targets_of_one_resource_are_one_account():
    azure = {"provider": "azure", "endpoint": "https://x.example", "models": {"gpt-5": "d"}}
    routing = make_routing(
        make_link_at("b"), a=azure, b=azure, c={**azure, "endpoint": "https://y.example"}
    )
    assert choose_targets(routing) == ["b", "a"]


def test_accounts_of_different_providers_are_different():
    azure = {"provider": "azure", "endpoint": "https://x.example", "models": {"gpt-5": "d"}}
    routing = make_routing(make_link_at("a"), a={"account": "team"}, b={**azure, "account": "team"})
    assert choose_targets(routing) == ["a"]


def test_a_model_that_the_holder_lacks_is_served_by_its_account():
    shared = {"account": "team"}
    routing = make_routing(make_link_at("a"), a={**shared, "models": ["o3"]}, b=shared)
    assert choose_targets(routing) == ["b"]


def test_a_request_may_refer_to_several_targets_of_one_account():
    routing = make_routing(make_link_at("a"), a={"account": "team"}, b={"account": "team"}, c={})
    routing._ownership.referenced = {"b"}
    assert set(choose_targets(routing)) == {"a", "b"}
    routing._ownership.referenced = {"c"}
    with pytest.raises(InvalidRequest, match="'a', 'c'"):
        choose_targets(routing)


def test_other_targets_of_the_account_are_ordered_by_the_root_of_the_tree():
    shared = {name: {"account": "team"} for name in "abcdef"}
    orders = {
        str(choose_targets(make_routing(make_link_at("a", root=f"resp_{n}"), **shared)))
        for n in range(20)
    }
    assert len(orders) > 5
    assert all(order.startswith("['a', ") for order in orders)


@pytest.mark.parametrize(
    ("seconds_ago", "is_new"), [(None, True), (0, True), (59, True), (61, False)], ids=str
)
def test_only_a_parent_that_ended_recently_is_new(seconds_ago, is_new):
    completed_at = None if seconds_ago is None else int(time.time()) - seconds_ago
    parent = make_link_at("a", completed_at=completed_at)
    route = make_routing(parent, a={}).route(CreateResponse(model="gpt-5", input="x"), CALLER)
    assert route.follows_new == is_new


def test_a_conversation_is_never_new():
    routing = make_routing(make_link_at("a", kind="conversation"), a={})
    assert not routing.route(CreateResponse(model="gpt-5", input="x"), CALLER).follows_new


@pytest.mark.parametrize("model", ["o3", "gpt-5-mini", "gpt-5 ", "GPT-5"])
def test_a_key_may_call_only_its_models(model):
    limited = Caller("acme", "k", models=("gpt-5", "gpt-4*"))
    routing = make_routing(a={"models": ["*"]})
    assert (
        choose_targets(routing, "gpt-5", limited)
        == choose_targets(routing, "gpt-4.1", limited)
        == ["a"]
    )
    with pytest.raises(ModelNotFound) as refused:
        choose_targets(routing, model, limited)
    with pytest.raises(ModelNotFound) as unknown:
        choose_targets(make_routing(a={"models": ["x"]}), model)
    assert str(refused.value) == str(unknown.value)


def test_a_key_with_models_must_name_one():
    limited = Caller("acme", "k", models=("gpt-5",))
    with pytest.raises(InvalidRequest, match="name one"):
        choose_targets(make_routing(a={}), None, limited, prompt={"id": "pmpt_1"})


def test_only_models_that_the_key_may_call_are_suggested():
    routing = make_routing(a={"models": ["gpt-5-mini", "gpt-5-main"]})
    limited = Caller("acme", "k", models=("gpt-5-main", "gpt-5-mni"))
    with pytest.raises(ModelNotFound, match=r"Did you mean 'gpt-5-main'\?$"):
        choose_targets(routing, "gpt-5-mni", limited)


def permitting(parent=None, **targets):
    """A routing under a policy that permits the targets whose names begin with eu."""
    sections = {n: {"provider": "openai", "models": ["gpt-*"], **m} for n, m in targets.items()}
    config = parse_config({"targets": sections, "policy": {"targets": ["eu*"]}})
    return Routing(config.targets, FakeOwnership(parent), Policies.from_config(config))


def test_only_targets_that_the_policies_permit_are_considered():
    targets = {"us": {}, "eu-a": {"priority": 2}, "eu-b": {"priority": 3}}
    assert choose_targets(permitting(**targets)) == ["eu-a", "eu-b"]
    shared = {"account": "one"}
    pinned = permitting(make_link_at("us"), us=shared, **{"eu-a": shared})
    assert choose_targets(pinned) == ["eu-a"]
    for routing in (
        permitting(make_link_at("us"), **targets),
        permitting(us={}, eu={"models": ["o3"]}),
    ):
        with pytest.raises(PolicyViolation, match=r"by 'us', which .* \[policy\] targets"):
            choose_targets(routing)
    with pytest.raises(ModelNotFound):
        choose_targets(permitting(**targets), model="o3")


def test_what_is_stored_elsewhere_can_be_read_and_not_added_to():
    routing = permitting(us={}, eu={})
    link = make_link_at("us")
    assert [each.target for each in routing.candidates_for(link)] == ["us"]
    with pytest.raises(PolicyViolation):
        routing.check_permitted({"us"}, CALLER)
    routing.check_permitted({"eu"}, CALLER)
