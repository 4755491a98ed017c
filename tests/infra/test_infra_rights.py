"""Least privilege: what the policies say, and that it is what the code does."""

import re

import pytest

from infra.constructs.doors import DOORS, KEYS, TENANTS
from tests.infra.synthesis import (
    ALL_KINDS,
    EVERYTHING,
    PROJECT,
    listed,
    resources,
    statements,
    template,
)

UNNAMEABLE = {"xray:PutTraceSegments", "xray:PutTelemetryRecords", "dynamodb:ListStreams"}
STORE = "\n".join(path.read_text() for path in PROJECT.glob("functions/antiphon/store/*.py"))
GRANTED = {action for door in DOORS for right in door.rights for action in right.actions}


def actions(statement):
    return set(listed(statement["Action"]))


def allowed(made, name):
    return set().union(*map(actions, statements(made, name)))


@pytest.fixture(scope="module")
def api():
    (row,) = (door for door in DOORS if door.name == "api")
    return row


@pytest.mark.parametrize("options", [{}, EVERYTHING], ids=["default", "everything"])
@pytest.mark.parametrize("doors", [DOORS, ALL_KINDS], ids=["ours", "of all kinds"])
def test_no_function_may_do_anything_to_everything(doors, options):
    for door in doors:
        for statement in statements(template(doors, **options), door.name):
            assert not [action for action in actions(statement) if "*" in action]
            if "*" in str(statement["Resource"]):
                assert actions(statement) <= UNNAMEABLE


def test_the_api_may_do_what_its_row_says_and_nothing_else(api):
    row = {f"dynamodb:{action}" for right in api.rights for action in right.actions}
    assert allowed(template(), "api") == row | {
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "secretsmanager:GetSecretValue",
        "sqs:SendMessage",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    }


def test_no_function_may_scan():
    assert "Scan" not in GRANTED


def test_what_the_store_does_some_row_grants():
    called = re.findall(r'_call\(\s*"(\w+)"', STORE)
    done = {"".join(word.capitalize() for word in name.split("_")) for name in called}
    assert done == GRANTED


def test_what_counts_may_update_as_its_transactions_do():
    """DynamoDB has no right to transactions: what they are made of must be granted."""
    (rollup,) = (door for door in DOORS if door.name == "rollup")
    assert "transact_write_items(" in STORE
    assert set(re.findall(r'items: Any = \[\{"(\w+)"', STORE)) == {"Update"}
    assert "UpdateItem" in {action for right in rollup.rights for action in right.actions}


def test_some_row_defers_once_the_code_does():
    code = "".join(path.read_text() for path in PROJECT.glob("functions/antiphon/**/*.py"))
    assert any(door.defers for door in DOORS) == ("send_message" in code)


def test_all_rows_have_keys_of_the_two_shapes_that_rights_name():
    assert set(re.findall(r'f"([A-Z]#)', STORE)) == {shape.rstrip("*") for shape in (KEYS, TENANTS)}


def test_rights_hold_for_rows_of_those_shapes_alone(api):
    made = [s for s in statements(template(), "api") if "dynamodb:" in str(s["Action"])]
    shapes = [s["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"] for s in made]
    assert sorted(shapes) == sorted([*right.rows] for right in api.rights)


def test_the_api_looks_keys_up_and_does_nothing_else_with_them(api):
    assert [right.actions for right in api.rights if KEYS in right.rows] == [
        ("BatchGetItem",)  # of rows that are named: no hash is found that is not known
    ]


def test_only_a_row_with_secrets_reads_credentials_and_reads_each_by_its_own_name():
    made = template(ALL_KINDS)
    secrets = [{"Ref": name} for name in resources(made, "SecretsManager::Secret")]
    (api,) = (s for s in statements(made, "api") if "secretsmanager" in str(s))
    assert sorted(api["Resource"], key=str) == sorted(secrets, key=str)
    assert "secretsmanager" not in str(statements(made, "watcher"))


def test_a_row_with_indexes_may_query_each_of_them_by_name():
    (query,) = (
        s for s in statements(template(ALL_KINDS), "watcher") if "dynamodb:Query" in actions(s)
    )
    assert [str(r).partition("/index/")[2][:7] for r in query["Resource"][1:]] == [
        "by_root",
        "by_time",
    ]


def test_only_what_defers_may_send_to_the_queue():
    made = template(ALL_KINDS)
    assert "sqs:SendMessage" in allowed(made, "watcher")
    assert "sqs:SendMessage" not in allowed(made, "worker")


def test_a_function_may_use_the_customer_s_key_through_its_stores_alone():
    (use,) = (
        s
        for s in statements(template(customer_managed_key=True), "api")
        if "kms:Decrypt" in actions(s)
    )
    assert list(use["Condition"]) == ["StringEquals"]
    assert list(use["Condition"]["StringEquals"]) == ["kms:ViaService"]
