"""`--local`: commands find the gateway that runs on this machine."""

import dataclasses
import json
import os
import re
import socket
import subprocess
import sys

import httpx
import pytest

from infra.local import instance_file
from tests.support.commands import EMPTY_ENVIRONMENT, run_antiphon, run_for_json
from tests.support.concurrency import wait_for
from tests.support.gateway import KEYS, instance_folder, run_gateway

CONFIG = """
[gateway]
key_cache_seconds = {seconds}

[targets.simulated]
provider = "openai"
models = ["sim-*", "gpt-5-mini", "gpt-5"]

[tenants.capped]
budget_usd = 5
max_files = 3
"""
CACHE_SECONDS = 0.2
CREATE = ("keys", "create", "--tenant", "acme", "--local")


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """A gateway, and the environment with which commands find it."""
    folder = tmp_path_factory.mktemp("here")
    config, ready = folder / "gateway.toml", folder / "ready.json"
    config.write_text(CONFIG.format(seconds=CACHE_SECONDS))
    with run_gateway(config, ready, "--concurrency", "1") as gateway:
        (left,) = instance_file.find_instances(instance_folder(ready))
        assert (left.url, left.rest, left.table) == (gateway.url, gateway.rest, gateway.table)
        assert (left.aws_endpoint, left.key_cache_seconds) == (gateway.aws_endpoint, CACHE_SECONDS)
        env = {**EMPTY_ENVIRONMENT, instance_file.FOLDER_VARIABLE: str(instance_folder(ready))}
        yield gateway, env
    assert instance_file.find_instances(instance_folder(ready)) == []


def call(gateway, key, path="/models", endpoint="url", **body):
    headers = {"authorization": f"Bearer {key}"}
    method = "POST" if body else "GET"
    with httpx.Client(base_url=gateway.base(endpoint), timeout=60, trust_env=False) as client:
        return client.request(method, path, headers=headers, json=body or None)


def wait_until_refused(gateway, key):
    """Wait until the key is refused; the test's timeout ends the loop."""
    while (status := call(gateway, key).status_code) != 401:
        assert status == 200


def wait_for_status(gateway, key, status, **body):
    """Wait until a create has this status; the test's timeout ends the loop."""
    create = {"path": "/responses", "model": "gpt-5-mini", "input": "Say hello.", **body}
    while (got := call(gateway, key, **create)).status_code != status:
        assert got.status_code in {200, 404, 429}
    return got


def used(env, id):
    """What `keys show` says of each limit."""
    usage = run_for_json("keys", "show", id, "--local", env=env)["usage"]
    return {(each["of"], each["limit"]): each for each in usage}


def test_key_is_valid_from_creation_to_revocation(here):
    gateway, env = here
    document = run_for_json(*CREATE, env=env)
    assert (document["url"], document["rest"]) == (gateway.url, gateway.rest)
    assert call(gateway, document["key"]).status_code == 200
    assert call(gateway, document["key"], endpoint="rest").status_code == 200
    revoked = run_for_json("keys", "revoke", document["id"], "--local", env=env)
    assert revoked["status"] == "revoked"
    wait_until_refused(gateway, document["key"])
    error = call(gateway, document["key"]).json()["error"]
    assert error["code"] == "invalid_api_key"


def test_key_lists_and_calls_only_its_models(here):
    gateway, env = here
    key = run_for_json(*CREATE, "--models", "gpt-5-m*", env=env)["key"]
    listed = call(gateway, key).json()["data"]
    assert [model["id"] for model in listed] == ["gpt-5-mini"]
    create = {"path": "/responses", "input": "Say hello."}
    assert call(gateway, key, model="gpt-5-mini", **create).status_code == 200
    refused = call(gateway, key, model="gpt-5", **create)
    assert (refused.status_code, refused.json()["error"]["param"]) == (404, "model")


def test_a_changed_key_has_new_terms_within_the_cache_time_and_its_counters(here):
    gateway, env = here
    options = ("--models", "gpt-5", "--budget-usd", "1", "--streams", "2")
    created = run_for_json("keys", "create", "--tenant", "capped", "--local", *options, env=env)
    key, id = created["key"], created["id"]
    wait_for_status(gateway, key, 404)

    def update(*values):
        return run_for_json("keys", "update", id, "--local", *values, env=env)

    update("--models", "gpt-5-mini")
    wait_for_status(gateway, key, 200)
    before = used(env, id)
    assert before["tenant", "max_files"]["left"] == 3
    assert before["key", "streams"]["maximum"] == 2
    cost = before["key", "budget_usd"]["used"]
    assert before["tenant", "budget_usd"]["used"] == cost > 0
    for of, maximum in (("key", 1), ("tenant", 5)):
        assert before[of, "budget_usd"]["left"] == maximum - cost
    assert update("--budget-usd", "0.000001")["effective_within_seconds"] == CACHE_SECONDS
    refused = wait_for_status(gateway, key, 429)
    assert refused.json()["error"]["code"] == "insufficient_quota"
    after = used(env, id)["key", "budget_usd"]
    assert (after["used"] > 0, after["left"]) == (True, 0)
    update("--budget-usd", "none", "--models", "none")
    wait_for_status(gateway, key, 200, model="gpt-5")
    changes = run_for_json("keys", "show", id, "--local", env=env)["changes"]
    assert [(change["what"], change["by"]) for change in changes[1:3]] == [
        ("models gpt-5 -> gpt-5-mini", "local"),
        ("budget-usd 1 -> 0.000001", "local"),
    ]


def test_after_rotation_without_overlap_only_the_new_key_works(here):
    gateway, env = here
    old = run_for_json(*CREATE, env=env)
    assert call(gateway, old["key"]).status_code == 200
    new = run_for_json("keys", "rotate", old["id"], "--local", "--overlap", "0", env=env)
    wait_until_refused(gateway, old["key"])
    assert call(gateway, new["key"]).status_code == 200


def test_keys_from_the_environment_are_listed(here):
    _, env = here
    document = run_for_json("keys", "show", "-", "--local", stdin=KEYS["umbra"], env=env)
    assert (document["tenant"], document["limits"]) == ("umbra", {})
    assert "umbra" in run_antiphon("keys", "list", "--local", env=env).out


def test_stdout_of_the_process_is_the_key(here):
    gateway, env = here
    mine = {name: value for name, value in os.environ.items() if name not in EMPTY_ENVIRONMENT}
    done = subprocess.run(
        [sys.executable, "-m", "infra.cli", *CREATE, "--name", "shop"],
        env={**mine, **{name: value for name, value in env.items() if value is not None}},
        capture_output=True,
        text=True,
        check=True,
    )
    assert call(gateway, done.stdout.strip()).status_code == 200
    assert "displayed once" in done.stderr


def tail(env, *options):
    """The requests of this gateway, as JSON; those of other tests are among them."""
    done = run_antiphon("tail", "--local", "--no-follow", "--json", *options, env=env)
    assert done.code == 0, done.err
    return [json.loads(line) for line in done.out.splitlines()]


def test_tail_has_the_requests_of_the_running_gateway_with_their_messages(here):
    gateway, env = here
    key = run_for_json("keys", "create", "--tenant", "watched", "--local", env=env)
    create = {"path": "/responses", "model": "gpt-5-mini", "input": "Say hello."}
    assert call(gateway, key["key"], stream=True, **create).status_code == 200
    assert (
        call(gateway, key["key"], endpoint="rest", **{**create, "model": "no"}).status_code == 404
    )
    done, refused = wait_for(lambda: tail(env, "--tenant", "watched"), lambda all: len(all) == 2)
    assert (done["status"], done["stream"], done["end"]) == (200, True, "completed")
    assert (done["key_id"], done["model"], done["target"]) == (key["id"], "gpt-5-mini", "simulated")
    assert done["cost_usd"] > 0
    assert 0 < done["first_event_ms"] <= done["ms"]
    assert (refused["code"], "'no' does not exist" in refused["message"]) == (
        "model_not_found",
        True,
    )
    log = wait_for(gateway.watch.log.read_text, lambda text: text.count(" watched ") == 2)
    lines = [line for line in log.splitlines() if " watched " in line]
    assert re.search(rf"200 watched +{key['id']} gpt-5-mini .* completed$", lines[0])
    assert "model_not_found" in lines[1]
    assert "does not exist" not in log


def test_without_a_gateway_the_error_states_how_to_start_one(tmp_path):
    done = run_antiphon(
        *CREATE, env={**EMPTY_ENVIRONMENT, instance_file.FOLDER_VARIABLE: str(tmp_path)}
    )
    assert (done.code, done.out) == (1, "")
    assert done.err == "Error: No gateway runs on this machine. Start it with `antiphon local`.\n"


def write_instance_files(folder, aws, *ports):
    for port in ports:
        url = f"http://127.0.0.1:{port}/v1"
        aws_endpoint = f"http://127.0.0.1:{aws}"
        left = instance_file.Instance(url, url, aws_endpoint, "table", 30.0, os.getpid(), [])
        instance_file.write_private_json(folder / f"{port}.json", dataclasses.asdict(left))
    return {**EMPTY_ENVIRONMENT, instance_file.FOLDER_VARIABLE: str(folder)}


def test_killed_gateway_is_recognised(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        aws = server.getsockname()[1]
    done = run_antiphon(*CREATE, env=write_instance_files(tmp_path, aws, 8080))
    assert (done.code, done.out) == (1, "")
    assert "The one at http://127.0.0.1:8080/v1 was killed, and its keys are lost" in done.err


def test_with_several_gateways_a_port_is_required(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        env = write_instance_files(tmp_path, server.getsockname()[1], 8080, 9000)
        done = run_antiphon(*CREATE, env=env)
        assert (done.code, done.out) == (1, "")
        assert "Name one: --local-port 8080, --local-port 9000." in done.err
        stderr = run_antiphon(*CREATE, "--local-port", "7000", env=env).err
        assert "No gateway runs on this machine on port 7000." in stderr


def test_port_selects_one_of_several_gateways(here, tmp_path):
    gateway, env = here
    (mine,) = instance_file.find_instances(instance_file.instance_folder(env))
    with socket.create_server(("127.0.0.1", 0)) as server:
        both = write_instance_files(tmp_path, server.getsockname()[1], 1)
        instance_file.write_private_json(tmp_path / "mine.json", dataclasses.asdict(mine))
        key = run_for_json(*CREATE, "--local-port", str(mine.port), env=both)["key"]
    assert call(gateway, key).status_code == 200
