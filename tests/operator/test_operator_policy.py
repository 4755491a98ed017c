"""The IAM policy for operators, played with its resources and conditions."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from antiphon.store.dynamodb import BatchTable
from antiphon.store.links import link_row
from infra.constructs.function_specs import KEY_ACTIONS
from tests.support.aws_clients import aws_client
from tests.support.commands import create_stack, run_antiphon, run_for_json
from tests.support.dynamodb import make_link
from tests.support.iam import ACCOUNT, IamRequest, is_allowed, recorded_requests
from tests.support.usage import make_usage

POLICY = json.loads((Path(__file__).parents[2] / "docs" / "operator-policy.json").read_text())
TABLE = "Antiphon-played-Table1234"
KEY = ACCOUNT.format("kms", "key/1-2-3")
BY_DYNAMODB = {
    "kms:ViaService": ["dynamodb.us-east-1.amazonaws.com"],
    "kms:ResourceAliases": ["alias/antiphon/prod"],
}


def play_commands():
    """Return the requests of the commands on a stack whose table CloudFormation has named."""
    settings = json.dumps({"models": ["gpt-*"], "tenants": {"acme": {"rpm": 9, "max_files": 9}}})
    create_stack("Antiphon-played", TABLE, TargetNames="openai", KeySettings=settings)
    ended = {"status": "completed", "usage": make_usage()}
    links = [
        make_link(0, **ended),
        make_link(1, kind="container", id="cntr_1"),
        make_link(2, kind="compaction", **ended),
        make_link(3, kind="file", id="file-1"),
        make_link(4, status="in_progress"),
    ]
    batch = BatchTable(aws_client("dynamodb"), TABLE)
    batch.put_all(map(link_row, links))
    with recorded_requests() as requests:
        run_commands("--stage", "played")
    return requests


def run_commands(*stage):
    id = run_for_json("keys", "create", "--tenant", "acme", *stage)["id"]
    new = run_for_json("keys", "rotate", id, *stage)["id"]
    for options in (["--rpm", "5", "--max-files", "5"], ["--rpm", "none"]):
        run_for_json("keys", "update", new, *options, *stage)
        assert run_for_json("keys", "show", new, *stage)["usage"][0]["left"] > 0
    for command in (["list", "--all"], ["revoke", new]):
        run_for_json("keys", *command, *stage)
    for options in ([], ["--remove"]):
        adopted = run_antiphon("adopt", "acme", "vs_1", "--target", "openai", *options, *stage)
        assert adopted.code == 0, adopted.err
    [found] = run_for_json("usage", "recount", "--since", "2023-11-14", *stage)["data"]
    assert (found["links"], found["uncounted"], found["unpolled"]) == (6, 6, 1)  # with vs_1
    assert run_for_json("usage", "--since", "2023-11-14", *stage)["total"]["requests"] == 2
    run_for_json("usage", "--tenant", "acme", *stage)
    for command in (["tail", "--no-follow"], ["top", "--once"]):
        assert run_antiphon(*command, *stage).code == 0


@pytest.mark.usefixtures("stacks")
def test_the_requests_of_every_command_are_allowed_on_its_table_only():
    played = play_commands()
    assert [each for each in played if not is_allowed(POLICY, each)] == []
    names = {each.action for each in played if each.action.startswith("dynamodb:")}
    assert names == {
        f"dynamodb:{name}" for name in ("BatchGetItem", "GetItem", "PutItem", "Query", "UpdateItem")
    }
    others = [
        replace(each, resource=each.resource.replace("Antiphon-", "Other-")) for each in played
    ]
    assert [each for each in others if is_allowed(POLICY, each)] == []


@pytest.mark.parametrize(
    ("action", "key"),
    [
        ("Query", "T#acme#R#resp_1"),
        ("GetItem", "T#acme#I#digest"),
        ("PutItem", "T#acme#R#resp_1"),
        ("UpdateItem", "G#CIRCUITS"),
        ("DeleteItem", "K#digest"),
    ],
)
def test_other_rows_are_out_of_reach(action, key):
    table = ACCOUNT.format("dynamodb", f"table/{TABLE}")
    request = IamRequest(f"dynamodb:{action}", table, {"dynamodb:LeadingKeys": [key]})
    assert not is_allowed(POLICY, request)


def test_with_a_customer_managed_key_dynamodb_may_use_it_for_an_operator():
    """As for the functions: what DynamoDB needs of a principal that reads and writes rows."""
    assert all(is_allowed(POLICY, IamRequest(each, KEY, BY_DYNAMODB)) for each in KEY_ACTIONS)


@pytest.mark.parametrize(
    "context",
    [
        {**BY_DYNAMODB, "kms:ViaService": []},
        {**BY_DYNAMODB, "kms:ViaService": ["secretsmanager.us-east-1.amazonaws.com"]},
        {**BY_DYNAMODB, "kms:ResourceAliases": ["alias/payroll"]},
        {**BY_DYNAMODB, "kms:ResourceAliases": []},
    ],
    ids=["directly", "for another service", "another key", "a key without an alias"],
)
def test_an_operator_cannot_use_the_key_otherwise(context):
    assert not is_allowed(POLICY, IamRequest("kms:Decrypt", KEY, context))
