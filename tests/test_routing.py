"""Plans: who may take a request, in which order, and where it must go."""

from collections import Counter

import pytest

from antiphon.auth import Caller
from antiphon.errors import InvalidRequest, ModelNotFound, TargetGone
from antiphon.ownership import Ownership
from antiphon.routing import Routing
from antiphon.schema.create import CreateResponse
from antiphon.settings.config import parse_config
from antiphon.store.items import Items
from tests.support.dynamodb import embedded_store
from tests.support.routing import choose_first, choose_targets, make_link_at, make_router


def test_the_lowest_priority_number_comes_first():
    routing = make_router(spare={"priority": 2}, main={"priority": 1})
    ask = CreateResponse(model="gpt-5", input="x")
    steps = routing.plan(ask, Caller("acme", "k")).steps
    assert [step.target for step in steps] == ["main", "spare"]


def test_equal_targets_share_by_weight():
    weights = {"a": 1, "b": 3, "c": 0.5, "d": 5.5}
    routing = make_router(**{name: {"weight": weight} for name, weight in weights.items()})
    counted = Counter(choose_first(routing, key=f"key_{n}") for n in range(10_000))
    for name, weight in weights.items():
        assert counted[name] / 10_000 == pytest.approx(weight / 10, abs=0.02)


def test_one_more_target_moves_no_more_than_its_share():
    before, after = make_router(a={}, b={}, c={}), make_router(a={}, b={}, c={}, d={})
    keys = [f"key_{n}" for n in range(5_000)]
    moved = [key for key in keys if choose_first(before, key=key) != choose_first(after, key=key)]
    assert all(choose_first(after, key=key) == "d" for key in moved)
    assert len(moved) / len(keys) == pytest.approx(1 / 4, abs=0.02)


def test_what_shares_a_prompt_cache_stays_together():
    routing = make_router(a={}, b={}, c={})
    found = {choose_first(routing, key=f"key_{n}", prompt_cache_key="one") for n in range(20)}
    assert len(found) == 1


def test_what_is_continued_pins_the_target_whatever_its_weight():
    routing = make_router(make_link_at("b"), a={"weight": 1000}, b={"priority": 9})
    assert choose_first(routing) == "b"


def test_a_request_reads_a_row_only_for_what_it_continues():
    with embedded_store() as dynamo:
        ownership = Ownership(dynamo.links, Items(dynamo.batch))
        names = {f"t{n}": {"provider": "openai", "models": ["gpt-*"]} for n in range(20)}
        routing = Routing(parse_config({"targets": names}).targets, ownership)
        parent = dynamo.make_link(target="t7")
        dynamo.put_links(parent)
        with dynamo.count_calls() as calls:
            assert len(choose_targets(routing)) == 20
            assert calls == []
            assert choose_targets(routing, previous_response_id=parent.id) == ["t7"]
            assert calls == ["GetItem"]


def test_a_target_that_is_not_configured_now_is_named():
    with pytest.raises(TargetGone, match="'gone'"):
        choose_first(make_router(make_link_at("gone"), a={}))


def test_an_unknown_model_is_told_with_near_names():
    routing = make_router(a={"models": ["gpt-5-mini", "gpt-5"]})
    with pytest.raises(ModelNotFound, match="Did you mean 'gpt-5-mini'"):
        choose_first(routing, model="gpt-5-mni")


def test_a_conversation_is_opened_where_conversations_are_kept():
    routing = make_router(a={"conversations": False}, b={})
    assert routing.plan_conversation([], Caller("acme", "k")).steps[0].target == "b"


def test_no_target_for_conversations_is_told_before_anything_is_sent():
    with pytest.raises(InvalidRequest) as caught:
        make_router(a={"conversations": False}).plan_conversation([], Caller("acme", "k"))
    assert caught.value.code == "conversations_not_supported_by_target"
