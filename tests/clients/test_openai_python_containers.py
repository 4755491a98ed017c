"""Containers by openai-python, and the files that a model makes in them."""

import openai
import pytest

TEXT = b"one,two\r\n1,2\r\n"
CODE = {"type": "code_interpreter", "container": {"type": "auto"}}
QUESTION = "How long is this question?"


@pytest.fixture
def gateway(played):
    return played


async def test_the_tour_of_a_container(sdk, stranger):
    file = await sdk.call("files.create", file=("own.csv", TEXT), purpose="assistants")
    container = await sdk.call("containers.create", name="tour", file_ids=[file.id])
    sent = await sdk.call("containers.files.create", container.id, file=("sent.csv", TEXT))
    copied = await sdk.call("containers.files.create", container.id, file_id=file.id)
    files = await sdk.pages("containers.files.list", container.id, limit=2)
    assert {sent.id, copied.id} < {each.id for each in files}
    assert len(files) == 3
    within = {"container_id": container.id}
    stored = await sdk.call("containers.files.retrieve", sent.id, **within)
    assert stored.to_dict() == sent.to_dict()
    content = await sdk.call("containers.files.content.retrieve", copied.id, **within)
    assert content.content == TEXT
    await sdk.call("containers.files.delete", sent.id, **within)
    with pytest.raises(openai.NotFoundError):
        await sdk.call("containers.files.retrieve", sent.id, **within)
    assert (await sdk.call("containers.retrieve", container.id)).name == "tour"
    assert container.id in {each.id for each in await sdk.pages("containers.list", name="tour")}
    assert container.id not in {each.id for each in await stranger.pages("containers.list")}
    await sdk.call("containers.delete", container.id)
    assert container.id not in {each.id for each in await sdk.pages("containers.list", limit=10)}


async def test_a_file_or_container_of_another_tenant_is_unknown(sdk, stranger):
    container = await sdk.call("containers.create", name="own")
    foreign = await stranger.call("files.create", file=("x.csv", TEXT), purpose="assistants")
    with pytest.raises(openai.NotFoundError) as refusal:
        await sdk.call("containers.files.create", container.id, file_id=foreign.id)
    assert refusal.value.param == "file_id"
    with pytest.raises(openai.NotFoundError):
        await stranger.call("containers.files.create", container.id, file_id=foreign.id)
    with pytest.raises(openai.NotFoundError) as refusal:
        await stranger.create(
            model="gpt-4.1", input="x", tools=[{**CODE, "container": container.id}]
        )
    assert refusal.value.param == "tools[0].container"


@pytest.mark.parametrize("way", ["create", "final"])
async def test_a_file_that_a_model_made_is_downloaded(sdk, stranger, way):
    response = await getattr(sdk, way)(model="gpt-4.1", input=QUESTION, tools=[CODE])
    (cited,) = response.output[-1].content[0].annotations
    assert cited.container_id == response.output[0].container_id
    name, ids = "containers.files.content.retrieve", {"container_id": cited.container_id}
    assert (await sdk.call(name, cited.file_id, **ids)).text == QUESTION
    with pytest.raises(openai.NotFoundError):
        await stranger.call(name, cited.file_id, **ids)
    assert cited.container_id in {each.id for each in await sdk.pages("containers.list")}
    again = await sdk.create(
        model="gpt-4.1", input="And now?", tools=[CODE], previous_response_id=response.id
    )
    assert again.output[0].container_id == cited.container_id
