"""Plans: who may take a request, in which order, and where it must go."""

import time
from collections import Counter
from dataclasses import dataclass, field

import pytest

from antiphon.auth import Caller
from antiphon.errors import InvalidRequest, ModelNotFound, TargetGone
from antiphon.ownership import Ownership
from antiphon.routing import Router
from antiphon.schema import CreateResponse
from antiphon.settings.config import parse
from antiphon.store.items import Items
from tests.support.dynamo import held, link


@dataclass
class Nobodys:
    """An ownership in which nothing is continued, but for a parent that a test puts there."""

    link: object = None
    referred: set[str] = field(default_factory=set)

    def parent(self, _ask, _tenant):
        return self.link

    def targets(self, _references, _tenant):
        return set(self.referred)


@dataclass
class Held:
    target: str
    root: str = "resp_1"
    kind: str = "response"
    completed_at: int | None = None


CALLER = Caller("acme", "key_1")


def router(parent=None, **targets):
    made = {
        name: {"provider": "openai", "models": ["gpt-*"], **more} for name, more in targets.items()
    }
    return Router(parse({"targets": made}).targets, Nobodys(parent))


def first(routing, model="gpt-5", key="key_1", **fields):
    ask = CreateResponse(model=model, input="x", **fields)
    return routing.plan(ask, Caller("acme", key)).steps[0].target


def test_the_lowest_priority_number_comes_first():
    routing = router(spare={"priority": 2}, main={"priority": 1})
    ask = CreateResponse(model="gpt-5", input="x")
    steps = routing.plan(ask, Caller("acme", "k")).steps
    assert [step.target for step in steps] == ["main", "spare"]


def test_equal_targets_share_by_weight():
    weights = {"a": 1, "b": 3, "c": 0.5, "d": 5.5}
    routing = router(**{name: {"weight": weight} for name, weight in weights.items()})
    counted = Counter(first(routing, key=f"key_{n}") for n in range(10_000))
    for name, weight in weights.items():
        assert counted[name] / 10_000 == pytest.approx(weight / 10, abs=0.02)


def test_one_more_target_moves_no_more_than_its_share():
    before, after = router(a={}, b={}, c={}), router(a={}, b={}, c={}, d={})
    keys = [f"key_{n}" for n in range(5_000)]
    moved = [key for key in keys if first(before, key=key) != first(after, key=key)]
    assert all(first(after, key=key) == "d" for key in moved)
    assert len(moved) / len(keys) <= 1 / 4 + 0.02


def test_what_shares_a_prompt_cache_stays_together():
    routing = router(a={}, b={}, c={})
    found = {first(routing, key=f"key_{n}", prompt_cache_key="one") for n in range(20)}
    assert len(found) == 1


def test_what_is_continued_pins_the_target_whatever_its_weight():
    routing = router(Held("b"), a={"weight": 1000}, b={"priority": 9})
    assert first(routing) == "b"


def targets(routing, model="gpt-5", caller=CALLER, **fields):
    ask = CreateResponse(model=model, input="x", **fields)
    return [step.target for step in routing.plan(ask, caller).steps]


def test_what_is_continued_stays_within_its_account():
    shared = {"account": "team"}
    routing = router(Held("b"), a=shared, b={**shared, "priority": 9}, c={}, d={"account": "other"})
    assert targets(routing) == ["b", "a"]


def test_azure_targets_of_one_resource_are_one_account():
    azure = {"provider": "azure", "endpoint": "https://x.example", "models": {"gpt-5": "d"}}
    routing = router(Held("b"), a=azure, b=azure, c={**azure, "endpoint": "https://y.example"})
    assert targets(routing) == ["b", "a"]


def test_accounts_of_different_providers_are_different():
    azure = {"provider": "azure", "endpoint": "https://x.example", "models": {"gpt-5": "d"}}
    routing = router(Held("a"), a={"account": "team"}, b={**azure, "account": "team"})
    assert targets(routing) == ["a"]


def test_a_model_that_the_holder_lacks_goes_to_its_account():
    shared = {"account": "team"}
    routing = router(Held("a"), a={**shared, "models": ["o3"]}, b=shared)
    assert targets(routing) == ["b"]


def test_things_of_one_account_may_be_named_together():
    routing = router(Held("a"), a={"account": "team"}, b={"account": "team"}, c={})
    routing._ownership.referred = {"b"}
    assert set(targets(routing)) == {"a", "b"}
    routing._ownership.referred = {"c"}
    with pytest.raises(InvalidRequest, match="'a', 'c'"):
        targets(routing)


def test_siblings_of_a_holder_are_ordered_by_the_root_of_the_tree():
    shared = {name: {"account": "team"} for name in "abcdef"}
    orders = {str(targets(router(Held("a", root=f"resp_{n}"), **shared))) for n in range(20)}
    assert len(orders) > 5
    assert all(order.startswith("['a', ") for order in orders)


@pytest.mark.parametrize(
    ("ended", "new"), [(None, True), (0, True), (59, True), (61, False)], ids=str
)
def test_only_what_ended_lately_may_be_unknown_yet(ended, new):
    parent = Held("a", completed_at=None if ended is None else int(time.time()) - ended)
    plan = router(parent, a={}).plan(CreateResponse(model="gpt-5", input="x"), CALLER)
    assert plan.follows_new == new


def test_a_conversation_is_never_too_new():
    plan = router(Held("a", kind="conversation"), a={}).plan(
        CreateResponse(model="gpt-5", input="x"), CALLER
    )
    assert not plan.follows_new


@pytest.mark.parametrize("model", ["o3", "gpt-5-mini", "gpt-5 ", "GPT-5"])
def test_a_key_calls_its_models_alone(model):
    few = Caller("acme", "k", models=("gpt-5", "gpt-4*"))
    routing = router(a={"models": ["*"]})
    assert targets(routing, "gpt-5", few) == targets(routing, "gpt-4.1", few) == ["a"]
    with pytest.raises(ModelNotFound) as refused:
        targets(routing, model, few)
    with pytest.raises(ModelNotFound) as unknown:
        targets(router(a={"models": ["x"]}), model)
    assert str(refused.value) == str(unknown.value)


def test_a_key_with_models_has_to_name_one():
    few = Caller("acme", "k", models=("gpt-5",))
    with pytest.raises(InvalidRequest, match="name one"):
        targets(router(a={}), None, few, prompt={"id": "pmpt_1"})


def test_near_names_are_those_that_the_key_may_call():
    routing = router(a={"models": ["gpt-5-mini", "gpt-5-main"]})
    few = Caller("acme", "k", models=("gpt-5-main", "gpt-5-mni"))
    with pytest.raises(ModelNotFound, match=r"Did you mean 'gpt-5-main'\?$"):
        targets(routing, "gpt-5-mni", few)


def test_a_request_reads_a_row_only_for_what_it_continues():
    with held() as dynamo:
        ownership = Ownership(dynamo.links, Items(dynamo.batch))
        names = {f"t{n}": {"provider": "openai", "models": ["gpt-*"]} for n in range(20)}
        routing = Router(parse({"targets": names}).targets, ownership)
        parent = link(target="t7")
        dynamo.hold(parent)
        with dynamo.counted() as calls:
            assert len(targets(routing)) == 20
            assert calls == []
            assert targets(routing, previous_response_id=parent.id) == ["t7"]
            assert calls == ["GetItem"]


def test_a_target_that_is_not_configured_now_is_named():
    with pytest.raises(TargetGone, match="'gone'"):
        first(router(Held("gone"), a={}))


def test_an_unknown_model_is_told_with_near_names():
    routing = router(a={"models": ["gpt-5-mini", "gpt-5"]})
    with pytest.raises(ModelNotFound, match="Did you mean 'gpt-5-mini'"):
        first(routing, model="gpt-5-mni")


def test_a_conversation_is_opened_where_conversations_are_kept():
    routing = router(a={"conversations": False}, b={})
    assert routing.plan_conversation([], Caller("acme", "k")).steps[0].target == "b"


def test_no_target_for_conversations_is_told_before_anything_is_sent():
    with pytest.raises(InvalidRequest) as caught:
        router(a={"conversations": False}).plan_conversation([], Caller("acme", "k"))
    assert caught.value.code == "conversations_not_supported_by_target"
