"""`antiphon adopt --local`: what a tenant may use before the command, after it, and taken back."""

import json
from dataclasses import asdict

import pytest

from infra.local import instance_file
from tests.support.commands import EMPTY_ENVIRONMENT, run_antiphon
from tests.support.events import make_response, new_id
from tests.support.provider import encode_response


@pytest.fixture
def run(gateway, tmp_path):
    """Run `antiphon adopt` on the gateway that the tests share."""
    where = {"url": gateway.url, "rest": gateway.rest, "aws_endpoint": gateway.aws_endpoint}
    instance = instance_file.Instance(
        **where,
        table=gateway.table,
        key_cache_seconds=30.0,
        pid=gateway.pid,
        targets=["openai", "azure"],
    )
    instance_file.write_private_json(tmp_path / "here.json", asdict(instance))
    env = {**EMPTY_ENVIRONMENT, instance_file.FOLDER_VARIABLE: str(tmp_path)}

    def run(*arguments):
        done = run_antiphon("adopt", *arguments, "--local", env=env)
        assert done.code == 0, done.err

    return run


def refusal(client, path, body):
    response = client.post(path, content=body, headers={"content-type": "application/json"})
    assert response.status_code == 404
    return response.json()["error"]


def test_a_prompt_reaches_its_target_once_it_is_adopted(gateway, provider, door, run):
    id = f"pmpt_{new_id()}"
    body = b'{ "prompt" : {"id":"%b", "version":"2"},\t"x" : 1.0e5 }' % id.encode()
    with gateway.client(door) as client, gateway.client(door, "umbra") as stranger:
        error = refusal(client, "/responses", body)
        assert error["param"] == "prompt.id"
        assert "`[shared]` in gateway.toml" in error["message"]
        assert "`antiphon adopt`" in error["message"]
        run("acme", id, "--target", "openai")
        provider.respond_with(encode_response(json.dumps(make_response(new_id())).encode()))
        response = client.post("/responses", content=body)
        assert (response.status_code, response.headers["x-antiphon-target"]) == (200, "openai")
        (got,) = provider.received
        assert got.body == body
        assert refusal(stranger, "/responses", body) == error
        run("acme", id, "--remove")
        assert refusal(client, "/responses", body) == error
        assert len(provider.received) == 1


def test_an_adopted_file_is_listed_as_its_provider_has_it(gateway, provider, door, run):
    id = f"file-{new_id()}"
    run("adopter", id, "--target", "azure")
    with gateway.client(door, "adopter") as client:
        stored = b' {"id":"%b", "object":"file","bytes":1.0e1 }' % id.encode()
        provider.respond_with(encode_response(stored))
        listed = client.get("/files?limit=1").content
        assert listed.startswith(b'{"object":"list","data":[%b],"first_id"' % stored)
        provider.respond_with(encode_response(b'{"error":{"message":"no"}}', status=404))
        assert client.get("/files?limit=1").json()["first_id"] != id
        assert client.get(f"/files/{id}").status_code == 404
    assert len(provider.received) == 2
