"""Two tenants create, chain, branch, cancel and delete in any order: a model says who may what."""

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

TENANTS = st.sampled_from(["acme", "umbra"])
STRANGERS = st.sampled_from(["resp_unknown", "resp-%2e%2e", "x" * 257, "RESP_1"])


class Tenants(RuleBasedStateMachine):
    """Each rule is one call; the model knows whose each id is, and which are gone."""

    gateway = provider = None
    ids = Bundle("ids")

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
        return self.made(tenant, {"model": "gpt-5", "input": "x", "stream": stream}, None)

    @rule(target=ids, tenant=TENANTS, parent=ids | STRANGERS, stream=st.booleans())
    def chain(self, tenant, parent, stream):
        ask = {"model": "gpt-5", "input": "x", "stream": stream, "previous_response_id": parent}
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

    def made(self, tenant, ask, parent):
        id = new_id()
        may = parent is None or self.owner.get(parent) == tenant
        got = self.call(tenant, may, "POST", "/responses", id, ask)
        assert got.status_code == (200 if may else 400)
        if may:
            self.owner[id] = tenant
            self.root[id] = id if parent is None else self.root[parent]
            row = self.gateway.row(f"T#{tenant}#R#{id}")
            assert (row["root"], row["status"]) == (self.root[id], "completed")
        return id

    def checked(self, tenant, id, method, path):
        may = self.owner.get(id) == tenant
        got = self.call(tenant, may, method, path, id)
        assert got.status_code == (200 if may else 404)
        return may

    def call(self, tenant, may, method, path, id, ask=None):
        """Send it; the provider is asked once if the tenant may, and never if not."""
        self.provider.reset()
        if ask and ask["stream"]:
            self.provider.respond_with(encode_stream(*make_events(id)))
        else:
            self.provider.respond_with(encode_response(json.dumps(make_response(id)).encode()))
        got = self.clients[tenant].request(method, path, json=ask)
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
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=checks,
        ),
    )


def test_the_model_would_notice(gateway, provider):
    """The same machine with an owner forged must fail: the test can."""

    class Forged(Tenants):
        def made(self, tenant, ask, parent):
            id = super().made(tenant, ask, parent)
            if id in self.owner:
                self.owner[id] = "umbra"
            return id

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
