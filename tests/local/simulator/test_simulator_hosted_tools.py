"""The tools that a request has: items, events and texts as OpenAI sends them."""

from base64 import b64decode

import openai
import pytest

from tests.local.simulator.reply import check_events, check_response, send_create

MCP = {"type": "mcp", "server_label": "docs", "server_url": "https://example.com/mcp"}
FREE = {**MCP, "require_approval": "never", "authorization": "s3cret", "headers": {"x": "s3cret"}}
WEATHER = {"type": "function", "name": "get_weather", "parameters": None}
CUSTOM = {"type": "custom", "name": "run_sql"}
PREVIEW = {
    "type": "computer_use_preview",
    "display_width": 9,
    "display_height": 9,
    "environment": "linux",
}
NAMESPACE = {"type": "namespace", "name": "crm", "description": "", "tools": [WEATHER, CUSTOM]}
CALL = ["in_progress", "searching", "completed"]
IMAGE = ["in_progress", "generating", *["partial_image"] * 2, "completed"]
MCP_CALL = ["in_progress", "arguments.delta", "arguments.done", "completed"]


def create(simulator, text, tools, **body):
    """Streams a response, and returns it with its events after a check of both."""
    reply = send_create(simulator, stream=True, input=text, tools=tools, **body)
    assert reply.status == 200, reply.body
    check_events(reply.events)
    response = reply.events[-1]["response"]
    check_response(response)
    assert [e["item"] for e in reply.events if e["type"].endswith("item.done")] == response[
        "output"
    ]
    return response, reply.events


def states(events, item):
    """Returns the last words of the events of an item, without repeated deltas."""
    names = [e["type"] for e in events if e.get("item_id") == item["id"]]
    words = [name.removeprefix(f"response.{item['type']}")[1:] for name in names]
    return [w for i, w in enumerate(words) if w != words[i - 1] or w == "partial_image" or not i]


@pytest.mark.parametrize(
    ("tool", "text", "types", "expected"),
    [
        ({"type": "web_search"}, "Hi", ["web_search_call", "message"], CALL),
        ({"type": "web_search_preview"}, "Hi", ["web_search_call", "message"], CALL),
        (
            {"type": "image_generation", "partial_images": 2},
            "Hi",
            ["image_generation_call", "message"],
            IMAGE,
        ),
        (FREE, "Hi", ["mcp_list_tools", "mcp_call", "message"], ["in_progress", "completed"]),
        (MCP, "Hi", ["mcp_list_tools", "mcp_approval_request"], ["in_progress", "completed"]),
        (CUSTOM, "Use run_sql", ["custom_tool_call"], ["input.delta", "input.done"]),
        (WEATHER, "Use get_weather", ["function_call"], ["arguments.delta", "arguments.done"]),
        (NAMESPACE, "run_sql", ["custom_tool_call"], ["input.delta", "input.done"]),
        ({"type": "shell"}, "Use the shell", ["shell_call"], []),
        ({"type": "local_shell"}, "Use local_shell", ["local_shell_call"], []),
        ({"type": "apply_patch"}, "apply_patch", ["apply_patch_call"], []),
        ({"type": "computer"}, "Use the computer", ["computer_call"], []),
        (PREVIEW, "Use the computer", ["computer_call"], []),
        ({"type": "shell"}, "Use shell-scripts", ["message"], []),
    ],
    ids=lambda value: value.get("type") if isinstance(value, dict) else None,
)
def test_a_tool_is_used_in_the_items_and_events_of_openai(
    simulator, client, tool, text, types, expected
):
    response, events = create(simulator, text, [tool])
    assert [item["type"] for item in response["output"]] == types
    if types != ["message"]:
        assert states(events, response["output"][0]) == expected
    with client.responses.stream(model="gpt-4.1", input=text, tools=[tool]) as stream:
        final = stream.get_final_response()
    assert [item.type for item in final.output] == types
    assert "s3cret" not in str(response)
    none, _ = create(simulator, text, [tool], tool_choice="none")
    assert [item["type"] for item in none["output"]] == ["message"]


def test_a_deferred_tool_is_searched_before_its_call(simulator):
    far = {**WEATHER, "defer_loading": True}
    crm = {**NAMESPACE, "tools": [{**CUSTOM, "defer_loading": True}, {**far, "name": "other"}]}
    tools = [{"type": "tool_search"}, far, crm]
    response, _ = create(simulator, "get_weather and run_sql", tools)
    search, found, *calls = response["output"]
    assert search["arguments"] == {"paths": ["get_weather", "crm"]}
    assert found["tools"] == [far, {**crm, "tools": crm["tools"][:1]}]
    assert [(call["name"], call["namespace"]) for call in calls] == [
        ("get_weather", "get_weather"),
        ("run_sql", "crm"),
    ]


def test_a_web_search_has_sources_and_a_citation(simulator):
    tool = {"type": "web_search", "filters": {"allowed_domains": ["example.org"]}}
    response, _ = create(simulator, "Hi", [tool], include=["web_search_call.action.sources"])
    call, message = response["output"]
    assert call["action"]["sources"][0] == {"type": "url", "url": "https://example.org/"}
    part = message["content"][0]
    (citation,) = part["annotations"]
    cited = part["text"][citation["start_index"] : citation["end_index"]]
    assert cited == "([example.org](https://example.org/))"
    assert response["tool_usage"]["web_search"] == {"num_requests": 1}


def test_an_image_is_a_png(simulator):
    response, events = create(simulator, "A cat", [{"type": "image_generation"}])
    assert b64decode(response["output"][0]["result"]).startswith(b"\x89PNG\r\n\x1a\n")
    assert response["output"][0]["revised_prompt"] == "A cat"
    assert not any("partial_image_b64" in event for event in events)


def test_an_mcp_call_waits_for_approval(client):
    first = client.responses.create(model="gpt-4.1", input="Look it up", tools=[MCP])
    listed, asked = first.output
    assert "error" not in listed.model_fields_set  # OpenAI sends it only with a failure
    answer = {"type": "mcp_approval_response", "approval_request_id": asked.id, "approve": True}
    after = {"model": "gpt-4.1", "tools": [MCP], "previous_response_id": first.id}
    second = client.responses.create(input=[answer], **after)
    call, message = second.output
    assert (call.type, call.approval_request_id) == ("mcp_call", asked.id)
    assert call.arguments == asked.arguments == '{"query": "Look it up"}'
    assert message.content[0].text.endswith(f" The tool answered: {call.output}")
    refused = client.responses.create(input=[{**answer, "approve": False}], **after)
    assert [item.type for item in refused.output] == ["message"]
    with pytest.raises(openai.BadRequestError, match="Approval request with id 'mcpr_0' not found"):
        client.responses.create(input=[{**answer, "approval_request_id": "mcpr_0"}], **after)


def test_an_mcp_call_fails_by_its_name(simulator):
    tool = {**FREE, "allowed_tools": {"tool_names": ["read", "fail_always"]}}
    response, events = create(simulator, "Now fail_always", [tool])
    listed, call, _ = response["output"]
    assert [each["name"] for each in listed["tools"]] == ["read", "fail_always"]
    assert (call["status"], call["output"]) == ("failed", None)
    assert states(events, call)[-1] == "failed"


@pytest.mark.parametrize(("rule", "is_asked"), [("never", False), ("always", True)])
def test_approval_may_depend_on_the_tool(client, rule, is_asked):
    tool = {**MCP, "require_approval": {rule: {"tool_names": ["search"]}}}
    output = client.responses.create(model="gpt-4.1", input="Hi", tools=[tool]).output
    assert (output[-1].type == "mcp_approval_request") == is_asked


def test_several_tools_are_called_at_once_unless_the_request_forbids_it(client):
    body = {"model": "gpt-4.1", "input": "get_weather and run_sql", "tools": [WEATHER, CUSTOM]}
    calls = client.responses.create(**body).output
    assert [call.name for call in calls] == ["get_weather", "run_sql"]
    assert len(client.responses.create(**body, parallel_tool_calls=False).output) == 1
    outputs = [
        {"type": f"{call.type}_output", "call_id": call.call_id, "output": call.name}
        for call in calls
    ]
    items = [*(call.to_dict() for call in calls), *outputs]
    after = client.responses.create(model="gpt-4.1", input=items, tools=[WEATHER, CUSTOM])
    assert after.output_text == "The tool answered: run_sql"


def test_a_screenshot_is_an_output_of_a_tool(client):
    tools = [{"type": "computer"}]
    first = client.responses.create(model="gpt-4.1", input="Use the computer", tools=tools)
    screenshot = {"type": "computer_screenshot", "image_url": "data:image/png;base64,AAAA"}
    output = {"type": "computer_call_output", "call_id": first.output[0].call_id}
    second = client.responses.create(
        model="gpt-4.1",
        input=[{**output, "output": screenshot}],
        tools=tools,
        previous_response_id=first.id,
    )
    assert second.output_text == "The tool answered: "


def test_each_delta_has_the_probability_of_its_token(simulator):
    include = ["message.output_text.logprobs"]
    response, events = create(simulator, "Hi there", [], include=include, top_logprobs=2)
    part = response["output"][0]["content"][0]
    deltas = [e for e in events if e["type"] == "response.output_text.delta"]
    assert [e["logprobs"] for e in deltas] == [[each] for each in part["logprobs"]]
    assert [each["token"] for each in part["logprobs"]] == [e["delta"] for e in deltas]
    assert all(len(each["top_logprobs"]) == 2 for each in part["logprobs"])


def test_hosted_tools_are_limited_by_max_tool_calls(client):
    tools = [{"type": "web_search"}, {"type": "image_generation"}]
    response = client.responses.create(model="gpt-4.1", input="Hi", tools=tools, max_tool_calls=1)
    assert [item.type for item in response.output] == ["web_search_call", "message"]
