"""Which targets may serve a request, and their order."""

from collections import Counter

import pytest

from antiphon.auth import Caller
from antiphon.errors import InvalidRequest, ModelNotFound, TargetGone
from antiphon.ownership import Ownership
from antiphon.routing import Routing
from antiphon.schema.create import CreateResponse
from antiphon.settings.config import parse_config
from antiphon.store.items import Items
from antiphon.store.references import References
from tests.support.dynamodb import embedded_store
from tests.support.routing import choose_first, choose_targets, make_link_at, make_routing


def test_the_lowest_priority_number_comes_first():
    routing = make_routing(spare={"priority": 2}, main={"priority": 1})
    body = CreateResponse(model="gpt-5", input="x")
    candidates = routing.route(body, Caller("acme", "k")).candidates
    assert [candidate.target for candidate in candidates] == ["main", "spare"]


def test_targets_of_equal_priority_share_by_weight():
    weights = {"a": 1, "b": 3, "c": 0.5, "d": 5.5}
    routing = make_routing(**{name: {"weight": weight} for name, weight in weights.items()})
    counts = Counter(choose_first(routing, key=f"key_{n}") for n in range(10_000))
    for name, weight in weights.items():
        assert counts[name] / 10_000 == pytest.approx(weight / 10, abs=0.02)


def test_an_additional_target_takes_only_its_share():
    before, after = make_routing(a={}, b={}, c={}), make_routing(a={}, b={}, c={}, d={})
    keys = [f"key_{n}" for n in range(5_000)]
    moved = [key for key in keys if choose_first(before, key=key) != choose_first(after, key=key)]
    assert all(choose_first(after, key=key) == "d" for key in moved)
    assert len(moved) / len(keys) == pytest.approx(1 / 4, abs=0.02)


def test_requests_with_one_prompt_cache_key_go_to_one_target():
    routing = make_routing(a={}, b={}, c={})
    targets = {choose_first(routing, key=f"key_{n}", prompt_cache_key="one") for n in range(20)}
    assert len(targets) == 1


@pytest.mark.parametrize("name", ["session_id", "session-id", "thread-id", "conversation_id"])
def test_the_requests_of_one_session_go_to_one_target(name):
    routing = make_routing(a={}, b={}, c={})

    def choose(n, session):
        body = CreateResponse.of({"model": "gpt-5", "input": "x", "user": f"user_{n}"})
        route = routing.route(body, Caller("acme", f"key_{n}"), {name: session})
        return route.candidates[0].target

    assert len({choose(n, "one") for n in range(20)}) == 1
    assert len({choose(0, f"session_{n}") for n in range(20)}) > 1


def test_a_continued_request_goes_to_its_target_whatever_its_rank():
    routing = make_routing(make_link_at("b"), a={"weight": 1000}, b={"priority": 9})
    assert choose_first(routing) == "b"


def test_only_a_continued_request_reads_a_row():
    with embedded_store() as dynamo:
        ownership = Ownership(dynamo.links, Items(dynamo.batch), References(dynamo.batch))
        sections = {f"t{n}": {"provider": "openai", "models": ["gpt-*"]} for n in range(20)}
        routing = Routing(parse_config({"targets": sections}).targets, ownership)
        parent = dynamo.make_link(target="t7")
        dynamo.put_links(parent)
        with dynamo.count_calls() as calls:
            assert len(choose_targets(routing)) == 20
            assert calls == []
            assert choose_targets(routing, previous_response_id=parent.id) == ["t7"]
            assert calls == ["GetItem"]


def test_twenty_ids_in_a_body_are_read_at_once():
    with embedded_store() as dynamo:
        ownership = Ownership(dynamo.links, Items(dynamo.batch), References(dynamo.batch))
        sections = {name: {"provider": "openai", "models": ["gpt-*"]} for name in "ab"}
        routing = Routing(parse_config({"targets": sections}).targets, ownership)
        files = [dynamo.make_link(kind="file", id=f"file-{n:020}", target="b") for n in range(20)]
        dynamo.put_links(*files)
        content = [{"type": "input_file", "file_id": file.id} for file in files]
        with dynamo.count_calls() as calls:
            targets = choose_targets(routing, input=[{"role": "user", "content": content}])
        assert targets == ["b"]
        assert calls == ["BatchGetItem"]


def test_the_error_names_a_target_that_is_no_longer_configured():
    with pytest.raises(TargetGone, match="'gone'"):
        choose_first(make_routing(make_link_at("gone"), a={}))


def test_the_error_for_an_unknown_model_suggests_similar_names():
    routing = make_routing(a={"models": ["gpt-5-mini", "gpt-5"]})
    with pytest.raises(ModelNotFound, match="Did you mean 'gpt-5-mini'"):
        choose_first(routing, model="gpt-5-mni")


def test_a_conversation_is_created_at_a_target_that_supports_them():
    routing = make_routing(a={"conversations": False}, b={})
    assert routing.route_conversation([], Caller("acme", "k")).candidates[0].target == "b"


def test_without_a_target_for_conversations_none_is_created():
    with pytest.raises(InvalidRequest) as error:
        make_routing(a={"conversations": False}).route_conversation([], Caller("acme", "k"))
    assert error.value.code == "conversations_not_supported_by_target"
