"""Each rule of a policy against each place where a request can have what it forbids."""

import copy
import json
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.auth import Auth, Caller
from antiphon.errors import PolicyViolation
from antiphon.http import Request
from antiphon.policies.policies import Policies
from antiphon.policies.violations import PolicyBody, find_violations
from antiphon.schema.create import CreateResponse
from antiphon.schema.resource_references import NOT_ENTERED, PLAIN_NAMES
from antiphon.settings.config import Limits, parse_config
from antiphon.store.keys import key_of_row, key_row

TARGET = {"provider": "openai", "models": ["gpt-*"]}
MCP, PICTURE = {"type": "mcp", "server_label": "wiki"}, {"type": "input_image"}
FUNCTION = {"type": "function", "name": "f", "parameters": {"type": "object"}}
PLACES_OF_TOOLS = (
    "tools[1]",
    "tools[1].tools[0]",  # a namespace
    "tools[1].tools[0].tools[0]",
    "tool_choice",
    "tool_choice.tools[0]",
    "input[0].tools[0]",  # additional tools, and what a search of tools found
    "input[0].output.tools[0]",
    "input[0].content[0].tools[1]",
    "prompt.variables.metadata.tools[0]",
    "brand_new.tools[0]",
    "brand_new[0][0].Tools[0]",
)
PLACES_OF_URLS = (
    "input[0].content[1]",
    "input[0].output[0]",  # of a function
    "input[0].output",  # a screenshot
    "tools[0].input_image_mask",
    "prompt.variables.picture",
    "prompt.variables.parameters",
    "brand_new[0].part",
)
# Rule, value that it refuses, the member in which it stands, the places.
NESTED = [
    ({"tools": ["function", "namespace"]}, MCP, "type", PLACES_OF_TOOLS),
    ({"tools": []}, {"name": "without a type"}, "type", PLACES_OF_TOOLS),
    ({"deny_tools": ["mcp*"]}, {"type": "MCP_new"}, "type", PLACES_OF_TOOLS),
    ({"mcp_hosts": ["mcp.acme.com"]}, MCP | {"server_url": "https://x.com"}, "server_url", PLACES_OF_TOOLS),
    ({"mcp_hosts": ["*"]}, MCP | {"connector_id": "connector_gmail"}, "connector_id", PLACES_OF_TOOLS),
    ({"mcp_labels": ["docs*"]}, MCP, "server_label", (*PLACES_OF_TOOLS, "input[0]")),
    ({"connectors": []}, MCP | {"connector_id": "connector_gmail"}, "connector_id", PLACES_OF_TOOLS),
    ({"url_hosts": ["*.acme.com"]}, PICTURE | {"image_url": "https://acme.com/a"}, "image_url", PLACES_OF_URLS),
    ({"url_hosts": []}, PICTURE | {"file_url": "https://acme.com/a"}, "file_url", PLACES_OF_URLS),
    ({"url_hosts": []}, {"image_url": {"url": "https://acme.com/a"}}, "image_url.url", PLACES_OF_URLS),
    ({"url_hosts": []}, {"image_url": ["https://acme.com/a"]}, "image_url[0]", PLACES_OF_URLS),
    ({"url_hosts": []}, {"Image_URL": "https://acme.com/a"}, "Image_URL", PLACES_OF_URLS),
    ({"max_effort": "medium"}, {"effort": "high"}, "effort", ("reasoning", "tools[0].reasoning")),
    ({"max_effort": "xhigh"}, {"reasoning_effort": "max"}, "reasoning_effort", ("brand_new",)),
    ({"max_effort": "max"}, {"effort": "brand_new"}, "effort", ("reasoning",)),
]  # fmt: skip
# Rule, body, path; the rules of the body as a whole.
WHOLE = [
    ({"store": "refuse"}, {}, "store"),
    ({"store": "refuse"}, {"store": None}, "store"),
    ({"store": "refuse"}, {"store": True}, "store"),
    ({"store": "refuse"}, {"store": False, "conversation": "conv_1"}, "conversation"),
    ({"store": "force_false"}, {"conversation": {"id": "conv_1"}}, "conversation"),
    ({"background": False}, {"background": True}, "background"),
    ({"service_tiers": ["auto", "flex"]}, {"service_tier": "priority"}, "service_tier"),
    ({"max_input_bytes": 9}, {"input": "é" * 5}, "input"),
    ({"max_input_bytes": 9}, {"input": [{"content": "12345"}], "instructions": "12345"}, "input"),
]
ALLOWED = [
    ({"tools": ["web_search*", "allowed_tools"]}, {"tools": ["web_search_2025"], "tool_choice": "auto"}),
    ({"tools": ["function"]}, {"tool_choice": {"type": "allowed_tools", "tools": [FUNCTION]}}),
    ({"tools": ["function"]}, {"tools": [FUNCTION | {"parameters": {"tools": [{"type": "x"}]}}]}),
    ({"tools": []}, {"input": [{"type": "mcp_list_tools", "server_label": "a", "tools": [{"name": "b"}]}]}),
    ({"tools": []}, {"prompt": {"id": "p", "variables": {"tools": "a text"}}}),
    ({"deny_tools": ["mcp"]}, {"tools": [FUNCTION], "tool_choice": "required"}),
    ({"mcp_hosts": ["*.acme.com"]}, {"tools": [MCP | {"server_url": "HTTPS://A.Acme.com.:8443/x?y"}]}),
    ({"mcp_labels": ["wiki"]}, {"tools": [MCP | {"server_url": "https://x.com"}]}),
    ({"mcp_hosts": [], "connectors": ["connector_g*"]}, {"tools": [MCP | {"connector_id": "connector_gmail"}]}),
    ({"url_hosts": []}, {"input": [{"content": [{"image_url": "data:image/png;base64,AA=="}]}]}),
    ({"url_hosts": []}, {"input": [{"content": [{"file_id": "file-1", "image_url": None}]}]}),
    ({"url_hosts": ["*"]}, {"input": [{"content": [{"image_url": "http://8.8.8.8/a"}]}]}),
    ({"store": "refuse"}, {"store": False}),
    ({"store": "force_false"}, {"store": True}),
    ({"background": False}, {"background": False}),
    ({"service_tiers": []}, {"service_tier": None}),
    ({"max_effort": "low"}, {"reasoning": {"effort": None, "summary": "auto"}}),
    ({"max_effort": "low"}, {"reasoning": {"effort": "minimal"}}),
    ({"max_input_bytes": 9}, {"input": "é" * 4, "metadata": {"a": "b" * 100}}),
]  # fmt: skip
# With every host allowed, still refused.
INTERNAL = [
    *("http://localhost/", "http://LOCALHOST.", "https://a.localhost:8/", "http://127.0.0.1"),
    *("http://10.0.0.1/", "http://169.254.169.254/latest", "http://192.168.1.1", "http://0.0.0.0"),
    *("http://[::1]/", "http://[fe80::1]", "http://[fd00:ec2::254]/", "http://[::ffff:10.0.0.1]"),
    *("http://[64:ff9b::a00:1]/", "http://[2002:a00:1::]/", "http://2130706433/", "http://0x7f.1"),
    *("http://[::127.0.0.1]/", "http://[::ffff:0:7f00:1]/", "http://[fec0::1]/"),
    *("http://127.1/", "http://0177.0.0.1/", "http://100.64.0.1/", "http://224.0.0.1/"),
]
UNCERTAIN = [
    "http://localho\u017ft/",
    *("https://acme.com@evil.com/", "https://evil.com\\@acme.com/", " https://acme.com", "acme.com"),
    *("https://ac\tme.com/", "https:/acme.com", "https:acme.com", "//acme.com", "ftp://acme.com"),
    *("https://%61cme.com/", "https://\uff41cme.com/", "https://acme.com\n.evil.com", "https://", ""),
    *("file:///etc/passwd", "https://acme..com", "https://[::1", 5, True),
]  # fmt: skip


def violations(policy, body, kind="create"):
    policies = Policies.from_config(parse_config({"targets": {"a": TARGET}, "policy": policy}))
    judged = PolicyBody(kind, body, len(json.dumps(body, ensure_ascii=False).encode()))
    return [*find_violations(judged, policies.select(None, None))]


def place(value, path):
    """A body with the value at `path`; lists have a harmless element before it."""
    for step in reversed(re.findall(r"\w+|\[\d+\]", path)):
        index = step.strip("[]")
        value = [{} for _ in range(int(index))] + [value] if step != index else {step: value}
    return value


def first(policy, body):
    found = violations(policy, body)
    return {(each.path, each.rule) for each in found}


@pytest.mark.parametrize(("policy", "value", "member", "paths"), NESTED, ids=str)
def test_what_a_policy_forbids_is_found_wherever_it_stands(policy, value, member, paths):
    for path in paths:
        body = place(copy.deepcopy(value), path)
        assert (f"{path}.{member}", f"[policy] {next(iter(policy))}") in first(policy, body)


@pytest.mark.parametrize(("policy", "body", "path"), WHOLE, ids=str)
def test_what_a_policy_forbids_of_the_whole_body(policy, body, path):
    assert first(policy, body) == {(path, f"[policy] {next(iter(policy))}")}


@pytest.mark.parametrize(("policy", "body"), ALLOWED, ids=str)
def test_what_a_policy_allows(policy, body):
    assert violations(policy, body) == []


@pytest.mark.parametrize("rule", ["url_hosts", "mcp_hosts"])
def test_no_list_of_hosts_allows_an_internal_or_uncertain_one(rule):
    member = "image_url" if rule == "url_hosts" else "server_url"
    for url in (*INTERNAL, *UNCERTAIN):
        (found, *_) = violations({rule: ["*", "localhost", "127.0.0.1"]}, {"x": {member: url}})
        assert (url, found.rule) == (url, f"[policy] {rule}")
        if url in INTERNAL:
            assert (url, "is a local or private address" in found.reason) == (url, True)


def test_a_string_is_a_tool_as_well():
    body = {"tools": ["function", "web_search"], "tool_choice": "web_search"}
    assert {each.path for each in violations({"tools": ["function"]}, body)} == {
        "tools[1]",
        "tool_choice",
    }


@pytest.mark.parametrize("kind", ["conversation", "batch_line", "other"])
def test_storing_is_refused_where_it_cannot_be_changed(kind):
    found = violations({"store": "force_false"}, {"items": [{}]}, kind)
    expected = {"conversation": ["items"], "batch_line": ["store"], "other": []}
    assert [each.path for each in found] == expected[kind]


NAMES = st.sampled_from(sorted(PLAIN_NAMES - NOT_ENTERED - {"tools"})) | st.text(max_size=5).filter(
    lambda name: name.casefold() not in {"tools", "tool_choice", *NOT_ENTERED}
)
WRAPPERS = st.lists(NAMES | st.integers(0, 2), max_size=12)


@given(
    WRAPPERS,
    st.sampled_from(["tools", "Tools", "TOOLS"]),
    st.lists(st.sampled_from([FUNCTION, "function"]), max_size=3),
    st.sampled_from([MCP, "mcp", {"type": "namespace", "tools": [MCP]}]),
)
@settings(deadline=None)
def test_a_forbidden_tool_is_found_at_any_depth(wrappers, name, others, tool):
    value = {name: [*others, tool]}
    for wrapper in wrappers:
        value = (
            [*[{}] * wrapper, value] if isinstance(wrapper, int) else {"type": "x", wrapper: value}
        )
    found = violations({"deny_tools": ["mcp"]}, {"input": value})
    assert len(found) == 1


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.text()
                | st.sampled_from(
                    ["tools", "tool_choice", "image_url", "url", "variables", "effort"]
                ),
                inner,
            )
        ),
    )
)
@settings(deadline=None)
def test_any_body_can_be_judged(value):
    everything = {
        "tools": [],
        "url_hosts": [],
        "mcp_hosts": [],
        "max_effort": "low",
        "max_input_bytes": 1,
    }
    violations(
        everything | {"service_tiers": [], "store": "refuse"},
        {"input": value, "service_tier": value},
    )


def test_all_policies_of_a_caller_must_allow_it():
    sections = {
        "policy": {"tools": ["function", "mcp", "web_search"]},
        "policies": {"team": {"deny_tools": ["mcp"]}, "app": {"deny_tools": ["web_search"]}},
        "tenants": {"acme": {"policy": "team"}},
    }
    policies = Policies.from_config(parse_config({"targets": {"a": TARGET}, **sections}))
    tools = [{"type": type, "name": "x"} for type in ("function", "mcp", "web_search", "shell")]
    body = CreateResponse.of({"model": "gpt-5", "input": "x", "tools": tools})

    def rules(caller):
        judged = PolicyBody("create", body.document, 0)
        return [each.rule for each in find_violations(judged, policies.of(caller))]

    assert rules(Caller("other", "k")) == ["[policy] tools"]
    assert rules(Caller("acme", "k")) == ["[policies.team] deny_tools", "[policy] tools"]
    by_both = rules(Caller("acme", "k", limits=Limits(policy="app")))
    assert by_both == ["[policies.team] deny_tools", "[policies.app] deny_tools", "[policy] tools"]
    with pytest.raises(PolicyViolation) as refused:
        policies.apply(body, Caller("acme", "k"), b"{}")
    assert refused.value.param == "tools[1].type"
    assert "'tools[1].type' violates the policy [policies.team] deny_tools: " in str(refused.value)
    assert (refused.value.status, refused.value.retry) == (403, False)


def test_storing_is_switched_off_by_changing_nothing_else():
    sections = {"targets": {"a": TARGET}, "policy": {"store": "force_false"}}
    policies = Policies.from_config(parse_config(sections))
    cases = {
        b' {"model":"gpt-5", "store" : true ,"input":"x","max_tokens":1e1}': (
            b' {"model":"gpt-5", "store" : false ,"input":"x","max_output_tokens":1e1}'
        ),
        b'\n{ "model":"gpt-5","input":"\\u00e9"}': b'\n{"store":false, "model":"gpt-5","input":"\\u00e9"}',
        b'{"model":"gpt-5","input":"x","store":null}': b'{"model":"gpt-5","input":"x","store":false}',
    }
    for content, sent in cases.items():
        body = policies.apply(CreateResponse.parse(content), Caller("acme", "k"), content)
        assert body.body_for(content, None) == sent
        assert "store=false" in body.rewrites["x-antiphon-rewrote"]
        assert body.store is False
    content = b'{"model":"gpt-5","store":false,"input":"x"}'
    body = policies.apply(CreateResponse.parse(content), Caller("acme", "k"), content)
    assert (body.body_for(content, None), body.rewrites) == (content, {})


def test_a_key_whose_policy_does_not_exist_is_refused():
    class Keys:
        def get(self, key):
            return key_of_row(key_row(key, "acme", limits={"policy": "gone"}))

    request = Request(
        "r", "GET", headers={"api-key": "sk-0123456789"}, ends_at=time.monotonic() + 9
    )
    with pytest.raises(PolicyViolation, match="'gone'"):
        Auth(Keys(), 30, policies={"other": {}}).identify(request)
    assert Auth(Keys(), 30, policies={"gone": {}}).identify(request).limits.policy == "gone"


def test_no_policy_costs_nothing():
    assert Policies.from_config(parse_config({"targets": {"a": TARGET}})) is None
