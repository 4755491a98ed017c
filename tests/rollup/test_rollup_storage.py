"""What a tenant and its keys have stored is counted once, and no more after its end."""

import random
import time
from dataclasses import replace

import pytest

from antiphon.store.containers import IDLE_SECONDS
from antiphon.store.limit_rows import LimitRows
from antiphon.store.links import NEVER
from antiphon.store.reservations import StoredReservation
from antiphon.store.storage import StorageKey, reservation_id
from antiphon.store.usage import CONTAINER_MINUTES
from tests.support.concurrency import IS_SOAK

CALLERS = 16


@pytest.fixture
def stored(counted):
    """Reads the counters of a tenant or a key without zeros."""

    def read(key_id=None, tenant="acme", now=None):
        rows = counted.storage.read_all(tenant, time.time() if now is None else now)
        [found] = [each for each in rows if each.key.key_id == key_id]
        return {name: number for name, number in found.counts.items() if number}

    return read


def put(counted, kind, size=None, age=0, **more):
    """Writes the link of something that is so many seconds old."""
    details = {} if size is None else {"details": {"bytes": size}}
    link = counted.make_link(
        kind=kind,
        status="created",
        created_ms=int(time.time() - age) * 1000,
        **{"expires_at": NEVER, **details, **more},
    )
    counted.links.put(link)
    return link


def write_all(counted):
    """Writes links with all kinds of ends; returns what is left."""
    first, second, gone, expired = (put(counted, "file", size) for size in (10, 200, 3_000, 40_000))
    put(counted, "file", 500_000, key_id="key_2")
    put(counted, "file", None)  # its provider gave no size
    store, other = put(counted, "vector_store"), put(counted, "vector_store")
    container, ended = put(counted, "container"), put(counted, "container")
    put(counted, "container", age=IDLE_SECONDS)
    for kind in ("file", "container"):
        put(counted, kind, 7, key_id="")  # an operator has adopted it
    for kind in ("upload", "skill", "batch", "conversation", "prompt"):
        put(counted, kind, 7)
    for link in (gone, other, ended):
        counted.delete_link(link)
    counted.expire(expired)
    counted.links.change(first, status="processed")
    counted.links.change(container, details={"name": "mine"})
    del second, store
    return {"files": 4, "file_bytes": 500_210, "vector_stores": 1, "containers": 1}


def test_what_is_left_is_counted_for_the_tenant_and_for_each_key(counted, stored):
    expected = write_all(counted)
    put(counted, "file", 1, tenant="umbra")
    assert counted.run_rollup() == []
    assert stored() == expected
    assert stored("key_1") == {**expected, "files": 3, "file_bytes": 210}
    assert stored("key_2") == {"files": 1, "file_bytes": 500_000}
    assert stored(tenant="umbra") == {"files": 1, "file_bytes": 1}
    read = counted.storage.read("acme", time.time())
    assert dict(read.counts) == expected
    assert sum(counted.storage.read("nobody", 0).counts.values()) == 0
    tenants = [(each.key.tenant, each.key.key_id) for each in counted.storage.read_all(None, 0)]
    assert tenants == [
        *(("acme", key_id) for key_id in (None, "key_1", "key_2")),
        *(("umbra", key_id) for key_id in (None, "key_1")),
    ]


@pytest.mark.parametrize("seed", range(20 if IS_SOAK else 1))
def test_repeated_late_and_single_records_change_nothing(counted, stored, seed):
    expected = write_all(counted)
    records = counted.dynamo.stream_records()
    rng = random.Random(seed)
    for record in records:
        assert counted.run_rollup([record]) == []
        if rng.random() < 0.5:
            counted.run_rollup(rng.sample(records, 5))
    assert stored() == expected
    before = counted.rows()
    counted.run_rollup(records)
    assert counted.rows() == before


def test_of_many_callers_with_the_same_records_one_counts_them(counted, stored):
    put(counted, "container")
    counted.delete_link(put(counted, "file", 10))
    put(counted, "file", 200)
    records = counted.dynamo.stream_records()
    assert counted.run_at_once([records] * CALLERS) == []
    assert stored() == {"containers": 1, "files": 1, "file_bytes": 200}


def test_many_callers_count_many_files_into_one_row(counted, stored):
    files = [put(counted, "file", 10) for _ in range(CALLERS)]
    records = counted.dynamo.stream_records()
    assert counted.run_at_once([[record] for record in records]) == []
    assert stored() == {"files": CALLERS, "file_bytes": 10 * CALLERS}
    for link in files:
        counted.delete_link(link)
    records = counted.dynamo.stream_records()
    assert counted.run_at_once([[record] for record in records]) == []
    assert stored() == {}


def test_a_deleted_file_that_expires_later_is_subtracted_once(counted, stored):
    link = put(counted, "file", 10)
    counted.run_rollup()
    counted.delete_link(link)
    counted.run_rollup()
    counted.expire(link)
    counted.run_rollup()
    assert stored() == {}
    put(counted, "file", 10, id=link.id, key_id="key_2")  # the provider uses the id again
    counted.run_rollup()
    assert (stored(), stored("key_1")) == ({"files": 1, "file_bytes": 10}, {})


def reserve(counted, link, **amounts):
    """Reserves as a create under the ceilings of its key and its tenant does, just before it ends."""
    for key in (StorageKey(link.tenant, None), StorageKey(link.tenant, link.key_id)):
        held = StoredReservation(key.partition, reservation_id(link.request_id), amounts)
        value = {"until": int(time.time()) + 60, "back": amounts}
        row = {"pk": key.partition, "sk": "LIMITS", held.name: value, **amounts}
        counted.table.put(row)


@pytest.mark.parametrize("amounts", [{"files": 1}, {"files": 1, "file_bytes": 999}])
def test_a_counted_link_replaces_the_reservation_of_its_create(counted, stored, amounts):
    link = counted.make_link(kind="file", details={"bytes": 10}, expires_at=NEVER)
    reserve(counted, link, **amounts)
    counted.links.put(link)
    records = counted.dynamo.stream_records()
    counted.run_rollup(records)
    counted.run_rollup(records)
    for key_id in (None, "key_1"):
        assert stored(key_id) == {"files": 1, "file_bytes": 10}
        row = counted.table.get(StorageKey("acme", key_id).partition, "LIMITS")
        assert not any(name.startswith("held_") for name in row)


def test_a_reservation_that_another_caller_gives_back_meanwhile_is_not_given_back_twice(
    counted, stored
):
    link = counted.make_link(kind="file", details={"bytes": 10}, expires_at=NEVER)
    reserve(counted, link, files=1)
    held = StoredReservation("T#acme#S", reservation_id(link.request_id), {"files": 1})
    limit_rows = LimitRows(counted.table, 0, lambda *_: False)

    def give_back(**_):
        events.unregister(hook, give_back)
        limit_rows.settle(held, {}, is_open=False)

    events, hook = counted.dynamo.client.meta.events, "before-call.dynamodb.TransactWriteItems"
    events.register(hook, give_back)
    counted.links.put(link)
    assert counted.run_rollup() == []
    assert stored() == {"files": 1, "file_bytes": 10}


def test_a_reservation_that_has_expired_is_given_back_with_the_next_count(counted, stored):
    reserve(counted, replace(counted.make_link(), request_id="killed"), files=3)
    put(counted, "file", 10)
    counted.later = 3_600
    counted.run_rollup()
    assert stored() == {"files": 1, "file_bytes": 10}
    row = counted.table.get("T#acme#S", "LIMITS")
    assert row["files"] == 1


def test_a_container_has_its_place_until_it_is_idle_and_each_use_extends_that(counted, stored):
    link = put(counted, "container")
    counted.run_rollup()
    assert stored() == {"containers": 1}
    assert stored(now=link.created_at + IDLE_SECONDS) == {}
    counted.links.change(link, details={"used_at": link.created_at + 600})
    counted.run_rollup()
    assert stored(now=link.created_at + IDLE_SECONDS) == {"containers": 1}
    assert stored(now=link.created_at + IDLE_SECONDS + 600) == {}
    assert counted.total() == {CONTAINER_MINUTES: 30}
    counted.delete_link(link)
    counted.run_rollup()
    assert stored() == {}
    assert counted.total() == {CONTAINER_MINUTES: 5}


@pytest.mark.parametrize(
    ("used", "deleted", "minutes"),
    [
        (None, None, 20),  # after the creation, in seconds
        (None, 1, 5),
        (None, 301, 6),
        (None, 86_400, 20),
        (1_199, None, 40),
        (1_199, 1_260, 21),
    ],
)
def test_container_minutes_are_those_until_its_end(counted, used, deleted, minutes):
    link = put(counted, "container", age=90_000)
    details = None if used is None else {"used_at": link.created_at + used}
    ended = None if deleted is None else link.created_at + deleted
    counted.links.change(link, details=details, deleted_at=ended)
    records = counted.dynamo.stream_records()
    counted.run_rollup(records)
    counted.expire(link)
    counted.run_rollup([*records, *counted.dynamo.stream_records()])
    [found] = counted.sums()
    assert (found.model, found.target, found.key_id) == ("", "openai", "key_1")
    assert counted.total() == {CONTAINER_MINUTES: minutes}
