"""`antiphon keys list` and `antiphon keys show`."""

import re

import pytest

from antiphon.store.keys import digest
from tests.support.operating import antiphon, made

pytestmark = pytest.mark.usefixtures("stacks")


def create(tenant="acme", *options, stage="prod"):
    return made("keys", "create", "--tenant", tenant, "--stage", stage, *options)


def listed(*options):
    return [key["id"] for key in made("keys", "list", *options)["data"]]


def test_list_is_not_cut_off_in_a_pipe():
    limits = ("--rpm", "5", "--budget-usd", "1000000")
    keys = [create("acme", "--name", "shop", *limits, "--models", "gpt-5*,o3") for _ in range(3)]
    done = antiphon("keys", "list")
    assert (done.code, done.err) == (0, "")
    head, _, *lines = done.out.strip().splitlines()
    assert head.split() == ["id", "tenant", "name", "models", "limits", "created", "state"]
    assert {line.split()[0] for line in lines} == {key["id"] for key in keys}
    for line in lines:
        cells = ("acme", "shop", "gpt-5*, o3", "rpm 5, budget-usd 1,000,000 a month", "active")
        assert all(cell in line for cell in cells)


def test_markup_in_names_is_printed_literally():
    create("acme", "--name", "[red]x[/red] [link=file:///etc]")
    assert "[red]x[/red] [link=file:///etc]" in antiphon("keys", "list").out


def test_keys_and_hashes_are_never_printed():
    key = create()["key"]
    output = "".join(
        done.out + done.err
        for done in (
            antiphon("keys", "list"),
            antiphon("keys", "list", "--json"),
            antiphon("keys", "show", key),
            antiphon("keys", "show", key, "--json"),
            antiphon("keys", "revoke", key),
        )
    )
    assert key not in output
    assert digest(key) not in output


def test_list_is_sorted_and_filtered_by_tenant():
    umbra, acme, other = create("umbra"), create("acme"), create("acme-2")
    assert listed() == [acme["id"], other["id"], umbra["id"]]
    assert listed("--tenant", "acme") == [acme["id"]]
    assert listed("--tenant", "nobody") == []


def test_ended_keys_are_counted_but_not_listed():
    alive, revoked, rotated = create(), create(), create()
    made("keys", "revoke", revoked["id"])
    new = made("keys", "rotate", rotated["id"], "--overlap", "0")
    document = made("keys", "list")
    assert {key["id"] for key in document["data"]} == {alive["id"], new["id"]}
    assert document["hidden"] == 2
    assert (
        "2 revoked or expired keys are not listed: --all lists them."
        in antiphon("keys", "list").err
    )
    everything = made("keys", "list", "--all")
    assert (len(everything["data"]), everything["hidden"]) == (4, 0)
    stdout = antiphon("keys", "list", "--all").out
    assert re.search(rf"{rotated['id']}.* revoked .* UTC, rotated to {new['id']}", stdout)


def test_expiry_is_listed():
    id = create("acme", "--expires", "2100-01-31")["id"]
    assert re.search(rf"{id}.* until 2100-01-31 00:00 UTC", antiphon("keys", "list").out)


def test_empty_list_states_what_to_do():
    done = antiphon("keys", "list", "--stage", "dev")
    assert (done.code, done.out) == (0, "")
    assert done.err == "Antiphon-dev has no such keys. Create one with `antiphon keys create`.\n"
    assert made("keys", "list") == {"data": [], "hidden": 0}


def test_each_stage_has_its_own_keys():
    prod, dev = create(), create(stage="dev")
    assert (listed(), listed("--stage", "dev")) == ([prod["id"]], [dev["id"]])


def test_key_can_be_named_by_id_by_prefix_and_by_itself():
    document = create("acme", "--name", "shop", "--models", "o3", "--rpm", "5")
    key = document.pop("key")
    stored = {name: v for name, v in document.items() if name not in {"url", "rest"}}
    for named in (document["id"], document["id"][:12], key):
        assert made("keys", "show", named) == stored
    assert made("keys", "show", "-", stdin=f"{key}\n") == stored
    stdout = antiphon("keys", "show", document["id"]).out
    for fact in ("Antiphon-prod", document["id"], "acme", "shop", "o3", "rpm 5", "active"):
        assert fact in stdout


@pytest.mark.parametrize("command", ["show", "revoke", "rotate"])
def test_error_for_unknown_key_does_not_contain_it(command):
    done = antiphon("keys", command, "sk-antiphon-of-nobody")
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        "Error: There is no such key. `antiphon keys list --all` lists those of Antiphon-prod.\n"
    )


def test_empty_stdin_is_a_usage_error():
    done = antiphon("keys", "show", "-", stdin="")
    assert (done.code, "there is no key on standard input" in done.err) == (2, True)
