"""A create with an Idempotency-Key is sent once, whoever sends it how often."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.concurrency import IS_SOAK, ROUNDS, wait_for
from tests.support.events import new_id
from tests.support.provider import Gate, encode_response
from tests.support.requests import (
    CLAIM_SORT_KEY,
    IN_FLIGHT,
    LONG_AGO,
    KeyedRequest,
    count_posts,
    encode_stored,
    read_error,
    request_lines,
)


def test_the_same_request_gets_the_stored_response_from_its_owner(provider, keyed):
    id = new_id()
    provider.respond_with(encode_response(encode_stored(id)))
    first = keyed.create()
    assert (first.status_code, "x-antiphon-replayed" in first.headers) == (200, False)
    later = encode_stored(id, brand_new=1.50)
    provider.respond_with(encode_response(later))
    again = keyed.create()
    assert (again.status_code, again.content) == (200, later)
    assert again.headers["x-antiphon-replayed"] == "true"
    assert (again.headers["x-antiphon-target"], again.headers["x-request-id"]) == (
        "openai",
        "req_of_provider",
    )
    assert request_lines(provider) == ["POST /v1/responses", f"GET /v1/responses/{id}"]
    assert provider.received[1].body == b""


def test_requested_includes_are_included_again(provider, client):
    keyed = KeyedRequest(client, include=["reasoning.encrypted_content", "x&y"], max_tokens=9)
    stored = encode_stored()
    provider.respond_with(encode_response(stored))
    first = keyed.create()
    provider.respond_with(encode_response(stored))
    assert keyed.create().headers["x-antiphon-rewrote"] == first.headers["x-antiphon-rewrote"]
    query = "include%5B%5D=reasoning.encrypted_content&include%5B%5D=x%26y"
    assert request_lines(provider)[1].partition("?")[2] == query


def test_another_body_is_refused_the_key(provider, keyed):
    provider.respond_with(encode_response(encode_stored()))
    keyed.create()
    got = keyed.create(input="y")
    assert read_error(got) == (422, "idempotency_key_reused", "false")
    assert got.json()["error"]["param"] == "Idempotency-Key"
    assert read_error(keyed.create(stream=True))[0] == 422
    assert count_posts(provider) == len(provider.received) == 1


def test_a_request_under_way_is_waited_for_by_the_caller(provider, keyed):
    gate, stored = Gate(), encode_stored()
    provider.respond_with(gate, encode_response(stored))
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(keyed.create)
        wait_for(lambda: provider.received, bool)
        got = keyed.create()
        assert read_error(got) == IN_FLIGHT
        assert 1 <= int(got.headers["retry-after"]) <= 5
        assert read_error(keyed.create(input="y"))[0] == 422
        gate.open()
        assert first.result().status_code == 200
    assert count_posts(provider) == len(provider.received) == 1
    provider.respond_with(encode_response(stored))
    assert keyed.create().headers["x-antiphon-replayed"] == "true"


def test_a_key_is_its_tenants_own(gateway, provider, keyed):
    stored = encode_stored()
    provider.respond_with(encode_response(stored))
    keyed.create()
    with gateway.client(key="umbra") as umbra:
        provider.respond_with(encode_response(encode_stored()))
        assert "x-antiphon-replayed" not in keyed.create(umbra).headers
    with gateway.client(key="acme's other") as colleague:
        provider.respond_with(encode_response(stored))
        assert keyed.create(colleague).headers["x-antiphon-replayed"] == "true"
    assert count_posts(provider) == 2


def test_a_crashed_owner_leaves_the_key_free_behind_its_deadline(gateway, provider, keyed):
    gate, id = Gate(), new_id()
    provider.respond_with(gate, encode_response(encode_stored()))
    with ThreadPoolExecutor(1) as threads:
        crashed = threads.submit(keyed.create)
        wait_for(lambda: provider.received, bool)
        assert read_error(keyed.create()) == IN_FLIGHT
        gateway.change(keyed.partition, CLAIM_SORT_KEY, free_at=LONG_AGO, deadline=LONG_AGO)
        provider.respond_with(encode_response(encode_stored(id)))
        assert keyed.create().status_code == 200
        gate.open()  # it was only very late: what it says now changes nothing
        assert crashed.result().status_code == 200
    assert gateway.row(keyed.partition, CLAIM_SORT_KEY)["response_id"] == id


def test_an_outcome_is_stored_for_a_day(gateway, provider, keyed):
    provider.respond_with(encode_response(encode_stored()))
    keyed.create()
    row = gateway.row(keyed.partition, CLAIM_SORT_KEY)
    assert row["free_at"] == row["expires_at"]
    gateway.change(keyed.partition, CLAIM_SORT_KEY, free_at=LONG_AGO, expires_at=LONG_AGO)
    provider.respond_with(encode_response(encode_stored()))
    assert keyed.create(input="y").status_code == 200
    assert count_posts(provider) == 2


def test_a_row_names_neither_key_nor_content(gateway, provider, client):
    keyed = KeyedRequest(client, input="a-secret-of-the-caller")
    provider.respond_with(
        encode_response(
            encode_stored(output=[{"type": "message", "id": "msg_1", "content": "a-secret"}])
        )
    )
    keyed.create()
    row = str(gateway.row(keyed.partition, CLAIM_SORT_KEY))
    assert "secret" not in row
    assert keyed.key not in row


def test_a_response_in_the_background_is_given_as_it_stands(provider, client):
    keyed, id = KeyedRequest(client, background=True), new_id()
    provider.respond_with(encode_response(encode_stored(id, status="queued")))
    assert keyed.create().json()["status"] == "queued"
    for status in ("in_progress", "completed"):
        provider.respond_with(encode_response(encode_stored(id, status=status)))
        again = keyed.create()
        assert (again.json()["status"], again.headers["x-antiphon-replayed"]) == (status, "true")
    assert count_posts(provider) == 1


@pytest.mark.parametrize("key", ["a b", "x" * 256], ids=len)
def test_a_key_that_is_none_is_refused(provider, keyed, key):
    got = keyed.create(key=key)
    assert (got.status_code, got.json()["error"]["param"]) == (400, "Idempotency-Key")
    assert provider.received == []


def test_without_a_key_every_request_is_one_of_its_own(provider, client):
    for _ in range(2):
        provider.respond_with(encode_response(encode_stored()))
        got = client.post("/responses", json={"model": "gpt-5", "input": "x"})
        assert "x-antiphon-replayed" not in got.headers
    assert count_posts(provider) == 2


CALLERS = 64


def test_of_64_callers_at_once_one_is_sent(gateway, provider):
    with gateway.client("url") as url, gateway.client("rest") as rest:
        for _ in range(ROUNDS if IS_SOAK else 1):
            provider.reset()
            keyed, id = KeyedRequest(url), new_id()
            for _ in range(
                CALLERS
            ):  # to whoever comes: the one that is sent, and those that get its answer
                provider.respond_with(encode_response(encode_stored(id)))
            start = threading.Barrier(CALLERS)

            def call(number, keyed=keyed, start=start):
                start.wait()
                return keyed.create(url if number % 2 else rest)

            with ThreadPoolExecutor(CALLERS) as threads:
                got = list(threads.map(call, range(CALLERS)))
            assert count_posts(provider) == 1
            assert Counter(one.status_code for one in got).keys() <= {200, 409}
            assert {one.json()["id"] for one in got if one.status_code == 200} == {id}
            assert {read_error(one) for one in got if one.status_code == 409} <= {IN_FLIGHT}
