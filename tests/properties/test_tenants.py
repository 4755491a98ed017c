"""Two tenants create, chain, upload, attach, search and delete in any order.

A model says who may what.
"""

import json

import httpx
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    rule,
    run_state_machine_as_test,
)

from tests.support.concurrency import IS_SOAK
from tests.support.events import make_events, make_response, new_id
from tests.support.provider import encode_response, encode_stream

# What a list has of a file.
FILE = {"bytes": 1, "filename": "a.txt", "purpose": "assistants", "created_at": 1_700_000_000}
TENANTS = st.sampled_from(["acme", "umbra"])
STRANGERS = st.sampled_from(["resp_unknown", "resp-%2e%2e", "x" * 257, "RESP_1"])
UNKNOWN = st.sampled_from(["file-unknown", "vs_unknown", "vs_%2e%2e", "x" * 257, "FILE-1"])
ASK = {"model": "gpt-5", "input": "x"}
AT_OPENAI = {"x-antiphon-target": "openai"}  # which serves the model of ASK


class Tenants(RuleBasedStateMachine):
    """Each rule is one call; the model knows whose each id is, and which are gone."""

    gateway = provider = None
    ids = Bundle("ids")
    files = Bundle("files")
    stores = Bundle("stores")

    def __init__(self):
        super().__init__()
        self.owner = {}
        self.root = {}
        self.clients = {t: self.gateway.client(tenant_door(t), t) for t in ("acme", "umbra")}

    def teardown(self):
        for client in self.clients.values():
            client.close()

    @rule(target=ids, tenant=TENANTS, stream=st.booleans())
    def create(self, tenant, stream):
        return self.made(tenant, {**ASK, "stream": stream}, None)

    @rule(target=ids, tenant=TENANTS, parent=ids | STRANGERS, stream=st.booleans())
    def chain(self, tenant, parent, stream):
        ask = {**ASK, "stream": stream, "previous_response_id": parent}
        return self.made(tenant, ask, parent)

    @rule(tenant=TENANTS, id=ids | STRANGERS, path=st.sampled_from(["", "/input_items"]))
    def read(self, tenant, id, path):
        self.checked(tenant, id, "GET", f"/responses/{id}{path}")

    @rule(tenant=TENANTS, id=ids | STRANGERS)
    def cancel(self, tenant, id):
        self.checked(tenant, id, "POST", f"/responses/{id}/cancel")

    @rule(tenant=TENANTS, id=ids | STRANGERS)
    def delete(self, tenant, id):
        if self.checked(tenant, id, "DELETE", f"/responses/{id}"):
            del self.owner[id]

    @rule(target=files, tenant=TENANTS)
    def upload(self, tenant):
        form = {"data": {"purpose": "assistants"}, "files": {"file": ("a.txt", b"x")}}
        return self.opened(tenant, [], "/files", new_id("file"), **form, headers=AT_OPENAI)

    @rule(target=stores, tenant=TENANTS, members=st.lists(files | UNKNOWN, max_size=2))
    def open_store(self, tenant, members):
        ask = {"file_ids": members}
        path, id = "/vector_stores", new_id("vs")
        return self.opened(tenant, members, path, id, json=ask, headers=AT_OPENAI)

    @rule(tenant=TENANTS, store=stores | UNKNOWN, file=files | UNKNOWN)
    def attach(self, tenant, store, file):
        path = f"/vector_stores/{store}/files"
        self.referring(tenant, [store, file], path, file, json={"file_id": file})

    @rule(tenant=TENANTS, store=stores | UNKNOWN)
    def search(self, tenant, store):
        path = f"/vector_stores/{store}/search"
        self.checked(tenant, store, "POST", path, json={"query": "x"})

    @rule(tenant=TENANTS, file=files | UNKNOWN, path=st.sampled_from(["", "/content"]))
    def download(self, tenant, file, path):
        self.checked(tenant, file, "GET", f"/files/{file}{path}")

    @rule(
        target=ids,
        tenant=TENANTS,
        named=st.lists(files | UNKNOWN, max_size=2),
        stores=st.lists(stores, max_size=2),
        stream=st.booleans(),
    )
    def create_with(self, tenant, named, stores, stream):
        parts = [{"type": "input_file", "file_id": file} for file in named]
        ask = {
            **ASK,
            "stream": stream,
            "input": [{"role": "user", "content": parts}],
            "tools": [{"type": "file_search", "vector_store_ids": stores}],
        }
        id = self.opened(tenant, named + stores, "/responses", new_id(), json=ask)
        self.root[id] = id
        return id

    @rule(tenant=TENANTS, id=files | stores | UNKNOWN)
    def delete_resource(self, tenant, id):
        collection = "files" if id.startswith("file") else "vector_stores"
        if self.checked(tenant, id, "DELETE", f"/{collection}/{id}"):
            del self.owner[id]

    @rule(tenant=TENANTS)
    def list_files(self, tenant):
        """The newest are its own: the tenants have files of other tests, too."""
        own = [id for id, owner in self.owner.items() if owner == tenant and id.startswith("file")]
        if not own:
            return
        self.provider.reset()
        listed = self.clients[tenant].get(f"/files?limit={len(own)}").json()["data"]
        assert [each["id"] for each in listed] == own[::-1]
        assert self.provider.received == []

    def opened(self, tenant, named, path, id, **body):
        """The id of what a body creates that names files and stores: it is nobody's if refused."""
        if self.referring(tenant, named, path, id, **body):
            self.owner[id] = tenant
        return id

    def referring(self, tenant, named, path, id, **body):
        """Send a body that names files and stores; return whether all are the tenant's own."""
        may = all(self.owner.get(each) == tenant for each in named)
        got = self.call(tenant, may, "POST", path, id, **body)
        assert got.status_code == (200 if may else 404)
        return may

    def made(self, tenant, ask, parent):
        id = new_id()
        may = parent is None or self.owner.get(parent) == tenant
        got = self.call(tenant, may, "POST", "/responses", id, json=ask)
        assert got.status_code == (200 if may else 400)
        if may:
            self.owner[id] = tenant
            self.root[id] = id if parent is None else self.root[parent]
            row = self.gateway.row(f"T#{tenant}#R#{id}")
            assert (row["root"], row["status"]) == (self.root[id], "completed")
        return id

    def checked(self, tenant, id, method, path, **body):
        may = self.owner.get(id) == tenant
        got = self.call(tenant, may, method, path, id, **body)
        assert got.status_code == (200 if may else 404)
        return may

    def call(self, tenant, may, method, path, id, **body):
        """Send it; the provider is called once if the tenant may, and never if not."""
        self.provider.reset()
        if body.get("json", {}).get("stream"):
            self.provider.respond_with(encode_stream(*make_events(id)))
        else:
            answer = {**make_response(id), **FILE}  # whatever was called
            self.provider.respond_with(encode_response(json.dumps(answer).encode()))
        got = self.clients[tenant].request(method, path, **body)
        assert len(self.provider.received) == (1 if may else 0)
        return got


def tenant_door(tenant):
    """Each comes through a door of its own: what holds at one holds at the other."""
    return "url" if tenant == "acme" else "rest"


def test_nobody_ever_gets_at_what_is_not_theirs(gateway, provider):
    machine = type("Machine", (Tenants,), {"gateway": gateway, "provider": provider})
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large]
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=500 if IS_SOAK else 5,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=checks,
        ),
    )


class AllUmbras(dict):
    """A record of owners that calls all ids umbra's."""

    def __setitem__(self, id, _):
        super().__setitem__(id, "umbra")


def test_the_model_would_notice(gateway, provider):
    """The same machine with forged owners must fail: the test can."""

    class Forged(Tenants):
        def __init__(self):
            super().__init__()
            self.owner = AllUmbras()

    machine = type("Machine", (Forged,), {"gateway": gateway, "provider": provider})
    with pytest.raises((AssertionError, httpx.HTTPError)):
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=100,  # it ends with the first that fails
                stateful_step_count=15,
                derandomize=True,
                deadline=None,
                database=None,
                phases=(Phase.generate,),
                suppress_health_check=list(HealthCheck),
            ),
        )
