"""The operator's commands on a deployed stack."""

from tests.infra.synthesis import template
from tests.support.commands import EMPTY_ENVIRONMENT, run_for_json


def test_key_cache_time_is_an_output():
    (output,) = template().find_outputs("KeyCacheSeconds").values()
    assert float(output["Value"]) == 30


def test_keys_can_be_created_listed_and_revoked_in_a_deployed_stack(deployed):
    env = {**EMPTY_ENVIRONMENT, **deployed.account.env}

    def keys(*arguments):
        return run_for_json("keys", *arguments, env=env)

    document = keys("create", "--tenant", "acme", "--rpm", "60", "--expires", "90d")
    assert document["url"] == deployed.outputs["FunctionUrl"]
    assert document["rest"] == deployed.outputs["RestUrl"]
    assert document["id"] in {key["id"] for key in keys("list", "--tenant", "acme")["data"]}
    revoked = keys("revoke", document["id"])
    assert (revoked["status"], revoked["refused_within_seconds"]) == ("revoked", 30)
    assert keys("show", document["key"])["revoked_at"] == revoked["revoked_at"]
    held = deployed.client("dynamodb").scan(TableName=deployed.outputs["TableName"])["Items"]
    assert document["key"] not in str(held)
