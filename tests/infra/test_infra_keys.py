"""The operator's commands on a deployed stack."""

import json
import subprocess
import sys

import pytest

from infra.node import build_environment
from tests.infra.synthesis import PROJECT, template


@pytest.fixture
def keys(deployed):
    """Run `antiphon keys` as a process, with the account's credentials."""
    mine = {name: value for name, value in build_environment().items() if name[:4] != "AWS_"}

    def run(*arguments):
        done = subprocess.run(
            [sys.executable, "-m", "infra.cli", "keys", *arguments, "--json"],
            cwd=PROJECT,
            env={**mine, **deployed.account.env},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def test_key_cache_time_is_an_output():
    (output,) = template().find_outputs("KeyCacheSeconds").values()
    assert float(output["Value"]) == 30


def test_keys_can_be_created_listed_and_revoked_in_a_deployed_stack(deployed, keys):
    document = keys("create", "--tenant", "acme", "--rpm", "60", "--expires", "90d")
    assert document["url"] == deployed.outputs["FunctionUrl"]
    assert document["rest"] == deployed.outputs["RestUrl"]
    assert document["id"] in {key["id"] for key in keys("list", "--tenant", "acme")["data"]}
    revoked = keys("revoke", document["id"])
    assert (revoked["status"], revoked["refused_within_seconds"]) == ("revoked", 30)
    assert keys("show", document["key"])["revoked_at"] == revoked["revoked_at"]
    held = deployed.client("dynamodb").scan(TableName=deployed.outputs["TableName"])["Items"]
    assert document["key"] not in str(held)
