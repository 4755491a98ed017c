"""Containers by the SDK: their files by form and by id, downloads, and what is refused."""

import httpx
import openai
import pytest

from tests.local.simulator.reply import KEY, NO_TLS

TEXT = b"a,b\n1,2\n"
SECRETS = [{"domain": "example.com", "name": "token", "value": "s3cret"}]


@pytest.fixture(params=["client", "azure"])
def sdk(request):
    return request.getfixturevalue(request.param)


def create_file(client, name="table.csv"):
    return client.files.create(file=(name, TEXT), purpose="assistants").id


def test_a_tour_of_a_container(sdk, other):
    file = create_file(sdk)
    container = sdk.containers.create(
        name="Tour",
        file_ids=[file],
        memory_limit="4g",
        expires_after={"anchor": "last_active_at", "minutes": 5},
        network_policy={
            "type": "allowlist",
            "allowed_domains": ["example.com"],
            "domain_secrets": SECRETS,
        },
    )
    assert (container.status, container.memory_limit) == ("running", "4g")
    assert container.expires_after.minutes == 5
    assert "s3cret" not in container.to_json()
    assert sdk.containers.retrieve(container.id).id == container.id
    assert container.id in {each.id for each in sdk.containers.list(name="Tour")}
    assert container.id not in {each.id for each in other.containers.list()}
    sdk.containers.delete(container.id)
    with pytest.raises(openai.NotFoundError):
        sdk.containers.retrieve(container.id)
    assert sdk.files.retrieve(file).id == file


def test_a_tour_of_files_in_a_container(sdk, other):
    file = create_file(sdk)
    container = sdk.containers.create(name="Files", file_ids=[file])
    files = sdk.containers.files
    sent = files.create(container.id, file=("note.txt", TEXT))
    copied = files.create(container.id, file_id=file)
    assert (sent.path, copied.path) == ("/mnt/data/note.txt", "/mnt/data/table.csv")
    assert len({each.id for each in files.list(container.id, limit=2)}) == 3
    assert files.retrieve(sent.id, container_id=container.id).to_dict() == sent.to_dict()
    assert files.content.retrieve(copied.id, container_id=container.id).content == TEXT
    with pytest.raises(openai.NotFoundError):
        other.containers.files.content.retrieve(copied.id, container_id=container.id)
    files.delete(copied.id, container_id=container.id)
    with pytest.raises(openai.NotFoundError) as error:
        files.retrieve(copied.id, container_id=container.id)
    is_azure = isinstance(sdk, openai.AzureOpenAI)
    text = f"File {copied.id} not found on container {container.id}"
    assert error.value.body["message"] == ("Resource not found" if is_azure else text)


def test_an_expired_container_is_shown_but_not_used(client):
    id = client.containers.create(name="sim-expired").id
    assert client.containers.retrieve(id).status == "expired"
    tool = {"type": "code_interpreter", "container": id}
    for call in (
        lambda: client.containers.files.list(id),
        lambda: client.responses.create(model="gpt-4.1", input="Hi", tools=[tool]),
    ):
        with pytest.raises(openai.BadRequestError, match="Container is expired"):
            call()


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        ("", {}, 400, "'name'"),
        ("", {"name": "x", "file_ids": ["file-none"]}, 404, "No such File object"),
        ("", {"name": "x", "memory_limit": "3g"}, 400, "'3g' is no limit"),
        ("", {"name": "x", "expires_after": {"minutes": 99}}, 400, "<= 60"),
        ("", {"name": "sim-500"}, 500, "had an error"),
        ("/{id}/files", {"file_id": "file-none"}, 404, "No such File object"),
        ("/{id}/files", {}, 400, "'file_id'"),
        ("/cntr_none/files", {}, 404, "Container with id 'cntr_none' not found"),
    ],
)
def test_what_is_refused(client, simulator, path, body, status, message):
    id = client.containers.create(name="Refuses").id
    url = f"{simulator}/v1/containers{path.format(id=id)}"
    reply = httpx.post(url, headers=KEY, json=body, verify=NO_TLS)
    assert reply.status_code == status
    assert message in reply.json()["error"]["message"]
