"""Operations of operators on API keys."""

import re
import time

import pytest

from antiphon.settings.config import Limits
from antiphon.store import keys
from antiphon.store.circuits import Circuits
from antiphon.store.key_terms import KeyRevision, KeyringError, KeyTerms
from antiphon.store.keyring import Keyring, NoSuchKey
from tests.support.dynamodb import embedded_store

DAY = 86_400


@pytest.fixture
def store():
    with embedded_store(stream=False) as store:
        yield store


@pytest.fixture
def keyring(store):
    return Keyring(store.table)


def read_row(store, secret):
    return store.table.get(f"K#{keys.key_digest(secret)}", "KEY")


def test_a_key_has_256_random_bits_and_the_prefix_that_secret_scanners_know(keyring):
    issued = [keyring.create(KeyTerms(tenant="acme")) for _ in range(20)]
    assert len({each.secret for each in issued}) == 20
    for each in issued:
        assert re.fullmatch(r"sk-antiphon-[A-Za-z0-9_-]{43}", each.secret)
        assert each.secret not in repr(each)


def test_the_table_has_only_the_hash_of_a_key(keyring, store):
    secret = keyring.create(KeyTerms(tenant="acme", name="app")).secret
    rows = str(store.client.scan(TableName="antiphon-local"))
    assert keys.key_digest(secret) in rows
    assert secret.removeprefix("sk-antiphon-") not in rows


@pytest.mark.parametrize(
    "terms",
    [
        KeyTerms(tenant="acme"),
        KeyTerms(tenant="a.b_c-D", name="für alle", models=("gpt-5*", "o3"), ends_at=2_000_000_000),
        KeyTerms(tenant="acme", limits=Limits(rpm=1, tpm=10**9, streams=2, budget_usd=100)),
        KeyTerms(tenant="acme", limits=Limits(budget_usd=0.015, budget_period="day")),
        KeyTerms(tenant="acme", limits=Limits(max_body_bytes=1, max_output_tokens=2)),
    ],
)
def test_the_gateway_reads_the_terms_of_a_new_key(keyring, store, terms):
    issued = keyring.create(terms)
    read = keys.key_of_row(read_row(store, issued.secret))
    assert read == issued.key == keyring.find(issued.key.id)
    for name in ("tenant", "name", "models", "limits", "ends_at"):
        assert getattr(read, name) == getattr(terms, name)
    assert read.is_valid_at(time.time())


def test_a_key_is_found_by_its_id_by_the_beginning_of_its_id_and_by_itself(keyring):
    issued = keyring.create(KeyTerms(tenant="acme"))
    keyring.create(KeyTerms(tenant="umbra"))
    for name in (issued.secret, issued.key.id, issued.key.id[:12]):
        assert keyring.find(name) == issued.key


def test_the_beginning_of_an_id_may_have_any_length(keyring):
    only = keyring.create(KeyTerms(tenant="acme")).key
    for length in range(1, len(only.id)):
        assert keyring.find(only.id[:length]) == only


@pytest.mark.parametrize(
    "name", ["", "kex", "key_g", "key_ffffffffffffffff0", "sk-antiphon-of-nobody", "acme", "K#"]
)
def test_other_names_are_refused_and_not_repeated(keyring, name):
    keyring.create(KeyTerms(tenant="acme"))
    with pytest.raises(NoSuchKey, match=r"^There is no such key\.$"):
        keyring.find(name)


def test_a_beginning_of_two_ids_is_refused(keyring, store):
    for number in (1, 2):
        row = keys.key_row(
            f"sk-number-{number}", "acme", id=f"key_aaaa{number}", by_time_sk=f"acme#{number}"
        )
        store.table.put({**row, "name": "shop"} if number == 1 else row)
    with pytest.raises(KeyringError) as caught:
        keyring.revoke("key_aaaa")
    assert str(caught.value) == (
        "2 keys begin like that: write more of the id.\n"
        "  key_aaaa1  tenant acme, shop\n  key_aaaa2  tenant acme"
    )
    assert keyring.find("key_aaaa2").revoked_at is None


def test_of_many_candidates_the_first_are_named(keyring):
    for _ in range(12):
        keyring.create(KeyTerms(tenant="acme"))
    with pytest.raises(KeyringError, match=r"(?s)12 keys begin like that.*\n  and 2 more$"):
        keyring.find("key_")


def test_the_keys_of_a_tenant_are_listed_oldest_first(keyring, store):
    for number, tenant in enumerate(["acme", "acme-2", "acme.x", "acmf", "acme", "ac", "Z", "_"]):
        row = keys.key_row(f"sk-number-{number}", tenant, created_at=number)
        store.table.put({**row, "by_time_sk": f"{tenant}#{number:010d}#{row['id']}"})
    assert [key.created_at for key in keyring.list_keys("acme")] == [0, 4]
    assert len([*keyring.list_keys()]) == 8


def test_a_list_takes_as_many_reads_as_it_needs(keyring, monkeypatch):
    monkeypatch.setattr("antiphon.store.keyring.READ_ROWS", 2)
    ids = {keyring.create(KeyTerms(tenant="acme")).key.id for _ in range(5)}
    assert {key.id for key in keyring.list_keys()} == ids
    assert {keyring.find(id).id for id in ids} == ids


def test_no_operation_scans(keyring, store):
    with store.count_calls() as calls:
        id = keyring.create(KeyTerms(tenant="acme")).key.id
        _, old = keyring.rotate(id, DAY)
        keyring.revoke(old.id)
        assert len([*keyring.list_keys()]) == 2
    assert set(calls) == {"PutItem", "GetItem", "Query", "UpdateItem"}


def test_only_a_valid_key_reads_the_circuits(keyring, store):
    valid, revoked = (keyring.create(KeyTerms(tenant="acme")) for _ in range(2))
    ended = keyring.create(KeyTerms(tenant="acme", ends_at=1))
    keyring.revoke(revoked.key.id)
    rows = keys.ApiKeys(store.table, Circuits(store.table))
    secrets = {valid.secret: 2, revoked.secret: 1, ended.secret: 1, "sk-of-nobody": 1}
    for secret, reads in secrets.items():
        with store.count_calls() as calls:
            rows.get(secret)
        assert calls == ["GetItem"] * reads


def test_a_second_revocation_changes_nothing(keyring, store):
    issued = keyring.create(KeyTerms(tenant="acme", models=("o3",)))
    before = read_row(store, issued.secret)
    key, new = keyring.revoke(issued.key.id)
    assert new
    after = read_row(store, issued.secret)
    assert {**after, "changes": None} == {**before, "revoked_at": key.revoked_at, "changes": None}
    assert Keyring(store.table, lambda: time.time() + DAY).revoke(issued.secret) == (key, False)
    assert not key.is_valid_at(time.time())


def test_a_key_that_is_deleted_during_its_revocation_is_not_created_again(keyring, store):
    issued = keyring.create(KeyTerms(tenant="acme"))
    partition = read_row(store, issued.secret)["pk"]

    def delete_first(**_):
        store.client.meta.events.unregister("before-call.dynamodb.UpdateItem", unique_id="once")
        store.table.delete(partition, "KEY")

    store.client.meta.events.register("before-call.dynamodb.UpdateItem", delete_first, "once")
    with pytest.raises(NoSuchKey):
        keyring.revoke(issued.key.id)
    assert read_row(store, issued.secret) is None


def test_a_rotation_creates_a_key_on_the_same_terms_and_ends_the_old_one_after_the_overlap(keyring):
    terms = KeyTerms(
        tenant="acme", name="app", models=("o3",), limits=Limits(rpm=9, budget_usd=1.5)
    )
    first = keyring.create(terms)
    issued, old = keyring.rotate(first.key.id, 3600)
    for name in ("tenant", "name", "models", "limits", "ends_at"):
        assert getattr(issued.key, name) == getattr(terms, name)
    assert issued.secret != first.secret
    assert old.replaced_by == issued.key.id
    assert old == keyring.find(first.secret)
    assert old.is_valid_at(old.ends_at - 1)
    assert not old.is_valid_at(old.ends_at)
    assert old.ends_at - issued.key.created_at in {3600, 3601}  # two readings of one clock


def test_without_an_overlap_the_old_key_is_revoked_whatever_the_clocks_are(keyring):
    first = keyring.create(KeyTerms(tenant="acme"))
    _, old = keyring.rotate(first.key.id, 0)
    assert old.revoked_at is not None
    assert not old.is_valid_at(0)


def test_a_rotation_does_not_extend_a_key(keyring):
    ends_at = int(time.time()) + 60
    first = keyring.create(KeyTerms(tenant="acme", ends_at=ends_at))
    issued, old = keyring.rotate(first.key.id, DAY)
    assert (old.ends_at, issued.key.ends_at) == (ends_at, ends_at)


def test_the_new_key_may_have_an_end_of_its_own(keyring):
    ends_at = int(time.time()) + 60
    first = keyring.create(KeyTerms(tenant="acme", ends_at=ends_at))
    assert keyring.rotate(first.key.id, DAY, ends_at + DAY)[0].key.ends_at == ends_at + DAY


def test_revoked_expired_and_rotated_keys_cannot_be_rotated(keyring):
    revoked, rotated = (keyring.create(KeyTerms(tenant="acme")).key for _ in range(2))
    expired = keyring.create(KeyTerms(tenant="acme", ends_at=1)).key
    keyring.revoke(revoked.id)
    issued, _ = keyring.rotate(rotated.id, DAY)
    for key, reason in [
        (revoked, "is revoked and cannot be rotated: create a new key"),
        (expired, "has expired and cannot be rotated: create a new key"),
        (rotated, f"was rotated already, to {issued.key.id}: rotate that one"),
    ]:
        with pytest.raises(KeyringError, match=f"{key.id} {reason}"):
            keyring.rotate(key.id, DAY)
    assert len([*keyring.list_keys()]) == 4


def test_two_rotations_at_once_leave_one_new_key(keyring, store):
    first = keyring.create(KeyTerms(tenant="acme"))
    other_change_first(store, lambda: keyring.rotate(first.key.id, DAY))
    with pytest.raises(KeyringError, match="was changed by someone else just now"):
        keyring.rotate(first.key.id, DAY)
    valid = {key.id for key in keyring.list_keys() if key.is_valid_at(time.time())}
    assert valid == {first.key.id, keyring.find(first.key.id).replaced_by}


def other_change_first(store, change):
    """Make another operator's change just before the next update of a row."""

    def run(**_):
        store.client.meta.events.unregister("before-call.dynamodb.UpdateItem", unique_id="once")
        change()

    store.client.meta.events.register("before-call.dynamodb.UpdateItem", run, "once")


def test_a_change_that_does_not_know_of_another_one_is_refused(keyring, store):
    id = keyring.create(KeyTerms(tenant="acme", limits=Limits(rpm=1, tpm=1))).key.id
    other_change_first(store, lambda: keyring.update(id, KeyRevision({"rpm": 2})))
    with pytest.raises(KeyringError, match=f"{id} was changed by someone else just now"):
        keyring.update(id, KeyRevision({"tpm": 2}))
    assert keyring.find(id).limits == Limits(rpm=2, tpm=1)


def test_a_revocation_wins_over_another_change(keyring, store):
    id = keyring.create(KeyTerms(tenant="acme")).key.id
    other_change_first(store, lambda: keyring.update(id, KeyRevision({"rpm": 2})))
    revoked, is_new = keyring.revoke(id)
    assert (is_new, revoked.limits, keyring.find(id)) == (True, Limits(rpm=2), revoked)


def test_the_first_and_the_latest_changes_stay_in_the_row(keyring):
    id = keyring.create(KeyTerms(tenant="acme")).key.id
    for rpm in range(1, 21):
        keyring.update(id, KeyRevision({"rpm": rpm}))
    what = [change.what for change in keyring.find(id).changes]
    assert what == ["created", *(f"rpm {n} -> {n + 1}" for n in range(11, 20))]


def test_a_key_without_recorded_changes_can_be_changed(keyring, store):
    store.table.put(keys.key_row("sk-of-an-older-version", "acme"))
    old, new = keyring.update("sk-of-an-older-version", KeyRevision({"rpm": 2}))
    assert (old.changes, [change.what for change in new.changes]) == ((), ["rpm none -> 2"])
