"""Ceilings of what is stored: exact for any number of creates at once, and given back in time."""

import itertools
import json
import threading
import time
from functools import partial

import pytest

from antiphon.errors import (
    InvalidRequest,
    NotFound,
    StorageLimitReached,
    Unavailable,
    UpstreamTimeout,
)
from antiphon.limits.storage import StorageLimits
from antiphon.settings.config import Limits
from antiphon.store.dynamodb import Table, WriteUnknown
from antiphon.store.limit_rows import LimitRows
from antiphon.store.links import NEVER
from antiphon.store.storage import StorageKey
from infra.local.aws.resources import TABLE
from tests.support import aws
from tests.support.concurrency import run_at_once
from tests.support.forms import write_by_httpx
from tests.support.limits import HOUR, NOON, Clock, make_caller, make_request
from tests.support.usage import usage_store

JSON = {"content-type": "application/json"}
ids = itertools.count()


@pytest.fixture
def clock():
    return Clock()


def make_limits(table, clock, **tenant):
    """The ceilings of a gateway, with limits of the tenant `acme`."""
    rows = LimitRows(table, 0, lambda *_: False, clock, row_seconds=None)
    return StorageLimits(rows, {"acme": Limits(**tenant)} if tenant else {})


@pytest.fixture
def limits(dynamo, clock):
    return partial(make_limits, dynamo.table, clock)


@pytest.fixture
def held(dynamo):
    """Reads the counters of a row of `acme`, and how many reservations it has."""

    def read(key_id=None):
        row = dynamo.table.get(StorageKey("acme", key_id).partition, "LIMITS") or {}
        holds = [name for name in row if name.startswith("held_")]
        counts = {n: v for n, v in row.items() if isinstance(v, int) and v and n != "expires_at"}
        assert "expires_at" not in row
        return counts, len(holds)

    return read


def upload_of(size, **more):
    """The request of a file with so many bytes."""
    kind, body = write_by_httpx({"purpose": "vision"}, [("file", ("a", b"x" * size))], "b")
    return make_request(f"create_{next(ids)}", body, headers={"content-type": kind}, **more)


def declared(size):
    """The request of an upload that declares so many bytes."""
    return make_request(f"create_{next(ids)}", json.dumps({"bytes": size}).encode(), headers=JSON)


def refusal(limits, kind, caller, request):
    with pytest.raises(StorageLimitReached) as refused:
        limits.admit(kind, caller, request)
    error = refused.value
    assert (error.status, error.code, error.retry) == (429, "storage_limit_reached", False)
    return str(error)


@pytest.mark.parametrize("kind", ["file", "upload", "vector_store", "container", "skill", "batch"])
def test_without_a_ceiling_for_its_kind_a_create_costs_no_call(dynamo, limits, kind):
    others = {"max_files", "max_file_bytes", "max_vector_stores", "max_containers"}
    others -= {"file": {"max_files", "max_file_bytes"}, "upload": {"max_files", "max_file_bytes"}}.get(kind, {f"max_{kind}s"})  # fmt: skip
    caller = make_caller(rpm=1, budget_usd=1.0, **dict.fromkeys(others, 1))
    with dynamo.count_calls() as calls:
        for _ in range(3):
            with limits(tpm=1).admit(kind, caller, make_request(body=b"not read")) as reserved:
                reserved.release()
    assert calls == []


def test_a_key_and_its_tenant_have_ceilings_that_name_what_is_used(limits, held):
    storage, caller = limits(max_files=3), make_caller(max_files=2, max_vector_stores=1)
    for _ in range(2):
        storage.admit("file", caller, upload_of(1))
    assert refusal(storage, "file", caller, upload_of(1)) == (
        "You exceeded your current quota: the limit of this key is 2 files ('max_files'), of which "
        "2 are stored or being made. Delete some with DELETE /v1/files/{id}, which counts within "
        "seconds, or ask the operator of the gateway for more."
    )
    storage.admit("vector_store", caller, make_request())
    message = refusal(storage, "vector_store", caller, make_request("other"))
    assert "1 vector stores" in message
    assert "DELETE /v1/vector_stores/{id}" in message
    other = make_caller("key_2", max_files=9)
    storage.admit("file", other, upload_of(1))
    assert "the limit of the tenant 'acme' is 3" in refusal(storage, "file", other, upload_of(1))
    assert held("key_2") == ({"files": 1}, 1)  # what the tenant refused, the key has back
    storage.admit("file", make_caller(tenant="umbra", max_files=2), upload_of(1))


def test_bytes_are_those_of_the_file_alone_and_may_fill_the_limit(limits, held):
    storage, caller = limits(), make_caller(max_file_bytes=1_000)
    assert "this file alone has 1,001" in refusal(storage, "file", caller, upload_of(1_001))
    storage.admit("file", caller, upload_of(400))
    storage.admit("upload", caller, declared(500))
    message = refusal(storage, "upload", caller, declared(101))
    assert "of which 900 are stored or being made, and this file has 101." in message
    storage.admit("file", caller, upload_of(100))
    assert held("key_1") == ({"file_bytes": 1_000}, 3)
    for odd in (-1, "7", None, 1.5):  # the provider refuses it
        storage.admit("upload", caller, declared(odd))
    with pytest.raises(InvalidRequest):
        storage.admit("file", caller, make_request(body=b"{", headers=JSON))


@pytest.mark.parametrize(
    ("exc", "is_held"),
    [(NotFound("x"), False), (UpstreamTimeout("x"), True), (KeyError("x"), True)],
)
def test_a_create_that_certainly_failed_gives_back_what_it_reserved(limits, held, exc, is_held):
    storage, caller = limits(max_files=5), make_caller(max_files=1)
    with pytest.raises(type(exc)), storage.admit("file", caller, upload_of(1)):
        raise exc
    expected = ({"files": 1}, 1) if is_held else ({}, 0)
    assert (held("key_1"), held()) == (expected, expected)


def test_a_cancelled_upload_gives_back_what_it_reserved(dynamo, limits, held):
    storage, caller = limits(max_files=5), make_caller(max_files=1)
    request = declared(7)
    storage.admit("upload", caller, request)
    link = dynamo.make_link(kind="upload", request_id=request.id)
    for _ in range(2):
        storage.release(link, caller)
    assert (held("key_1"), held()) == (({}, 0), ({}, 0))


@pytest.mark.parametrize(("kind", "hours"), [("file", 1), ("upload", 2)])
def test_an_outcome_that_nobody_knows_is_reserved_for_a_time(limits, clock, kind, hours):
    storage, caller = limits(), make_caller(max_files=1)
    storage.admit(kind, caller, declared(1))
    clock.now = NOON + hours * HOUR + 800
    refusal(storage, kind, caller, declared(1))
    clock.now += 200
    storage.admit(kind, caller, declared(1))


def test_a_row_that_a_transaction_changes_is_written_again(dynamo, limits, held):
    conflict, left = aws.refuse_with("TransactionConflictException"), [5]

    def fail(request, **_):
        left[0] -= 1
        return conflict(request) if left[0] >= 0 else None

    dynamo.client.meta.events.register_first("before-send.dynamodb.UpdateItem", fail)
    limits().admit("file", make_caller(max_files=1), upload_of(1))
    assert held("key_1") == ({"files": 1}, 1)


def test_a_write_whose_answer_is_lost_is_given_back(dynamo, held):
    class LosingTable(Table):
        def update(self, update, **more):
            row = super().update(update, **more)
            if update.partition == "T#acme#S" and update.sets:
                raise WriteUnknown("The answer is lost.")
            return row

    storage = make_limits(LosingTable(dynamo.client, TABLE), Clock(), max_files=5)
    with pytest.raises(Unavailable):
        storage.admit("file", make_caller(max_files=5), upload_of(1))
    assert (held("key_1"), held()) == (({}, 0), ({}, 0))


def test_exactly_the_limit_is_stored_however_many_create_while_others_are_counted():
    """Each of 48 threads makes a file of ten bytes where it may; some work on the stream."""
    with usage_store() as counted:
        storage = make_limits(counted.table, time.time, max_files=20, max_file_bytes=170)
        callers = [make_caller(f"key_{n}", max_files=9) for n in range(4)]
        lock = threading.Lock()

        def create():
            request, number = upload_of(10), next(ids)
            caller = callers[number % len(callers)]
            try:
                storage.admit("file", caller, request)
            except StorageLimitReached:
                return 0
            link = counted.make_link(
                kind="file", id=f"file-{number}", key_id=caller.key_id, details={"bytes": 10},
                request_id=request.id, expires_at=NEVER,
            )  # fmt: skip
            counted.links.put(link)
            with lock:
                records = counted.dynamo.stream_records()
            assert counted.run_rollup(records) == []
            return 1

        assert sum(run_at_once(create, 48)) == 17
        counted.run_rollup()
        found = [*counted.storage.read_all("acme", NOON)]
        assert (found[0].counts["files"], found[0].counts["file_bytes"]) == (17, 170)
        assert sum(each.counts["files"] for each in found[1:]) == 17
        for each in found:
            row = counted.table.get(each.key.partition, "LIMITS")
            assert row["files"] == each.counts["files"] <= 20
            assert not any(name.startswith("held_") for name in row)
