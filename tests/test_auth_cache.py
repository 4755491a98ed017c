"""How long keys are cached, and how soon they become invalid."""

import pytest

from antiphon.auth import CACHED_KEYS, Auth
from antiphon.store.keys import ApiKey
from tests.support.keys import NOW, Clock, FakeKeyRows, identify


@pytest.fixture
def clock():
    return Clock()


def test_a_key_is_read_once_in_its_cache_time(clock):
    rows = FakeKeyRows()
    auth = Auth(rows, 30, clock)
    for seconds, reads in [(0, 1), (29.9, 1), (30, 2), (59.9, 2)]:
        clock.now = NOW + seconds
        assert identify(auth)
        assert rows.reads == reads


def test_use_does_not_extend_the_time_in_the_cache(clock):
    rows = FakeKeyRows()
    auth = Auth(rows, 30, clock)
    for second in range(30):
        clock.now = NOW + second
        assert identify(auth)
    rows.revoke()
    clock.now = NOW + 30
    assert not identify(auth)


@pytest.mark.parametrize("seconds", [0, 3, 30])
def test_a_revoked_key_is_refused_after_the_cache_time(clock, seconds):
    rows = FakeKeyRows()
    auth = Auth(rows, seconds, clock)
    assert identify(auth)
    rows.revoke()
    clock.now = NOW + seconds
    assert not identify(auth)


def test_a_revoked_key_is_read_every_five_seconds(clock):
    rows = FakeKeyRows(revoked_at=NOW)
    auth = Auth(rows, 30, clock)
    for seconds, reads in [(0, 1), (4.9, 1), (5, 2)]:
        clock.now = NOW + seconds
        assert not identify(auth)
        assert rows.reads == reads


def test_a_cached_key_that_ends_is_refused_at_once(clock):
    rows = FakeKeyRows(ends_at=NOW + 10)
    auth = Auth(rows, 30, clock)
    for seconds, is_valid in [(0, True), (9.9, True), (10, False), (11, False)]:
        clock.now = NOW + seconds
        assert bool(identify(auth)) is is_valid
    assert rows.reads == 1  # the cached record has the time of its end


def test_an_unknown_key_is_read_every_five_seconds(clock):
    rows = FakeKeyRows()
    auth = Auth(rows, 30, clock)
    for seconds, reads in [(0, 1), (4.9, 1), (5, 2), (9.9, 2)]:
        clock.now = NOW + seconds
        assert not identify(auth, "sk-of-nobody")
        assert rows.reads == reads


def test_a_key_created_after_its_refusal_is_accepted_five_seconds_later(clock):
    rows = FakeKeyRows()
    auth = Auth(rows, 30, clock)
    assert not identify(auth, "sk-created-later")
    rows.rows["sk-created-later"] = ApiKey(id="key_2", tenant="umbra")
    clock.now = NOW + 5
    assert identify(auth, "sk-created-later").tenant == "umbra"


def test_many_wrong_keys_use_limited_memory_and_evict_no_valid_key(clock):
    rows = FakeKeyRows()
    auth = Auth(rows, 30, clock)
    assert identify(auth)
    for number in range(CACHED_KEYS + 10):
        assert not identify(auth, f"sk-wrong-{number}")
    assert len(auth._refused) == CACHED_KEYS
    reads = rows.reads
    assert identify(auth)
    assert rows.reads == reads


def test_many_valid_keys_use_limited_memory(clock):
    rows = FakeKeyRows()
    rows.rows = {
        f"sk-valid-{n}": ApiKey(id=f"key_{n}", tenant="acme") for n in range(CACHED_KEYS + 10)
    }
    auth = Auth(rows, 30, clock)
    assert all(identify(auth, key) for key in rows.rows)
    assert len(auth._valid) == CACHED_KEYS


def test_the_caches_contain_only_digests(clock):
    auth = Auth(FakeKeyRows(), 30, clock)
    assert identify(auth)
    assert not identify(auth, "sk-of-nobody")
    assert {len(digest) for digest in (*auth._valid, *auth._refused)} == {64}
