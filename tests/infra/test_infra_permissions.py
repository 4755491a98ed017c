"""Least privilege: the policies contain what the code calls, and no more."""

import re
from fnmatch import fnmatch

import pytest

from antiphon.store.moved_reservations import held_partition
from antiphon.store.reservations import limits_partition
from infra.constructs.function_specs import (
    FUNCTION_SPECS,
    HELD_ROWS,
    ID_ROWS,
    KEY_ROWS,
    TENANT_ROWS,
)
from tests.infra.synthesis import (
    ALL_SOURCES,
    PROJECT,
    as_list,
    resources,
    statements,
    template,
)
from tests.infra.variants import EVERYTHING

WITHOUT_ARN = {"xray:PutTraceSegments", "xray:PutTelemetryRecords", "dynamodb:ListStreams"}
STORE = "\n".join(path.read_text() for path in PROJECT.glob("functions/antiphon/store/*.py"))
GRANTED = {
    action
    for spec in FUNCTION_SPECS
    for permission in spec.permissions
    for action in permission.actions
}


def actions(statement):
    return set(as_list(statement["Action"]))


def allowed(made, name):
    return set().union(*map(actions, statements(made, name)))


@pytest.fixture(scope="module")
def api():
    (spec,) = (spec for spec in FUNCTION_SPECS if spec.name == "api")
    return spec


@pytest.mark.parametrize("options", [{}, EVERYTHING], ids=["default", "everything"])
@pytest.mark.parametrize("specs", [FUNCTION_SPECS, ALL_SOURCES], ids=["ours", "all sources"])
def test_no_function_has_wildcard_permissions(specs, options):
    for spec in specs:
        for statement in statements(template(specs, **options), spec.name):
            assert not [action for action in actions(statement) if "*" in action]
            if "*" in str(statement["Resource"]):
                assert actions(statement) <= WITHOUT_ARN


def test_api_has_the_permissions_of_its_row_only(api):
    rows = {f"dynamodb:{action}" for permission in api.permissions for action in permission.actions}
    assert allowed(template(), "api") == rows | {
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "secretsmanager:GetSecretValue",
        "sqs:SendMessage",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    }


def test_no_function_may_scan():
    assert "Scan" not in GRANTED


def test_permissions_match_the_calls_of_the_store():
    called = re.findall(r'"((?:batch_)?(?:get|put|update|delete|write)_item|query)"', STORE)
    done = {"".join(word.capitalize() for word in name.split("_")) for name in called}
    assert done == GRANTED


@pytest.mark.parametrize(
    ("name", "needed"),
    [
        ("rollup", {"GetItem", "UpdateItem"}),
        ("api", {"GetItem", "UpdateItem", "DeleteItem", "Query"}),
        ("settle", {"GetItem", "UpdateItem", "DeleteItem", "Query"}),
    ],
)
def test_functions_may_do_what_their_transactions_need(name, needed):
    """IAM has no action for transactions: the actions in them must be allowed."""
    (spec,) = (spec for spec in FUNCTION_SPECS if spec.name == name)
    assert needed <= {action for permission in spec.permissions for action in permission.actions}


def test_only_reservations_may_be_deleted_by_the_functions_of_requests():
    deletes = {
        spec.name: permission.rows
        for spec in FUNCTION_SPECS
        for permission in spec.permissions
        if "DeleteItem" in permission.actions
    }
    assert deletes == {"api": (HELD_ROWS,), "settle": (HELD_ROWS,), "rollup": (TENANT_ROWS,)}
    assert fnmatch(held_partition(limits_partition("acme")), HELD_ROWS)
    assert fnmatch(held_partition(limits_partition("acme", "key_1")), HELD_ROWS)


def test_a_function_may_send_to_the_queue_if_the_code_does():
    code = "".join(path.read_text() for path in PROJECT.glob("functions/antiphon/**/*.py"))
    assert any(spec.sends_to_queue for spec in FUNCTION_SPECS) == ("send_message" in code)


def test_store_uses_the_three_partition_key_patterns_only():
    assert set(re.findall(r'f"([A-Z]#)', STORE)) == {
        pattern.rstrip("*") for pattern in (ID_ROWS, KEY_ROWS, TENANT_ROWS)
    }


def test_permissions_are_limited_to_partition_key_patterns(api):
    made = [s for s in statements(template(), "api") if "dynamodb:" in str(s["Action"])]
    patterns = [s["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"] for s in made]
    assert sorted(patterns) == sorted([*permission.rows] for permission in api.permissions)


def test_api_may_only_read_single_keys(api):
    assert [each.actions for each in api.permissions if KEY_ROWS in each.rows] == [
        ("GetItem",)  # needs the exact keys, so it cannot list them
    ]


def test_only_functions_with_secrets_read_them_by_arn():
    made = template(ALL_SOURCES)
    secrets = [{"Ref": name} for name in resources(made, "SecretsManager::Secret")]
    (api,) = (s for s in statements(made, "api") if "secretsmanager" in str(s))
    assert sorted(api["Resource"], key=str) == sorted(secrets, key=str)
    assert "secretsmanager" not in str(statements(made, "watcher"))


def test_permission_with_indexes_names_each_index():
    (query,) = (
        s for s in statements(template(ALL_SOURCES), "watcher") if "dynamodb:Query" in actions(s)
    )
    assert [str(r).partition("/index/")[2][:7] for r in query["Resource"][1:]] == [
        "by_root",
        "by_time",
    ]


def test_only_functions_that_send_to_the_queue_may_do_so():
    made = template(ALL_SOURCES)
    assert "sqs:SendMessage" in allowed(made, "watcher")
    assert "sqs:SendMessage" not in allowed(made, "worker")


def test_customer_managed_key_has_its_alias_and_leaves_its_use_to_iam():
    """As docs/operator-policy.json expects."""
    made = template(**EVERYTHING)
    (alias,) = resources(made, "KMS::Alias").values()
    assert alias["AliasName"] == "alias/antiphon/prod"
    (key,) = resources(made, "KMS::Key").values()
    first = key["KeyPolicy"]["Statement"][0]
    assert (first["Effect"], first["Action"]) == ("Allow", "kms:*")
    assert first["Principal"]["AWS"]["Fn::Join"][1][-1] == ":root"


def test_customer_managed_key_is_usable_through_services_only():
    (use,) = (s for s in statements(template(**EVERYTHING), "api") if "kms:Decrypt" in actions(s))
    assert list(use["Condition"]) == ["StringEquals"]
    assert list(use["Condition"]["StringEquals"]) == ["kms:ViaService"]
