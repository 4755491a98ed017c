"""Ceilings of what is stored, and what is reported of it, through the door with a simulated provider.

Each test has a tenant of its own.
"""

import secrets
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import openai
import pytest

from antiphon.store.keys import key_row
from tests.support.concurrency import wait_for
from tests.support.gateway import NO_TLS
from tests.support.usage import read_report

NOTHING = {"files": 0, "file_bytes": 0, "vector_stores": 0, "containers": 0}


class Tenant:
    """A client with a new key, by default of a new tenant."""

    def __init__(self, gateway, door, limits, tenant=None):
        self.gateway, self.tenant = gateway, tenant or f"t-{secrets.token_hex(6)}"
        key = f"sk-{secrets.token_hex(16)}"
        row = key_row(key, self.tenant, limits=limits)
        self.key_id = row["id"]
        gateway.put(row)
        self.http = httpx.Client(
            base_url=gateway.base(door), headers={"authorization": f"Bearer {key}"}, timeout=60,
            trust_env=False, verify=NO_TLS,
        )  # fmt: skip
        self.sdk = openai.OpenAI(
            base_url=gateway.base(door), api_key=key, http_client=self.http, max_retries=0
        )

    def upload(self, size=3, name="a.txt"):
        return self.sdk.files.create(file=(name, b"x" * size), purpose="assistants")

    def stored(self):
        return read_report(self.http)["storage"]

    def wait_for_stored(self, **counts):
        wait_for(self.stored, lambda found: found == {**NOTHING, **counts})

    def held(self):
        """What its key's row counts, and the number of reservations in it."""
        row = self.gateway.row(f"T#{self.tenant}#S#{self.key_id}", "LIMITS") or {}
        counts = {name: int(row[name]) for name in NOTHING if row.get(name)}
        return counts, sum(name.startswith("held_") for name in row)


@pytest.fixture
def tenant(played):
    made = []

    def make(tenant=None, door="url", **limits):
        made.append(Tenant(played, door, limits, tenant))
        return made[-1]

    yield make
    for each in made:
        each.http.close()


def refusal(call, *arguments, **options):
    with pytest.raises(openai.RateLimitError) as raised:
        call(*arguments, **options)
    assert raised.value.code == "storage_limit_reached"
    assert raised.value.type == "insufficient_quota"
    assert raised.value.response.headers["x-should-retry"] == "false"
    return raised.value.message


def test_a_file_too_many_is_refused_until_one_is_deleted(tenant, door):
    acme, stranger = tenant(door=door, max_files=2), tenant()
    first, _ = acme.upload(), acme.upload(40)
    assert "2 files ('max_files')" in refusal(acme.upload)
    acme.wait_for_stored(files=2, file_bytes=43)
    assert len(acme.sdk.files.list().data) == 2
    assert stranger.stored() == NOTHING
    acme.sdk.files.delete(first.id)
    acme.wait_for_stored(files=1, file_bytes=40)
    acme.upload()
    refusal(acme.upload)
    acme.wait_for_stored(files=2, file_bytes=43)
    assert acme.held() == ({"files": 2, "file_bytes": 43}, 0)


def test_bytes_of_files_and_of_uploads_share_a_limit(tenant, door):
    acme = tenant(door=door, max_file_bytes=100)
    ask = {"filename": "a.txt", "purpose": "assistants", "mime_type": "text/plain"}
    cancelled = acme.sdk.uploads.create(bytes=100, **ask)
    refusal(acme.upload, 1)
    acme.sdk.uploads.cancel(cancelled.id)
    upload = acme.sdk.uploads.create(bytes=60, **ask)
    part = acme.sdk.uploads.parts.create(upload.id, data=b"x" * 60)
    acme.upload(40)
    refusal(acme.upload, 1)
    acme.sdk.uploads.complete(upload.id, part_ids=[part.id])
    acme.wait_for_stored(files=2, file_bytes=100)
    assert acme.held() == ({"files": 2, "file_bytes": 100}, 0)
    assert "this file alone has 101" in refusal(acme.upload, 101)


def test_of_many_at_once_exactly_the_limit_is_made(tenant):
    acme = tenant(max_files=3)

    def attempt(_):
        try:
            return acme.upload().id
        except openai.RateLimitError:
            return None

    with ThreadPoolExecutor(8) as pool:
        made = [id for id in pool.map(attempt, range(12)) if id]
    assert len(made) == 3
    assert sorted(each.id for each in acme.sdk.files.list().data) == sorted(made)
    acme.wait_for_stored(files=3, file_bytes=9)


def test_what_its_provider_refuses_takes_no_place(tenant):
    acme = tenant(max_files=1)
    for name in ("sim-429.txt", "sim-503.txt"):
        with pytest.raises(openai.APIStatusError):
            acme.upload(name=name)
    assert acme.held() == ({}, 0)
    with pytest.raises(openai.InternalServerError):  # this one may have been made
        acme.upload(name="sim-500.txt")
    assert acme.held() == ({"files": 1}, 1)
    refusal(acme.upload)


def test_files_use_neither_tokens_nor_money_and_each_call_is_a_request(tenant):
    acme = tenant(tpm=1, budget_usd=1, rpm=60)
    for _ in range(3):
        acme.upload()
    row = acme.gateway.row(f"T#{acme.tenant}#L#{acme.key_id}", "LIMITS")
    counted = {name.rpartition("_")[2][0] for name in row if name.startswith("key_")}
    assert counted == {"r"}


def minutes(tenant):
    return read_report(tenant.http)["total"]["estimated_container_minutes"]


def test_containers_have_their_place_until_they_are_deleted(tenant):
    acme = tenant(max_containers=1)
    made = acme.sdk.containers.create(name="one")
    assert "1 containers" in refusal(acme.sdk.containers.create, name="two")
    acme.wait_for_stored(containers=1)
    assert minutes(acme) == 20
    began = time.time() - 570  # as if it had been made before: each begun minute counts
    row = f"T#{acme.tenant}#container#{made.id}"
    acme.gateway.change(row, created_ms=int(began * 1000))
    acme.sdk.containers.retrieve(made.id)
    wait_for(lambda: minutes(acme), lambda found: found == 30)
    acme.sdk.containers.delete(made.id)
    acme.wait_for_stored()
    assert 10 <= wait_for(lambda: minutes(acme), lambda found: found < 30) <= 12
    assert read_report(acme.http)["total"]["requests"] == 0
    acme.sdk.containers.create(name="two")


def test_a_container_that_a_response_makes_is_counted_and_not_refused(tenant):
    acme = tenant(max_containers=1)
    tool = {"type": "code_interpreter", "container": {"type": "auto"}}
    for n in (1, 2):
        acme.sdk.responses.create(model="gpt-4.1", input="Run it", tools=[tool])
        acme.wait_for_stored(containers=n)
    assert "of which 2 are stored" in refusal(acme.sdk.containers.create, name="mine")


def test_a_tenant_has_a_ceiling_for_all_its_keys(tenant):
    """`bounded` may have one vector store: see the gateway's settings in tests/conftest.py."""
    one, other = tenant("bounded"), tenant("bounded", max_vector_stores=5)
    made = one.sdk.vector_stores.create(name="one")
    assert "the tenant 'bounded' is 1 vector stores" in refusal(other.sdk.vector_stores.create)
    assert other.held() == ({}, 0)
    other.sdk.vector_stores.delete(made.id)
    one.wait_for_stored()
    made = other.sdk.vector_stores.create(name="two")
    one.wait_for_stored(vector_stores=1)
    one.sdk.vector_stores.delete(made.id)
    one.wait_for_stored()
