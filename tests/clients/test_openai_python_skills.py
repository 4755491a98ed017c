"""Skills by openai-python: only OpenAI has them, so they are made there."""

import openai
import pytest

MANIFEST = "---\nname: {}\ndescription: Adds up numbers\n---\n# Add\n"


@pytest.fixture
def gateway(played):
    return played


def files(name):
    return [("add/SKILL.md", MANIFEST.format(name).encode()), ("add/run.py", b"print(1)")]


async def test_the_tour_of_a_skill(sdk, stranger):
    skill = await sdk.call("skills.create", files=files("first"))
    second = await sdk.call("skills.versions.create", skill.id, files=files("second"))
    assert (await sdk.call("skills.update", skill.id, default_version=second.version)).name == (
        "second"
    )
    versions = await sdk.pages("skills.versions.list", skill.id, limit=1, order="asc")
    assert [each.name for each in versions] == ["first", "second"]
    archive = await sdk.call("skills.versions.content.retrieve", "1", skill_id=skill.id)
    assert archive.content.startswith(b"PK")
    await sdk.call("skills.versions.delete", "1", skill_id=skill.id)
    assert skill.id in {each.id for each in await sdk.pages("skills.list", limit=1)}
    assert skill.id not in {each.id for each in await stranger.pages("skills.list")}
    assert (await sdk.call("skills.delete", skill.id)).deleted
    with pytest.raises(openai.NotFoundError):
        await sdk.call("skills.retrieve", skill.id)


async def test_a_model_uses_own_skills_and_those_of_openai(sdk, stranger):
    own = await sdk.call("skills.create", files=files("own"))
    skills = [{"type": "skill_reference", "skill_id": id} for id in (own.id, "openai-pdfs")]
    tool = {"type": "shell", "environment": {"type": "container_auto", "skills": skills}}
    response = await sdk.create(model="gpt-4.1", input="1 + 1", tools=[tool])
    assert response.output[0].type == "shell_call"
    with pytest.raises(openai.NotFoundError) as refusal:
        await stranger.create(model="gpt-4.1", input="1 + 1", tools=[tool])
    assert refusal.value.param == "tools[0].environment.skills[0].skill_id"
