"""What targets serve, and what is said where none serves what a request needs."""

from typing import get_args

import pytest

from antiphon.errors import NotSupportedByTarget
from antiphon.providers.capabilities import NAMES, served_by
from antiphon.schema.create import CreateResponse
from antiphon.settings.config import parse_config
from antiphon.settings.targets import EVERYTHING, OF_FILES, Capability
from tests.support.routing import CALLER, make_link_at, make_routing

OPENAI = {"provider": "openai", "models": ["gpt-*"]}
BODY = CreateResponse(model="gpt-5", input="x")
AZURE = {"provider": "azure", "endpoint": "https://a.openai.azure.com", "models": {"a": "b"}}


@pytest.mark.parametrize(
    ("section", "missing"),
    [
        (OPENAI, set()),
        ({**OPENAI, "files": False}, OF_FILES),
        ({**OPENAI, "skills": False, "conversations": False}, {"skills", "conversations"}),
        ({**OPENAI, "without": ["background", "compact"]}, {"background", "compact"}),
        (AZURE, {"skills", "conversations"}),
        ({**AZURE, "skills": True, "conversations": True}, set()),
        ({**AZURE, "skills": True, "files": False}, OF_FILES | {"conversations"}),
    ],
)
def test_a_target_serves_what_its_provider_does_and_its_section_does_not_exclude(section, missing):
    targets = parse_config({"targets": {"a": section}}).targets
    assert served_by(targets) == {"a": EVERYTHING - missing}


@pytest.mark.parametrize("serves", [set(), {"retrieve", "background"}])
def test_bedrock_serves_only_what_its_section_names(serves):
    section = {"provider": "bedrock", "region": "us-east-1", "models": ["a"], "endpoint": "mantle"}
    targets = parse_config({"targets": {"a": {**section, "serves": sorted(serves)}}}).targets
    assert served_by(targets) == {"a": serves}


def test_every_capability_has_words_for_the_error():
    assert set(NAMES) == set(get_args(Capability.__value__)) == EVERYTHING


def choose(routing, *needs):
    return [each.target for each in routing.route(BODY, CALLER, {}, *needs).candidates]


def test_a_target_that_lacks_what_a_request_needs_is_skipped():
    routing = make_routing(first={"without": ["compact"]}, second={"priority": 2})
    assert choose(routing) == ["first", "second"]
    assert choose(routing, "compact") == ["second"]


def test_where_none_serves_it_the_error_names_what_is_missing_and_those_considered():
    lacking = {"without": ["compact"]}
    with pytest.raises(NotSupportedByTarget, match=r"serves compaction\. Considered: a, b\.$"):
        choose(make_routing(a=lacking, b=lacking), "compact")


def test_a_continued_request_goes_to_no_other_target_for_what_its_own_lacks():
    routing = make_routing(make_link_at("a"), a={"without": ["background"]}, b={})
    with pytest.raises(NotSupportedByTarget, match="serves background responses"):
        choose(routing, "background")


@pytest.mark.parametrize("capability", ["retrieve", "resume", "delete", "input_items"])
def test_what_the_target_of_a_response_does_not_serve_is_named(capability):
    routing, link = make_routing(a={"without": [capability]}, b={}), make_link_at("a")
    assert routing.candidates_for(link)[0].target == "a"
    with pytest.raises(NotSupportedByTarget, match=NAMES[capability]):
        routing.candidates_for(link, capability)
