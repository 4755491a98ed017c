"""Responses with the tools that a provider runs itself, and with ids of files and stores."""

from copy import deepcopy

import openai
import pytest

from tests.local.simulator.reply import check_events, check_response, read, send_create

TEXT = b"Violets grow in the shade of old walls."
QUESTION = "Where do violets grow?"
INCLUDE = ["file_search_call.results", "code_interpreter_call.outputs"]
AUTO = {"type": "code_interpreter", "container": {"type": "auto"}}
SHELL = {"type": "shell", "environment": {"type": "container_auto"}}


@pytest.fixture(scope="session")
def file(client):
    return client.files.create(file=("plants.txt", TEXT), purpose="user_data").id


@pytest.fixture(scope="session")
def store(client, file):
    store = client.vector_stores.create().id
    client.vector_stores.files.create_and_poll(file, vector_store_id=store)
    return store


@pytest.fixture(params=[False, True], ids=["json", "stream"])
def create(request, client):
    """Creates a response, and returns it after a check of its events."""

    def create(**body):
        return client.responses.create(model="gpt-4.1", **{"input": QUESTION, **body})

    def create_streamed(**body):
        with client.responses.with_streaming_response.create(
            model="gpt-4.1", stream=True, **{"input": QUESTION, **body}
        ) as reply:
            events = read(reply.read())
        check_events(events)
        check_response(events[-1]["response"])
        added = [each for each in events if each["type"].endswith("annotation.added")]
        response = client.responses.retrieve(events[-1]["response"]["id"])
        assert [each["annotation"] for each in added] == [
            annotation.to_dict() for annotation in annotations_of(response)
        ]
        return response

    return create_streamed if request.param else create


def annotations_of(response):
    return response.output[-1].content[0].annotations


def test_a_search_cites_the_files(create, store, file):
    tool = {"type": "file_search", "vector_store_ids": [store]}
    response = create(tools=[tool], include=INCLUDE)
    call, _ = response.output
    assert (call.type, call.queries) == ("file_search_call", [QUESTION])
    assert [(each.file_id, each.text) for each in call.results] == [(file, TEXT.decode())]
    [citation] = annotations_of(response)
    assert (citation.file_id, citation.filename) == (file, "plants.txt")
    assert response.output_text == f"You said: {QUESTION} The file plants.txt has: {TEXT.decode()}"
    assert citation.index == len(response.output_text)
    assert create(tools=[tool], tool_choice="none").output_text == f"You said: {QUESTION}"


@pytest.mark.parametrize("tool", [AUTO, SHELL], ids=["code", "shell"])
def test_a_tool_makes_a_file_in_a_new_or_given_container(create, client, file, tool):
    key = "container" if tool is AUTO else "environment"
    first = create(tools=[{**tool, key: {**tool[key], "file_ids": [file]}}], include=INCLUDE)
    [citation] = annotations_of(first)
    link = first.output_text[citation.start_index : citation.end_index]
    assert link == "[result.txt](sandbox:/mnt/data/result.txt)"
    files = client.containers.files
    container = citation.container_id
    content = files.content.retrieve(citation.file_id, container_id=container).content
    assert content == QUESTION.encode()
    assert {each.source for each in files.list(container)} == {"user", "assistant"}
    if tool is AUTO:
        assert first.output[0].container_id == container
        assert first.output[0].outputs[0].logs == f"{len(QUESTION)}\n"
    else:
        assert first.output[0].environment.container_id == container
        assert first.output[1].output[0].stdout == "plants.txt"
    given = {"type": "container_reference", "container_id": container}
    second = create(tools=[{**tool, key: container if tool is AUTO else given}])
    assert annotations_of(second)[0].container_id == container
    third = create(tools=[tool], previous_response_id=first.id)
    assert annotations_of(third)[0].container_id == container
    assert annotations_of(create(tools=[tool]))[0].container_id != container


def test_a_repeated_call_opens_its_container_again(create, client):
    first = create(tools=[AUTO])
    items = [item.to_dict(warnings=False) for item in first.output]
    again = create(input=[*items, {"role": "user", "content": "And now?"}], tools=[AUTO])
    assert again.output[0].container_id == first.output[0].container_id
    client.containers.delete(first.output[0].container_id)
    with pytest.raises(openai.BadRequestError, match="Expected container_id: cntr_"):
        client.responses.create(model="gpt-4.1", input=items, tools=[AUTO])


def test_a_shell_of_the_client_is_not_run(client):
    response = client.responses.create(model="gpt-4.1", input="Hi", tools=[{"type": "shell"}])
    assert [item.type for item in response.output] == ["message"]


def test_the_model_reads_a_file_of_the_input(create, file):
    content = [{"type": "input_text", "text": "Hi"}, {"type": "input_file", "file_id": file}]
    response = create(input=[{"role": "user", "content": content}])
    assert response.output_text == f"You said: Hi The file plants.txt has: {TEXT.decode()}"


NONE = "file-none"
MESSAGE = {"role": "user", "content": [{"type": "input_image", "file_id": NONE}]}
REFERENCES = [
    ({"input": [MESSAGE]}, "input[0].content[0].file_id"),
    (
        {
            "input": [
                {"type": "function_call_output", "call_id": "c", "output": [{"file_id": NONE}]}
            ]
        },
        "input[0].output[0].file_id",
    ),
    (
        {"input": [{"type": "computer_call_output", "call_id": "c", "output": {"file_id": NONE}}]},
        "input[0].output.file_id",
    ),
    (
        {"input": [{"type": "additional_tools", "tools": [{"vector_store_ids": ["vs_none"]}]}]},
        "input[0].tools[0].vector_store_ids[0]",
    ),
    (
        {"tools": [{"type": "file_search", "vector_store_ids": ["vs_none"]}]},
        "tools[0].vector_store_ids[0]",
    ),
    ({"tools": [{**AUTO, "container": "cntr_none"}]}, "tools[0].container"),
    (
        {"tools": [{**AUTO, "container": {"type": "auto", "file_ids": [NONE]}}]},
        "tools[0].container.file_ids[0]",
    ),
    (
        {"tools": [{**SHELL, "environment": {"container_id": "cntr_none"}}]},
        "tools[0].environment.container_id",
    ),
    (
        {"tools": [{"type": "image_generation", "input_image_mask": {"file_id": NONE}}]},
        "tools[0].input_image_mask.file_id",
    ),
    (
        {"prompt": {"id": "pmpt_1", "variables": {"a": {"type": "input_file", "file_id": NONE}}}},
        "prompt.variables.a.file_id",
    ),
]


@pytest.mark.parametrize(("body", "param"), REFERENCES)
@pytest.mark.parametrize("path", ["/v1/responses", "/v1/responses/input_tokens"])
def test_what_is_not_in_the_project_is_refused(simulator, path, body, param):
    reply = send_create(simulator, path=path, **body)
    assert (reply.status, reply.error["param"]) == (404, param)


def test_a_conversation_takes_only_files_of_the_project(client, file):
    items = [{"type": "message", **deepcopy(MESSAGE)}]
    for call in (
        lambda: client.conversations.create(items=items),
        lambda: client.conversations.items.create(client.conversations.create().id, items=items),
    ):
        with pytest.raises(openai.NotFoundError, match="No such File object"):
            call()
    items[0]["content"][0]["file_id"] = file
    assert client.conversations.create(items=items).id


def test_the_objects_of_others_are_refused(other, file, store):
    content = [{"type": "input_file", "file_id": file}]
    for body in (
        {"input": [{"role": "user", "content": content}]},
        {"input": "Hi", "tools": [{"type": "file_search", "vector_store_ids": [store]}]},
    ):
        with pytest.raises(openai.NotFoundError):
            other.responses.create(model="gpt-4.1", **body)
