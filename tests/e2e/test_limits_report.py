"""GET /limits at both doors: what a key and its tenant may use, and what they have used."""

import json
import secrets
import time

import httpx
import pytest

from antiphon.store import keys
from tests.support.events import make_response, new_id
from tests.support.gateway import NO_TLS

DOLLARS = (3 * 1_250 + 4 * 10_000) / 1e9  # of the usage that samples have
OF_THE_GATEWAY = {
    "object": "limit",
    "name": "max_body_bytes",
    "source": "configuration",
    "period": None,
    "limit": 4_500_000,
    "used": None,
    "remaining": None,
    "resets_at": None,
}


@pytest.fixture
def open_key(gateway, door):
    """Makes a key with these attributes; returns its id and a client with it."""
    opened = []

    def open_key(tenant="acme", at=gateway, **attributes):
        key = f"sk-{secrets.token_hex(16)}"
        row = keys.key_row(key, tenant, **attributes)
        at.put(row)
        headers = {"authorization": f"Bearer {key}"}
        client = httpx.Client(
            base_url=at.base(door), headers=headers, timeout=60, trust_env=False, verify=NO_TLS
        )
        opened.append(client)
        return row["id"], client

    yield open_key
    for client in opened:
        client.close()


def read(client):
    answer = client.get("/limits")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    return answer.json()


def by_source(report):
    return {(each["source"], each["name"]): each for each in report["data"]}


def test_a_key_reads_what_is_left_of_its_limits(open_key, provider):
    limits = {"rpm": 50, "tpm": 900, "streams": 2, "budget_usd": 2, "max_output_tokens": 500}
    key_id, client = open_key(limits=limits, models=["gpt-*"])
    provider.respond_with_json(make_response(new_id()))
    body = {"model": "gpt-5", "input": "x", "max_output_tokens": 100}
    assert client.post("/responses", json=body).status_code == 200
    report = read(client)
    assert {name: value for name, value in report.items() if name != "data"} == {
        "object": "list",
        "tenant": "acme",
        "key_id": key_id,
        "models": ["gpt-*"],
        "has_more": False,
    }
    found = by_source(report)
    assert {name: each["limit"] for (source, name), each in found.items() if source == "key"} == (
        limits
    )
    budget, streams = found["key", "budget_usd"], found["key", "streams"]
    assert (budget["used"], budget["remaining"]) == (DOLLARS, round(2 - DOLLARS, 9))
    assert (budget["period"], budget["resets_at"] > time.time()) == ("month", True)
    assert (streams["used"], streams["remaining"], streams["resets_at"]) == (0, 2, None)
    minute = found["key", "rpm"]  # the minute may have changed in between
    assert (minute["used"], minute["remaining"]) in {(2, 48), (1, 49)}
    assert 0 < minute["resets_at"] - time.time() <= 60
    assert found["key", "max_output_tokens"]["used"] is None
    assert found["configuration", "max_body_bytes"] == OF_THE_GATEWAY


def test_a_key_without_limits_has_those_of_the_gateway(open_key):
    _, client = open_key()
    report = read(client)
    assert (report["models"], report["data"]) == (None, [OF_THE_GATEWAY])


def test_what_a_tenant_shares_is_named_as_its_own(open_key, played):
    other_id, _ = open_key("bounded", played)
    _, client = open_key("bounded", played, limits={"max_vector_stores": 9})
    report = read(client)
    found = by_source(report)
    assert found["key", "max_vector_stores"]["limit"] == 9
    shared = found["tenant", "max_vector_stores"]
    assert (shared["limit"], shared["remaining"]) == (1, 1 - shared["used"])
    assert other_id not in json.dumps(report)


def test_it_has_no_parameters(open_key):
    _, client = open_key()
    answer = client.get("/limits?tenant=umbra")
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "tenant")
