"""Which target makes a file: ids decide, then headers, then defaults, then the priority."""

import pytest

from antiphon.auth import Caller
from antiphon.errors import InvalidRequest
from antiphon.policies.policies import Policies
from antiphon.resource_routing import ResourceRouting
from antiphon.routing import Routing
from antiphon.settings.config import Limits, parse_config

TARGETS = {
    "east": {"provider": "azure", "endpoint": "https://e.test", "models": {"a": "a"}},
    "main": {"provider": "openai", "models": ["gpt-*"], "priority": 2},
    "west": {"provider": "openai", "models": ["gpt-*", "o3"], "priority": 3, "account": "w"},
    "none": {"provider": "openai", "models": ["gpt-*"], "priority": 0, "files": False},
    "twin": {"provider": "openai", "models": ["x"], "priority": 4, "account": "w"},
}


class Holders:
    """Ownership of what is stored at these targets."""

    def __init__(self, *targets):
        self._targets = set(targets)

    def targets(self, _references, _tenant):
        return set(self._targets)


def choose(kind="file", holders=(), headers=None, caller=None, **sections):
    config = parse_config({"targets": TARGETS, **sections})
    ownership = Holders(*holders)
    policies = Policies.from_config(config)
    routing = ResourceRouting(config, Routing(config.targets, ownership, policies), ownership)
    return routing.route(kind, (), caller or Caller("acme", "key_1"), headers or {}).target


def refusal(**options):
    with pytest.raises(InvalidRequest) as refused:
        choose(**options)
    return refused.value.code, str(refused.value)


def test_the_first_target_by_priority_that_has_the_api():
    assert choose() == "east"
    assert choose("skill") == "none"
    assert choose("skill", headers={"x-antiphon-target": "west"}) == "west"


@pytest.mark.parametrize(
    ("sections", "limits", "expected"),
    [
        ({"files": {"default": "main"}}, Limits(), "main"),
        (
            {"files": {"default": "main"}, "tenants": {"acme": {"files_target": "west"}}},
            Limits(),
            "west",
        ),
        ({"tenants": {"acme": {"files_target": "west"}}}, Limits(files_target="main"), "main"),
        ({"tenants": {"other": {"files_target": "west"}}}, Limits(), "east"),
        ({}, Limits(files_target="none"), "east"),
    ],
)
def test_defaults_of_the_key_then_the_tenant_then_the_gateway(sections, limits, expected):
    assert choose(caller=Caller("acme", "key_1", limits=limits), **sections) == expected


def test_headers_come_before_defaults_and_ids_before_headers():
    files = {"default": "main"}
    assert choose(headers={"x-antiphon-target": "west"}, files=files) == "west"
    assert choose(headers={"x-antiphon-model": "o3"}, files=files) == "west"
    assert choose(holders=["east"], headers={"x-antiphon-target": "west"}) == "east"
    assert choose(holders=["twin"]) == "twin"  # not the other one of its account


def test_a_key_with_certain_models_uses_targets_that_serve_them():
    caller = Caller("acme", "key_1", models=("gpt-5*",))
    assert choose(caller=caller) == "main"
    code, message = refusal(caller=caller, headers={"x-antiphon-target": "east"})
    assert (code, message.partition("Allowed: ")[2]) == ("invalid_value", "main, west.")


@pytest.mark.parametrize("name", ["none", "nowhere", ""])
def test_a_target_that_cannot_be_used_is_refused_with_those_that_can(name):
    code, message = refusal(headers={"x-antiphon-target": name})
    assert (code, "Allowed: east, main, twin, west." in message) == ("invalid_value", True)


def test_a_model_that_nobody_serves_is_refused():
    assert refusal(headers={"x-antiphon-model": "nothing"})[0] == "invalid_value"


def test_ids_at_two_targets_are_refused_with_both_names():
    code, message = refusal(holders=["east", "west"])
    assert (code, "'east', 'west'" in message) == ("targets_differ", True)


def test_without_any_capable_target_the_error_names_the_api():
    only = {"targets": {"none": TARGETS["none"]}}
    assert refusal(**only) == (
        "not_supported_by_target",
        "No target for this request serves files. Considered: none.",
    )


def test_a_policy_of_targets_holds_for_resources():
    policy = {"policy": {"targets": ["w*", "main"]}}
    assert choose(**policy) == "main"
    assert choose(holders=("west",), **policy) == "west"
    assert refusal(holders=("east",), **policy)[0] == "policy_violation"
    code, message = refusal(headers={"x-antiphon-target": "east"}, **policy)
    assert (code, "Allowed: main, west." in message) == ("invalid_value", True)
