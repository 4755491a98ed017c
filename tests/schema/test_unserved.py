"""Paths that are not served: the message says which are, and what to call instead."""

from pathlib import Path

import pytest

from antiphon.schema.unserved import UNSERVED, endpoint_not_served, method_not_served
from infra.reference.document import build_document, unserved_table

ROOT = Path(__file__).parents[2]
PREFIXES = ("/v1", "/openai/v1", "/openai", "/openai/deployments/gpt-5")


@pytest.mark.parametrize("api", UNSERVED, ids=lambda api: api.paths[0])
@pytest.mark.parametrize("prefix", PREFIXES)
def test_the_message_names_what_to_call_instead(api, prefix):
    for path in api.paths:
        error = endpoint_not_served("POST", prefix + path)
        assert (error.status, error.code) == (404, "endpoint_not_served")
        for part in (prefix + path, api.reason, api.instead, "vector_stores"):
            assert part in str(error)


@pytest.mark.parametrize(
    "path",
    ["/v1/v1/responses", "/v1/openai/v1/responses", "/openai/v1/v1", "/v1/responses/responses/x/y"],
)
def test_a_part_that_is_there_twice_is_named(path):
    message = str(endpoint_not_served("POST", path))
    assert "the base URL of a client must end with /v1, once" in message


@pytest.mark.parametrize("path", ["/responses", "/chat/completions", "/v10/responses", "/"])
def test_without_a_prefix_the_base_url_is_what_to_change(path):
    assert "must end with /v1." in str(endpoint_not_served("POST", path))


@pytest.mark.parametrize("path", ["/v1/imagesque", "/v1/brand_new"])
def test_other_paths_say_what_is_served(path):
    assert "Instead" not in str(endpoint_not_served("GET", path))
    assert "Served are responses, conversations" in str(endpoint_not_served("GET", path))


def test_another_method_says_which_are_served():
    error = method_not_served("PUT", "/v1/responses", "GET, POST")
    assert (error.status, error.headers, error.code) == (
        405,
        {"allow": "GET, POST"},
        "endpoint_not_served",
    )
    assert str(error) == "The method PUT is not served at /v1/responses. Allowed: GET, POST."
    assert "twice" in str(method_not_served("POST", "/v1/responses/responses", "DELETE, GET"))


def test_documentation_and_reference_have_the_same_table():
    assert unserved_table() in (ROOT / "docs/endpoints.md").read_text("utf-8")
    assert unserved_table() in build_document()["info"]["description"]
