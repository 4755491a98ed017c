"""Skills by the SDK: as files with paths and as a zip, their versions, and what is refused."""

import io
import zipfile

import httpx
import openai
import pytest

from tests.local.simulator.reply import KEY, NO_TLS, send_create

MANIFEST = "---\nname: {}\ndescription: Adds up: all of it\n---\n# Add\n"


def folder(name="adder", **more):
    return [("add/SKILL.md", MANIFEST.format(name)), ("add/run.py", "print(1)"), *more.items()]


def pack(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files:
            archive.writestr(path, content)
    return buffer.getvalue()


def contents(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {path: archive.read(path).decode() for path in archive.namelist()}


def test_a_tour_of_skills(client, other):
    skill = client.skills.create(files=[(path, text.encode()) for path, text in folder()])
    assert (skill.name, skill.description) == ("adder", "Adds up: all of it")
    assert contents(client.skills.content.retrieve(skill.id).content) == dict(folder())
    packed = pack(folder("second"))
    second = client.skills.versions.create(skill.id, files=("add.zip", packed), default=True)
    assert (second.version, second.name) == ("2", "second")
    client.skills.versions.create(skill.id, files=("add.zip", pack(folder("third"))))
    shown = client.skills.retrieve(skill.id)
    assert (shown.name, shown.default_version, shown.latest_version) == ("second", "2", "3")
    assert client.skills.content.retrieve(skill.id).content == packed
    versions = client.skills.versions.list(skill.id, limit=2, order="asc")
    assert [version.name for version in versions] == ["adder", "second", "third"]
    content = client.skills.versions.content.retrieve("1", skill_id=skill.id)
    assert contents(content.content) == dict(folder())
    assert client.skills.update(skill.id, default_version="1").name == "adder"
    assert client.skills.versions.delete("2", skill_id=skill.id).version == "2"
    for version in ("2", "9"):
        with pytest.raises(openai.NotFoundError, match="not found"):
            client.skills.versions.retrieve(version, skill_id=skill.id)
    with pytest.raises(openai.BadRequestError, match="default version"):
        client.skills.versions.delete("1", skill_id=skill.id)
    assert skill.id in {each.id for each in client.skills.list(limit=1)}
    assert skill.id not in {each.id for each in other.skills.list()}
    assert client.skills.delete(skill.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.skills.retrieve(skill.id)


def test_a_model_uses_the_skills_of_the_project(client, other):
    own = client.skills.create(files=("a.zip", pack(folder()))).id
    names = [{"type": "skill_reference", "skill_id": id} for id in (own, "openai-spreadsheets")]
    tool = {"type": "shell", "environment": {"type": "container_auto", "skills": names}}
    body = {"model": "gpt-4.1", "input": "Hi", "tools": [tool]}
    assert client.responses.create(**body).output[0].type == "shell_call"
    assert client.containers.create(name="x", skills=names).id
    for call in (
        lambda: other.responses.create(**body),
        lambda: other.containers.create(name="x", skills=names),
    ):
        with pytest.raises(openai.NotFoundError, match=f"Skill with id '{own}' not found"):
            call()


@pytest.mark.parametrize(
    ("files", "error", "message"),
    [
        ([("a/run.py", b"")], openai.BadRequestError, "exactly one SKILL.md"),
        ([("a/b/SKILL.md", MANIFEST.encode())], openai.BadRequestError, "exactly one SKILL.md"),
        ([("SKILL.md", b"# Add")], openai.BadRequestError, "a name and a description"),
        (("a.zip", b"zip"), openai.BadRequestError, "no zip file"),
        (("a.zip", pack(folder("sim-500"))), openai.InternalServerError, "had an error"),
    ],
)
def test_what_is_refused(client, files, error, message):
    with pytest.raises(error, match=message):
        client.skills.create(files=files)


def test_azure_has_no_skills(simulator):
    url = f"{simulator}/openai/v1/skills"
    assert httpx.get(url, headers={"api-key": "az-test"}, verify=NO_TLS).status_code == 404
    tool = {"type": "shell", "environment": {"skills": [{"skill_id": "skill_none"}]}}
    reply = send_create(simulator, headers=KEY, tools=[tool])
    assert (reply.status, reply.error["param"]) == (404, "tools[0].environment.skills[0].skill_id")
