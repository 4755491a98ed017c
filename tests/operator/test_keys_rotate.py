"""`antiphon keys revoke` and `antiphon keys rotate`."""

import re
import time

import pytest

from antiphon.auth import Auth
from antiphon.errors import Unauthenticated
from antiphon.http import Request
from antiphon.store.keyring import Keyring, NoSuchKey
from infra.operator.deployment import DeploymentOptions, find_deployment
from tests.support.commands import OPERATOR_ENVIRONMENT, run_antiphon, run_for_json

pytestmark = pytest.mark.usefixtures("stacks")
HOUR = 3600


def create(*options):
    return run_for_json("keys", "create", "--tenant", "acme", *options)


class KeyCheck:
    """The gateway's own check of keys with the stack's table and a clock that tests set."""

    def __init__(self):
        options = DeploymentOptions(
            stage=None, region=None, profile=None, local=False, local_port=None
        )
        self._keyring = Keyring(find_deployment(options).table)
        self.now = time.time()
        self._auth = Auth(self, 30, lambda: self.now)

    def get(self, key):
        try:
            return self._keyring.find(key)
        except NoSuchKey:
            return None

    def accepts(self, key):
        try:
            self._auth.identify(Request("req_1", "GET", headers={"api-key": key}))
        except Unauthenticated:
            return False
        return True


@pytest.fixture
def key_check(monkeypatch):
    for name, value in OPERATOR_ENVIRONMENT.items():
        monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(
            name, value
        )
    return KeyCheck()


def test_revoked_key_is_refused_after_the_cache_time(key_check):
    document = create()
    assert key_check.accepts(document["key"])
    done = run_antiphon("keys", "revoke", document["id"])
    assert (done.code, done.out) == (0, "")
    assert done.err == (f"{document['id']} of tenant acme is revoked: it is refused within 30 s.\n")
    key_check.now += 29.9
    assert key_check.accepts(document["key"])  # within the stated time
    key_check.now += 0.1
    assert not key_check.accepts(document["key"])


def test_second_revocation_changes_nothing():
    id = create()["id"]
    first = run_for_json("keys", "revoke", id)
    again = run_for_json("keys", "revoke", id)
    assert (first["already_revoked"], again["already_revoked"]) == (False, True)
    assert first["revoked_at"] == again["revoked_at"]
    assert first["refused_within_seconds"] == 30
    assert first["status"] == "revoked"
    done = run_antiphon("keys", "revoke", id)
    assert (done.code, "was revoked already, 2" in done.err) == (0, True)


def test_key_itself_can_be_revoked_on_stdin():
    document = create()
    assert run_for_json("keys", "revoke", "-", stdin=document["key"])["id"] == document["id"]


def test_unknown_cache_time_is_stated_as_a_setting():
    id = run_for_json("keys", "create", "--tenant", "acme", "--stage", "dev")["id"]
    stderr = run_antiphon("keys", "revoke", id, "--stage", "dev").err
    assert "refused within key_cache_seconds of gateway.toml (30 by default)" in stderr


def test_both_keys_work_during_the_overlap(key_check):
    old = create("--models", "o3", "--rpm", "5", "--name", "shop")
    new = run_for_json("keys", "rotate", old["id"], "--overlap", "1h")
    for same in ("tenant", "models", "limits", "name"):
        assert new[same] == old[same]
    assert new["replaces"]["id"] == old["id"]
    assert new["replaces"]["replaced_by"] == new["id"]
    ends = new["replaces"]["ends_at"]
    assert abs(ends - time.time() - HOUR) < 60
    assert key_check.accepts(old["key"])
    assert key_check.accepts(new["key"])
    key_check.now = ends  # exactly then, although the key is cached
    assert not key_check.accepts(old["key"])
    assert key_check.accepts(new["key"])


def test_default_overlap_is_a_day():
    new = run_for_json("keys", "rotate", create()["id"])
    assert abs(new["replaces"]["ends_at"] - time.time() - 24 * HOUR) < 60


def test_rotation_without_overlap_revokes_the_old_key(key_check):
    old = create()
    done = run_antiphon("keys", "rotate", old["id"], "--overlap", "0")
    assert re.fullmatch(r"sk-antiphon-[A-Za-z0-9_-]{43}\n", done.out)
    assert f"The old key {old['id']} is refused within 30 s." in done.err
    assert not key_check.accepts(old["key"])
    assert key_check.accepts(done.out.strip())


def test_rotation_prints_when_the_old_key_expires():
    old = create()
    stderr = run_antiphon("keys", "rotate", old["id"], "--overlap", "7d").err
    assert re.search(
        rf"The old key {old['id']} works until 2\d\d\d-\d\d-\d\d \d\d:\d\d UTC\.", stderr
    )


def test_new_key_has_the_same_expiry_or_another():
    keeps = run_for_json("keys", "rotate", create("--expires", "2100-01-31")["id"])
    assert keeps["ends_at"] == 4_105_036_800
    gets = run_for_json("keys", "rotate", create()["id"], "--expires", "2100-02-01")
    assert gets["ends_at"] == 4_105_123_200


def test_revoked_key_cannot_be_rotated():
    id = create()["id"]
    run_for_json("keys", "revoke", id)
    done = run_antiphon("keys", "rotate", id)
    assert (done.code, done.out) == (1, "")
    assert done.err == f"Error: {id} is revoked and cannot be rotated: create a new key.\n"


def test_overlap_must_be_a_duration():
    id = create()["id"]
    for overlap in ("soon", "1", "-1h", "1.5h", "1 h", "9999999999w", ""):
        done = run_antiphon("keys", "rotate", id, "--overlap", overlap)
        expected = (2, True)
        assert (done.code, "not a duration such as 30m, 24h or 7d" in done.err) == expected, overlap
