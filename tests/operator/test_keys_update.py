"""`antiphon keys update`: what changes, what stays, and who changed it."""

import pytest

from tests.support.commands import run_antiphon, run_for_json

pytestmark = pytest.mark.usefixtures("stacks")
MOTO_ARN = "arn:aws:sts::123456789012:user/moto"


def create(*options):
    return run_for_json("keys", "create", "--tenant", "acme", *options)


def test_named_values_change_and_all_others_stay():
    options = ("--rpm", "5", "--budget-usd", "12.5", "--budget-period", "day", "--name", "shop")
    id = create(*options, "--models", "o3", "--expires", "2100-01-31")["id"]
    changed = run_for_json("keys", "update", id, "--rpm", "60", "--streams", "2")
    assert changed["limits"] == {
        "rpm": 60,
        "streams": 2,
        "budget_usd": 12.5,
        "budget_period": "day",
    }
    assert changed["changed"] == ["rpm 5 -> 60", "streams none -> 2"]
    assert changed["effective_within_seconds"] == 30
    for name, value in (("models", ["o3"]), ("ends_at", 4_105_036_800), ("name", "shop")):
        assert changed[name] == value
    shown = run_for_json("keys", "show", id)
    assert {name: shown[name] for name in ("limits", "models")} == {
        name: changed[name] for name in ("limits", "models")
    }


def test_none_removes_a_limit():
    id = create(
        *("--rpm", "5", "--budget-usd", "1", "--budget-period", "day", "--models", "o3"),
        *("--files-target", "openai", "--expires", "90d"),
    )["id"]
    removed = ("--rpm", "--budget-usd", "--models", "--files-target", "--expires")
    changed = run_for_json("keys", "update", id, *(x for name in removed for x in (name, "none")))
    assert (changed["limits"], changed["models"], changed["ends_at"]) == ({}, None, None)
    done = run_antiphon("keys", "update", id, "--rpm", "none")
    assert (done.code, "has these values already: nothing is changed" in done.err) == (0, True)


def test_the_message_states_each_change_and_when_it_is_effective():
    id = create("--models", "gpt-5")["id"]
    done = run_antiphon("keys", "update", id, "--models", "gpt-5*,o3", "--expires", "2100-01-31")
    assert (done.code, done.out) == (0, "")
    assert done.err == (
        f"{id} of tenant acme is changed, effective within 30 s:\n"
        "  models gpt-5 -> gpt-5*,o3\n"
        "  expires none -> 2100-01-31T00:00:00+00:00\n"
    )


def test_each_change_records_who_made_it_and_when():
    old = create()
    run_for_json("keys", "update", old["id"], "--rpm", "7")
    new = run_for_json("keys", "rotate", old["id"])
    run_for_json("keys", "revoke", old["id"])
    changes = run_for_json("keys", "show", old["id"])["changes"]
    assert [change["what"] for change in changes] == [
        "created",
        "rpm none -> 7",
        f"rotated to {new['id']}",
        "revoked",
    ]
    assert {change["by"] for change in changes} == {MOTO_ARN}
    assert all(abs(change["at"] - old["created_at"]) < 600 for change in changes)
    (first,) = run_for_json("keys", "show", new["id"])["changes"]
    assert first["what"] == f"created by the rotation of {old['id']}"
    out = run_antiphon("keys", "show", old["id"]).out
    for fact in (MOTO_ARN, "created", "rpm none -> 7", "revoked"):
        assert fact in out


@pytest.mark.parametrize("command", [["create", "--tenant", "acme"], ["update", "key_"]])
def test_models_that_no_target_serves_are_warned_of(command):
    if command[0] == "update":
        create()
    models = ("--models", "gpt-5*,claude-*,o3,*-mini,4*")
    document = run_for_json("keys", *command, *models)
    assert document["models"] == ["gpt-5*", "claude-*", "o3", "*-mini", "4*"]
    assert document["unserved_models"] == ["claude-*", "4*"]
    done = run_antiphon("keys", "create", "--tenant", "acme", *models)
    assert done.code == 0
    warning = "Warning: no target of Antiphon-prod serves claude-*, 4*. It serves gpt-*, o*.\n"
    assert warning in done.err


WRONG_CHANGES = [
    ([], 2, "Name what to change"),
    (["--rpm", "0"], 2, "--rpm"),
    (["--budget-usd", "nan"], 2, "--budget-usd"),
    (["--budget-period", "day"], 1, "A budget period needs a budget: set both."),
    (["--budget-period", "none"], 2, "--budget-period"),
    (["--files-target", "nowhere"], 2, "has no target 'nowhere'"),
    (["--expires", "2020-01-01"], 2, "is in the past"),
]


def test_a_wrong_change_is_refused():
    id = create()["id"]
    before = run_for_json("keys", "show", id)
    for options, code, why in WRONG_CHANGES:
        done = run_antiphon("keys", "update", id, *options)
        assert (done.code, done.out, why in done.err) == (code, "", True), options
    assert run_for_json("keys", "show", id) == before
    assert before["limits"] == {}


def test_a_revoked_key_cannot_be_changed():
    id = create()["id"]
    run_for_json("keys", "revoke", id)
    done = run_antiphon("keys", "update", id, "--rpm", "5")
    assert (done.code, done.out) == (1, "")
    assert done.err == f"Error: {id} is revoked and cannot be changed: create a new key.\n"
