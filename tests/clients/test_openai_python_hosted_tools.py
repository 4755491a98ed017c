"""Tools by openai-python through the gateway: what a provider runs, and what the client runs."""

import openai
import pytest

WEB = {"type": "web_search"}
IMAGE = {"type": "image_generation", "partial_images": 1}
CODE = {"type": "code_interpreter", "container": {"type": "auto"}}
MCP = {"type": "mcp", "server_label": "docs", "server_url": "https://example.com/mcp"}
WEATHER = {"type": "function", "name": "get_weather", "parameters": {"type": "object"}}
SQL = {"type": "custom", "name": "run_sql"}
COMPUTER = {
    "type": "computer_use_preview",
    "display_width": 9,
    "display_height": 9,
    "environment": "linux",
}
LOGPROBS = "message.output_text.logprobs"


@pytest.fixture
def gateway(played):
    return played


async def test_every_hosted_tool_reaches_the_client(sdk):
    free = {**MCP, "require_approval": "never"}
    response = await sdk.final(
        model="gpt-4.1", input="Hi", tools=[WEB, IMAGE, CODE, free], include=[LOGPROBS]
    )
    assert [item.type for item in response.output] == [
        "web_search_call",
        "image_generation_call",
        "code_interpreter_call",
        "mcp_list_tools",
        "mcp_call",
        "message",
    ]
    part = response.output[-1].content[0]
    assert {each.type for each in part.annotations} == {"url_citation", "container_file_citation"}
    assert "".join(each.token for each in part.logprobs) == part.text
    stored = await sdk.call("responses.retrieve", response.id)
    assert [item.id for item in stored.output] == [item.id for item in response.output]
    assert stored.output[1].result == response.output[1].result
    assert stored.tool_usage.web_search.num_requests == 1


async def test_a_container_of_a_stream_is_owned_before_its_event_arrives(sdk, stranger):
    async for event in sdk.streamed(model="gpt-4.1", input="Hi", tools=[CODE]):
        if event.type == "response.output_item.added":
            container = event.item.container_id
            assert (await sdk.call("containers.retrieve", container)).id == container
            break
    with pytest.raises(openai.NotFoundError):
        await stranger.call("containers.retrieve", container)


async def test_an_mcp_call_is_approved_by_its_tenant_only(sdk, stranger):
    ask = {"model": "gpt-4.1", "tools": [MCP]}
    first = await sdk.create(**ask, input="Look it up")
    asked = first.output[-1]
    answer = {"type": "mcp_approval_response", "approval_request_id": asked.id, "approve": True}
    after = {**ask, "input": [answer], "previous_response_id": first.id}
    with pytest.raises(openai.BadRequestError, match="Previous response"):
        await stranger.create(**after)
    second = await sdk.create(**after)
    assert second.output[0].approval_request_id == asked.id


async def test_the_client_runs_several_calls_of_one_response(sdk):
    ask = {"model": "gpt-4.1", "tools": [WEATHER, SQL, COMPUTER]}
    first = await sdk.final(**ask, input="get_weather, run_sql and the computer")
    assert [item.type for item in first.output] == [
        "function_call",
        "custom_tool_call",
        "computer_call",
    ]
    with pytest.raises(openai.BadRequestError, match="No tool output found for function call"):
        await sdk.create(**ask, input="Now?", previous_response_id=first.id)
    screenshot = {"type": "computer_screenshot", "image_url": "data:image/png;base64,AAAA"}
    outputs = [
        {"type": f"{call.type}_output", "call_id": call.call_id, "output": output}
        for call, output in zip(first.output, ["1", "2", screenshot], strict=True)
    ]
    second = await sdk.create(**ask, input=outputs, previous_response_id=first.id)
    assert second.output_text.startswith("The tool answered: ")


async def test_reasoning_may_use_all_tokens(sdk):
    response = await sdk.create(model="gpt-5", input="Hi", max_output_tokens=16)
    assert (response.status, response.output_text) == ("incomplete", "")
    assert response.usage.output_tokens_details.reasoning_tokens == 16
