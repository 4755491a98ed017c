"""What operators do with keys, on the table."""

import re
import time

import pytest

from antiphon.settings.config import Limits
from antiphon.store import keys
from antiphon.store.keyring import Keyring, KeyringError, KeyTerms, NoSuchKey
from tests.support.dynamodb import embedded_store

DAY = 86_400


@pytest.fixture
def dynamo():
    with embedded_store(stream=False) as table:
        yield table


@pytest.fixture
def keyring(dynamo):
    return Keyring(dynamo.table)


def kept(dynamo, secret):
    return dynamo.table.get(f"K#{keys.key_digest(secret)}", "KEY")


def test_a_key_has_256_random_bits_and_a_beginning_that_scanners_know(keyring):
    issued = [keyring.create(KeyTerms(tenant="acme")) for _ in range(20)]
    assert len({each.secret for each in issued}) == 20
    for each in issued:
        assert re.fullmatch(r"sk-antiphon-[A-Za-z0-9_-]{43}", each.secret)
        assert each.secret not in repr(each)


def test_the_table_holds_its_hash_alone(keyring, dynamo):
    secret = keyring.create(KeyTerms(tenant="acme", name="app")).secret
    rows = str(dynamo.client.scan(TableName="antiphon-local"))
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
def test_what_it_is_to_be_is_what_the_gateway_reads(keyring, dynamo, terms):
    issued = keyring.create(terms)
    read = keys.key_of_row(kept(dynamo, issued.secret))
    assert read == issued.key == keyring.find(issued.key.id)
    for name in ("tenant", "name", "models", "limits", "ends_at"):
        assert getattr(read, name) == getattr(terms, name)
    assert read.valid_at(time.time())


def test_a_key_is_found_by_id_by_a_beginning_of_it_and_by_itself(keyring):
    issued = keyring.create(KeyTerms(tenant="acme"))
    keyring.create(KeyTerms(tenant="umbra"))
    for named in (issued.secret, issued.key.id, issued.key.id[:12]):
        assert keyring.find(named) == issued.key


@pytest.mark.parametrize(
    "named", ["key_", "key_1", "key_ffffffffffffffff0", "sk-antiphon-of-nobody", "acme", "K#"]
)
def test_what_names_no_key_is_refused_without_repeating_it(keyring, named):
    keyring.create(KeyTerms(tenant="acme"))
    with pytest.raises(NoSuchKey, match=r"^There is no such key\.$"):
        keyring.find(named)


def test_a_beginning_that_two_keys_have_names_neither(keyring, dynamo):
    for number in (1, 2):
        row = keys.key_row(
            f"sk-number-{number}", "acme", id=f"key_aaaa{number}", by_time_sk=f"acme#{number}"
        )
        dynamo.table.put(row)
    with pytest.raises(KeyringError, match=r"2 keys begin like that: key_aaaa1, key_aaaa2\."):
        keyring.revoke("key_aaaa")
    assert keyring.find("key_aaaa2").revoked_at is None


def test_a_tenant_s_list_holds_its_own_keys_oldest_first(keyring, dynamo):
    for number, tenant in enumerate(["acme", "acme-2", "acme.x", "acmf", "acme", "ac", "Z", "_"]):
        row = keys.key_row(f"sk-number-{number}", tenant, created_at=number)
        dynamo.table.put({**row, "by_time_sk": f"{tenant}#{number:010d}#{row['id']}"})
    assert [key.created_at for key in keyring.every("acme")] == [0, 4]
    assert len([*keyring.every()]) == 8


def test_a_list_goes_on_where_one_read_ends(keyring, monkeypatch):
    monkeypatch.setattr("antiphon.store.keyring.READ_ROWS", 2)
    made = {keyring.create(KeyTerms(tenant="acme")).key.id for _ in range(5)}
    assert {key.id for key in keyring.every()} == made
    assert {keyring.find(id).id for id in made} == made


def test_no_command_scans(keyring, dynamo):
    with dynamo.count_calls() as calls:
        id = keyring.create(KeyTerms(tenant="acme")).key.id
        _, old = keyring.rotate(id, DAY)
        keyring.revoke(old.id)
        assert len([*keyring.every()]) == 2
    assert set(calls) == {"PutItem", "GetItem", "Query", "UpdateItem"}


def test_a_revoked_key_stays_revoked_from_its_first_moment(keyring, dynamo):
    issued = keyring.create(KeyTerms(tenant="acme", models=("o3",)))
    before = kept(dynamo, issued.secret)
    key, new = keyring.revoke(issued.key.id)
    assert new
    assert kept(dynamo, issued.secret) == {**before, "revoked_at": key.revoked_at}
    assert Keyring(dynamo.table, lambda: time.time() + DAY).revoke(issued.secret) == (key, False)
    assert not key.valid_at(time.time())


def test_a_key_that_goes_while_it_is_revoked_is_not_made_anew(keyring, dynamo):
    issued = keyring.create(KeyTerms(tenant="acme"))
    place = kept(dynamo, issued.secret)["pk"]

    def delete_first(**_):
        dynamo.client.meta.events.unregister("before-call.dynamodb.UpdateItem", unique_id="once")
        dynamo.table.delete(place, "KEY")

    dynamo.client.meta.events.register("before-call.dynamodb.UpdateItem", delete_first, "once")
    with pytest.raises(NoSuchKey):
        keyring.revoke(issued.key.id)
    assert kept(dynamo, issued.secret) is None


def test_a_rotated_key_has_a_successor_on_the_same_terms_and_ends_after_the_overlap(keyring):
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
    assert old.valid_at(old.ends_at - 1)
    assert not old.valid_at(old.ends_at)
    assert old.ends_at - issued.key.created_at in {3600, 3601}  # two readings of one clock


def test_without_an_overlap_the_old_key_is_revoked_whosever_clock_is_right(keyring):
    first = keyring.create(KeyTerms(tenant="acme"))
    _, old = keyring.rotate(first.key.id, 0)
    assert old.revoked_at is not None
    assert not old.valid_at(0)


def test_a_rotation_prolongs_no_key(keyring):
    ends_at = int(time.time()) + 60
    first = keyring.create(KeyTerms(tenant="acme", ends_at=ends_at))
    issued, old = keyring.rotate(first.key.id, DAY)
    assert (old.ends_at, issued.key.ends_at) == (ends_at, ends_at)


def test_the_new_key_ends_when_it_is_told_to(keyring):
    ends_at = int(time.time()) + 60
    first = keyring.create(KeyTerms(tenant="acme", ends_at=ends_at))
    assert keyring.rotate(first.key.id, DAY, ends_at + DAY)[0].key.ends_at == ends_at + DAY


def test_what_has_ended_or_was_rotated_is_rotated_no_more(keyring):
    revoked, rotated = (keyring.create(KeyTerms(tenant="acme")).key for _ in range(2))
    expired = keyring.create(KeyTerms(tenant="acme", ends_at=1)).key
    keyring.revoke(revoked.id)
    issued, _ = keyring.rotate(rotated.id, DAY)
    for key, why in [
        (revoked, "is revoked and cannot be rotated: create a new key"),
        (expired, "has expired and cannot be rotated: create a new key"),
        (rotated, f"was rotated already, to {issued.key.id}: rotate that one"),
    ]:
        with pytest.raises(KeyringError, match=f"{key.id} {why}"):
            keyring.rotate(key.id, DAY)
    assert len([*keyring.every()]) == 4


def test_two_who_rotate_at_once_leave_one_new_key(keyring, dynamo):
    first = keyring.create(KeyTerms(tenant="acme"))

    def other(**_):
        dynamo.client.meta.events.unregister("before-call.dynamodb.UpdateItem", unique_id="once")
        keyring.rotate(first.key.id, DAY)

    dynamo.client.meta.events.register("before-call.dynamodb.UpdateItem", other, "once")
    with pytest.raises(KeyringError, match="was revoked or rotated by someone else just now"):
        keyring.rotate(first.key.id, DAY)
    valid = {key.id for key in keyring.every() if key.valid_at(time.time())}
    assert valid == {first.key.id, keyring.find(first.key.id).replaced_by}
