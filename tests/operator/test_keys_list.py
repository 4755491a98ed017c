"""`antiphon keys list` and `antiphon keys show`."""

import re

import pytest

from antiphon.store.keys import key_digest
from tests.support.commands import OPERATOR_ENVIRONMENT, run_antiphon, run_for_json

pytestmark = pytest.mark.usefixtures("stacks")


def create(tenant="acme", *options, stage="prod"):
    return run_for_json("keys", "create", "--tenant", tenant, "--stage", stage, *options)


def listed(*options):
    return [key["id"] for key in run_for_json("keys", "list", *options)["data"]]


def test_list_is_not_cut_off_in_a_pipe():
    limits = ("--rpm", "5", "--budget-usd", "1000000")
    keys = [create("acme", "--name", "shop", *limits, "--models", "gpt-5*,o3") for _ in range(3)]
    done = run_antiphon("keys", "list")
    assert (done.code, done.err) == (0, "")
    head, _, *lines = done.out.strip().splitlines()
    assert head.split() == ["id", "tenant", "name", "models", "limits", "state"]
    assert {line.split()[0] for line in lines} == {key["id"] for key in keys}
    for line in lines:
        cells = ("acme", "shop", "gpt-5*, o3", "key: rpm 5, budget-usd 1,000,000 a month", "active")
        assert all(cell in line for cell in cells)


def test_markup_in_names_is_printed_literally():
    create("acme", "--name", "[red]x[/red] [link=file:///etc]")
    assert "[red]x[/red] [link=file:///etc]" in run_antiphon("keys", "list").out


def test_keys_and_hashes_are_never_printed():
    key = create()["key"]
    output = "".join(
        done.out + done.err
        for done in (
            run_antiphon("keys", "list"),
            run_antiphon("keys", "list", "--json"),
            run_antiphon("keys", "show", key),
            run_antiphon("keys", "show", key, "--json"),
            run_antiphon("keys", "revoke", key),
        )
    )
    assert key not in output
    assert key_digest(key) not in output


def test_list_is_sorted_and_filtered_by_tenant():
    umbra, acme, other = create("umbra"), create("acme"), create("acme-2")
    assert listed() == [acme["id"], other["id"], umbra["id"]]
    assert listed("--tenant", "acme") == [acme["id"]]
    assert listed("--tenant", "nobody") == []


def test_ended_keys_are_counted_but_not_listed():
    alive, revoked, rotated = create(), create(), create()
    run_for_json("keys", "revoke", revoked["id"])
    new = run_for_json("keys", "rotate", rotated["id"], "--overlap", "0")
    document = run_for_json("keys", "list")
    assert {key["id"] for key in document["data"]} == {alive["id"], new["id"]}
    assert document["hidden"] == 2
    assert (
        "2 revoked or expired keys are not listed: --all lists them."
        in run_antiphon("keys", "list").err
    )
    everything = run_for_json("keys", "list", "--all")
    assert (len(everything["data"]), everything["hidden"]) == (4, 0)
    stdout = run_antiphon("keys", "list", "--all").out
    assert re.search(rf"{rotated['id']}.* revoked 2\d\d\d-\d\d-\d\d, rotated", stdout)
    stdout = run_antiphon("keys", "show", rotated["id"]).out
    assert re.search(rf"state +revoked .* UTC, rotated to {new['id']}\n", stdout)


def test_expiry_is_listed():
    id = create("acme", "--expires", "2100-01-31")["id"]
    assert re.search(rf"{id}.* until 2100-01-31 *\n", run_antiphon("keys", "list").out)
    assert "until 2100-01-31 00:00 UTC\n" in run_antiphon("keys", "show", id).out


def test_empty_list_states_what_to_do():
    done = run_antiphon("keys", "list", "--stage", "dev")
    assert (done.code, done.out) == (0, "")
    assert done.err == "Antiphon-dev has no such keys. Create one with `antiphon keys create`.\n"
    assert run_for_json("keys", "list") == {"data": [], "hidden": 0}


def test_each_stage_has_its_own_keys():
    prod, dev = create(), create(stage="dev")
    assert (listed(), listed("--stage", "dev")) == ([prod["id"]], [dev["id"]])


def without_times(shown):
    """A key without the ends of its windows: a minute may end between two commands."""
    usage = [{**use, "renews_at": use["renews_at"] is not None} for use in shown["usage"]]
    return {**shown, "usage": usage}


def test_key_can_be_named_by_id_by_prefix_and_by_itself():
    limits = ("--rpm", "5", "--files-target", "openai")
    document = create("acme", "--name", "shop", "--models", "o3", *limits)
    key = document.pop("key")
    created_only = {"url", "rest", "unserved_models"}
    stored = {name: v for name, v in document.items() if name not in created_only}
    usage = without_times(run_for_json("keys", "show", key))["usage"]
    stored |= {"tenant_limits": {}, "usage": usage}
    for named in (document["id"], document["id"][:12], key):
        assert without_times(run_for_json("keys", "show", named)) == stored
    assert without_times(run_for_json("keys", "show", "-", stdin=f"{key}\n")) == stored
    stdout = run_antiphon("keys", "show", document["id"]).out
    for fact in (
        "Antiphon-prod",
        document["id"],
        "acme",
        "shop",
        "o3",
        "files-target   key   openai",
        "active",
    ):
        assert fact in stdout


@pytest.mark.parametrize("command", ["show", "revoke", "rotate"])
def test_error_for_unknown_key_does_not_contain_it(command):
    done = run_antiphon("keys", command, "sk-antiphon-of-nobody")
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        "Error: There is no such key. `antiphon keys list --all` lists those of Antiphon-prod.\n"
    )


def test_empty_stdin_is_a_usage_error():
    done = run_antiphon("keys", "show", "-", stdin="")
    assert (done.code, "there is no key on standard input" in done.err) == (2, True)


def test_list_names_where_limits_come_from():
    both, tenant = create("capped", "--rpm", "5")["id"], create("capped")["id"]
    key, none = create("acme", "--rpm", "5")["id"], create("acme")["id"]
    shared = "tenant: rpm 9, budget-usd 2.5 a month"
    lines = run_antiphon("keys", "list").out.splitlines()
    for id, limits in (
        (both, f"key: rpm 5; {shared}"),
        (tenant, shared),
        (key, "key: rpm 5"),
        (none, "none"),
    ):
        (line,) = (line for line in lines if line.startswith(id))
        assert re.search(rf"all +{re.escape(limits)} +active", line)
    documents = {key["id"]: key for key in run_for_json("keys", "list")["data"]}
    assert documents[both]["tenant_limits"]["rpm"] == 9
    assert documents[none]["tenant_limits"] == {}


def test_older_stack_says_that_use_is_unknown():
    id = create("capped", "--rpm", "5", stage="dev")["id"]
    done = run_antiphon("keys", "show", id, "--stage", "dev")
    assert (done.code, "What is used is not known here" in done.err) == (0, True)
    assert run_for_json("keys", "show", id, "--stage", "dev")["usage"] is None


def test_list_and_show_fit_a_terminal_of_80_columns():
    options = ("--name", "shop", "--models", "gpt-5*,o3", "--rpm", "60", "--budget-usd", "50")
    id = create("capped", *options, "--expires", "2100-01-31")["id"]
    terminal = {**OPERATOR_ENVIRONMENT, "FORCE_COLOR": "1", "COLUMNS": "80", "TERM": "dumb"}
    for command in (("list",), ("show", id)):
        lines = run_antiphon("keys", *command, env=terminal).out.splitlines()
        assert max(len(re.sub(r"\x1b\[[\d;]*m", "", line)) for line in lines) <= 80
