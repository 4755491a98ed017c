"""`antiphon keys revoke` and `antiphon keys rotate`."""

import re
import time

import pytest

from antiphon.auth import Auth
from antiphon.errors import Unauthenticated
from antiphon.http import Request
from antiphon.store.keyring import Keyring, NoSuchKey
from infra.operator.deployment import Choice, find
from tests.support.commands import OPERATOR_ENVIRONMENT, run_antiphon, run_for_json

pytestmark = pytest.mark.usefixtures("stacks")
HOUR = 3600


def create(*options):
    return run_for_json("keys", "create", "--tenant", "acme", *options)


class Door:
    """The gateway's own check of keys, over the stack's table, at a time of our choice."""

    def __init__(self):
        choice = Choice(stage=None, region=None, profile=None, local=False, local_port=None)
        self._keyring = Keyring(find(choice).table)
        self.now = time.time()
        self._auth = Auth(self, 30, lambda: self.now)

    def get(self, key):
        try:
            return self._keyring.find(key)
        except NoSuchKey:
            return None

    def opens(self, key):
        try:
            self._auth.identify(Request("req_1", "GET", headers={"api-key": key}))
        except Unauthenticated:
            return False
        return True


@pytest.fixture
def door(monkeypatch):
    for name, value in OPERATOR_ENVIRONMENT.items():
        monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(
            name, value
        )
    return Door()


def test_a_revoked_key_is_refused_once_the_cache_time_is_over(door):
    document = create()
    assert door.opens(document["key"])
    done = run_antiphon("keys", "revoke", document["id"])
    assert (done.code, done.out) == (0, "")
    assert done.err == (f"{document['id']} of tenant acme is revoked: it is refused within 30 s.\n")
    door.now += 29.9
    assert door.opens(document["key"])  # as was said
    door.now += 0.1
    assert not door.opens(document["key"])


def test_to_revoke_a_key_again_changes_nothing():
    id = create()["id"]
    first = run_for_json("keys", "revoke", id)
    again = run_for_json("keys", "revoke", id)
    assert (first["already_revoked"], again["already_revoked"]) == (False, True)
    assert first["revoked_at"] == again["revoked_at"]
    assert first["refused_within_seconds"] == 30
    assert first["status"] == "revoked"
    done = run_antiphon("keys", "revoke", id)
    assert (done.code, "was revoked already, 2" in done.err) == (0, True)


def test_a_leaked_key_is_revoked_by_itself_without_a_trace_in_the_shell():
    document = create()
    assert run_for_json("keys", "revoke", "-", stdin=document["key"])["id"] == document["id"]


def test_a_stack_that_does_not_tell_its_cache_time_is_not_guessed_at():
    id = run_for_json("keys", "create", "--tenant", "acme", "--stage", "dev")["id"]
    said = run_antiphon("keys", "revoke", id, "--stage", "dev").err
    assert "refused within key_cache_seconds of gateway.toml (30 by default)" in said


def test_both_keys_work_while_a_rotation_overlaps(door):
    old = create("--models", "o3", "--rpm", "5", "--name", "shop")
    new = run_for_json("keys", "rotate", old["id"], "--overlap", "1h")
    for same in ("tenant", "models", "limits", "name"):
        assert new[same] == old[same]
    assert new["replaces"]["id"] == old["id"]
    assert new["replaces"]["replaced_by"] == new["id"]
    ends = new["replaces"]["ends_at"]
    assert abs(ends - time.time() - HOUR) < 60
    assert door.opens(old["key"])
    assert door.opens(new["key"])
    door.now = ends  # to the second, though it stands in the cache
    assert not door.opens(old["key"])
    assert door.opens(new["key"])


def test_a_rotation_overlaps_a_day_unless_told_otherwise():
    new = run_for_json("keys", "rotate", create()["id"])
    assert abs(new["replaces"]["ends_at"] - time.time() - 24 * HOUR) < 60


def test_a_rotation_without_overlap_ends_the_old_key_now(door):
    old = create()
    done = run_antiphon("keys", "rotate", old["id"], "--overlap", "0")
    assert re.fullmatch(r"sk-antiphon-[A-Za-z0-9_-]{43}\n", done.out)
    assert f"The old key {old['id']} is refused within 30 s." in done.err
    assert not door.opens(old["key"])
    assert door.opens(done.out.strip())


def test_a_rotation_tells_until_when_the_old_key_works():
    old = create()
    said = run_antiphon("keys", "rotate", old["id"], "--overlap", "7d").err
    assert re.search(
        rf"The old key {old['id']} works until 2\d\d\d-\d\d-\d\d \d\d:\d\d UTC\.", said
    )


def test_a_rotated_key_keeps_its_end_or_gets_another():
    keeps = run_for_json("keys", "rotate", create("--expires", "2100-01-31")["id"])
    assert keeps["ends_at"] == 4_105_036_800
    gets = run_for_json("keys", "rotate", create()["id"], "--expires", "2100-02-01")
    assert gets["ends_at"] == 4_105_123_200


def test_what_is_revoked_is_rotated_no_more():
    id = create()["id"]
    run_for_json("keys", "revoke", id)
    done = run_antiphon("keys", "rotate", id)
    assert (done.code, done.out) == (1, "")
    assert done.err == f"Error: {id} is revoked and cannot be rotated: create a new key.\n"


@pytest.mark.parametrize("overlap", ["soon", "1", "-1h", "1.5h", "1 h", "9999999999w", ""])
def test_an_overlap_is_a_duration(overlap):
    done = run_antiphon("keys", "rotate", create()["id"], "--overlap", overlap)
    assert (done.code, "no duration such as 30m, 24h or 7d" in done.err) == (2, True)
