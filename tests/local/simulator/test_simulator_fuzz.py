"""No body causes an internal error: it would look like a fault of the gateway in front."""

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.local.simulator import (
    batches,
    containers,
    request_body,
    uploads,
    vector_store_files,
    vector_stores,
)
from tests.local.simulator.reply import KEY, NO_TLS
from tests.support.concurrency import IS_SOAK

NAMES = "type id content role name format schema tools file_id container environment file_ids days"
NAMES += " server_label allowed_tools require_approval parameters strict call_id effort filters"
KINDS = "function message json_schema allowed_tools user object file_search code_interpreter shell"
KINDS += (
    " web_search image_generation mcp custom computer namespace mcp_approval_response reasoning"
)
KEYS = st.sampled_from(NAMES.split())
WORDS = st.sampled_from([*KINDS.split(), "vision", "created_at", "auto"])
MODULES = (request_body, batches, uploads, vector_stores, vector_store_files, containers)
PARAMS = {param for module in MODULES for param in module.TYPES}
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(-9, 9) | st.text(max_size=9) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)
LISTS = st.lists(ANY, max_size=3)
OBJECTS = st.dictionaries(KEYS, ANY, max_size=4)
BODIES = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys([*sorted(PARAMS), "tool_choice", "user", "service_tier"], ANY),
        **dict.fromkeys(["input", "tools", "include", "items", "files"], LISTS),
        **dict.fromkeys(["text", "reasoning", "conversation", "prompt", "expires_after"], OBJECTS),
    },
)
PATHS = st.sampled_from(
    [
        "/responses",
        "/responses/input_tokens",
        "/responses/compact",
        "/conversations",
        "/uploads",
        "/vector_stores",
        "/containers",
        "/batches",
    ]
)


@settings(
    max_examples=1000 if IS_SOAK else 50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(path=PATHS, body=BODIES, is_complete=st.booleans())
def test_any_body_gets_a_response_or_an_error(simulator, path, body, is_complete):
    full_body = (
        {**body, "model": "gpt-4.1", "input": body.get("input") or "Hi"} if is_complete else body
    )
    reply = httpx.post(f"{simulator}/v1{path}", headers=KEY, json=full_body, verify=NO_TLS)
    assert reply.status_code in {200, 400, 404}, reply.text
