"""`antiphon adopt`: the link that it writes, ends and finds; what it refuses."""

import json
from pathlib import Path

import pytest

from antiphon.store.dynamodb import Table
from antiphon.store.links import NEVER, Links, link_row
from infra.operator.adopt import KINDS
from tests.support.aws_clients import aws_client
from tests.support.commands import create_stack, read_rows, run_antiphon, run_for_json
from tests.support.dynamodb import make_link

ROOT = Path(__file__).parents[2]
AT = ("--target", "openai")
HINT = (
    "Antiphon-prod has no key of tenant acme: check the name, or create one with "
    "`antiphon keys create --tenant acme`.\n"
)
pytestmark = pytest.mark.usefixtures("stacks")


@pytest.fixture
def links():
    return Links(Table(aws_client("dynamodb"), "table-of-prod"))


def adopt(*arguments, code=0):
    done = run_antiphon("adopt", *arguments)
    assert (done.code, done.out) == (code, ""), done.err
    return done.err


def test_object_is_owned_until_it_is_removed(links):
    owns = "acme owns vector store vs_abc at target 'openai'"
    assert adopt("acme", "vs_abc", *AT) == f"{owns} from now on.\n{HINT}"
    link = links.get("vector_store", "acme", "vs_abc")
    assert (link.target, link.expires_at) == ("openai", NEVER)
    assert links.get("vector_store", "umbra", "vs_abc") is None
    assert adopt("acme", "vs_abc", *AT).startswith(f"{owns} already: nothing is changed.\n")
    assert links.get("vector_store", "acme", "vs_abc") == link
    label = "vector store vs_abc"
    for message in (f"has no access to {label} any more", f"has not adopted {label}: nothing is"):
        assert message in adopt("acme", "vs_abc", "--remove")
        assert links.get("vector_store", "acme", "vs_abc") is None
    assert "from now on" in adopt("acme", "vs_abc", *AT)
    assert links.get("vector_store", "acme", "vs_abc").target == "openai"


KIND_OF = {  # by the prefix, or by --kind
    ("file-abc",): "file",
    ("assistant-abc",): "file",
    ("vs_abc",): "vector_store",
    ("cntr_abc",): "container",
    ("skill_abc",): "skill",
    ("batch_0b5c-1",): "batch",
    ("pmpt_abc",): "prompt",
    ("tunnel_abc",): "tunnel",
    ("abc#1", "--kind", "tunnel"): "tunnel",
    ("vs_def", "--kind", "vector_store"): "vector_store",
}


def test_each_kind_of_object_can_be_owned_and_removed(links):
    for (id, *options), kind in KIND_OF.items():
        label = f"{kind.replace('_', ' ')} {id}"
        owns = f"acme owns {label} at target 'openai'"
        assert adopt("acme", id, *AT, *options) == f"{owns} from now on.\n{HINT}"
        link = links.get(kind, "acme", id)
        assert (link.kind, link.id, link.target, link.expires_at) == (kind, id, "openai", NEVER)
        assert f"has no access to {label} any more" in adopt("acme", id, "--remove", *options)
        assert links.get(kind, "acme", id) is None


def test_tenant_with_a_key_needs_no_hint():
    run_for_json("keys", "create", "--tenant", "acme")
    assert adopt("acme", "vs_1", *AT).count("\n") == 1


def test_what_a_tenant_deleted_can_be_adopted_again(links):
    adopt("acme", "vs_1", *AT)
    links.change(links.get("vector_store", "acme", "vs_1"), deleted_at=1)
    assert "from now on" in adopt("acme", "vs_1", *AT)
    assert links.get("vector_store", "acme", "vs_1") is not None


def test_object_of_another_target_is_refused(links):
    adopt("acme", "vs_1", "--target", "azure-east")
    refusal = adopt("acme", "vs_1", *AT, code=1)
    assert "acme owns vs_1 at target 'azure-east', not 'openai'. If that is wrong" in refusal
    assert links.get("vector_store", "acme", "vs_1").target == "azure-east"


def test_what_a_tenant_made_is_neither_changed_nor_removed(links):
    made = make_link(kind="file", id="file-1", details={"filename": "a"})
    links.put(made)
    assert "already: nothing is changed" in adopt("acme", "file-1", *AT)
    assert "acme made file-1 through the gateway" in adopt("acme", "file-1", "--remove", code=1)
    assert links.get("file", "acme", "file-1") == made


def test_only_target_needs_no_option():
    create_stack("Antiphon-one", "table-of-one", TargetNames="openai")
    assert "at target 'openai'" in adopt("acme", "vs_1", "--stage", "one")
    (row,) = read_rows("table-of-one")
    assert row["target"] == "openai"


USAGE_ERRORS = [
    (["acme", "vs_1"], "with --target. Antiphon-prod has openai, azure-east."),
    (["acme", "vs_1", "--stage", "dev"], "Name the target whose account has it with --target."),
    (["acme", "vs_1", "--target", "x"], "--target: Antiphon-prod has no target 'x'. It has op"),
    (["acme", "vs_1\n", *AT], "'vs_1\\n' is not 1 to 900 visible ASCII characters."),
    (["acme", "", *AT], "is not 1 to 900 visible"),
    (["acme", "..", *AT], "is not 1 to 900 visible"),
    (["acme", "é", *AT], "is not 1 to 900 visible"),
    (["acme", "v" * 901, *AT], "is not 1 to 900 visible"),
    (["a#b", "vs_1", *AT], "'a#b' is not 1 to 64 characters"),
    (["acme", "resp_1", *AT], "The prefix of resp_1 does not say what it is. Name it with"),
    (["acme", "cfile_1", *AT], "What is inside a container or a vector store comes with it"),
    (["acme", "VS_1", *AT], "The prefix of VS_1 does not say"),
    (["acme", "vs_1", "--kind", "file", *AT], "by its prefix vs_1 is the id of a vector store"),
    (["acme", "upload_1", "--kind", "upload", *AT], "'upload' is not one of"),
]


def test_other_arguments_are_usage_errors():
    for arguments, why in USAGE_ERRORS:
        assert why in adopt(*arguments, code=2)
    assert read_rows("table-of-prod") == read_rows("table-of-dev") == []


def test_help_says_what_is_given_to_whom():
    help = run_antiphon("adopt", "--help").out
    assert "Other tenants get no access by this" in " ".join(help.split())
    for option in ("--kind", "--target", "--remove", "--stage", "--local"):
        assert f"  {option} " in help


def test_operator_policy_has_the_rows_of_every_kind():
    policy = json.loads((ROOT / "docs" / "operator-policy.json").read_text())
    (allowed,) = (each for each in policy["Statement"] if each["Sid"] == "AdoptForTenants")
    keys = {link_row(make_link(kind=kind, tenant="*", id="*"))["pk"] for kind in KINDS}
    assert {*allowed["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]} == keys
