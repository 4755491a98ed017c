"""How the gateway tells what was used, at both doors."""

import time
from collections import Counter
from datetime import datetime
from decimal import Decimal

import httpx
import pytest

from antiphon.store.links import NEVER, link_row
from tests.support.concurrency import wait_for
from tests.support.dynamodb import make_link
from tests.support.events import new_id
from tests.support.usage import (
    days_around_now,
    encode_usage_response,
    new_model,
    read_report,
    send_create,
    wait_for_sum,
)


@pytest.fixture
def model():
    return new_model()


@pytest.fixture
def acme(gateway, door):
    with gateway.client(door) as client:
        yield client


@pytest.fixture
def auditor(gateway, door):
    """A tenant of this test alone: responses of other tests are still counted between reports."""
    with gateway.client(door, "auditor") as client:
        yield client


def test_the_total_is_the_sum_of_the_parts_by_every_grouping(auditor, provider, model):
    for name in (model, new_model()):
        for n in range(3):
            provider.respond_with(encode_usage_response(new_id(), "failed" if n else "completed"))
            send_create(auditor, name)
        wait_for_sum(auditor, name, 3)
    whole_report = read_report(auditor)
    totals = [whole_report["total"]]
    for by in ("day", "model", "target", "key", "day,model", ["target", "key"]):
        grouped = read_report(auditor, by=by)
        totals += [grouped["total"], added(grouped["data"])]
    assert whole_report["total"]["requests"] in {6, 12}  # through one URL or both
    assert totals == [added(whole_report["data"])] * len(totals)


def added(data):
    numbers = Counter()
    for each in data:
        numbers.update({n: v for n, v in each.items() if isinstance(v, int)})
    cost = sum((Decimal(each["cost_usd"]) for each in data), Decimal(0))
    return {**numbers, "cost_usd": format(cost.normalize(), "f")}


def test_parts_that_are_not_requested_are_null(acme, provider, model):
    provider.respond_with(encode_usage_response(new_id()))
    send_create(acme, model)
    wait_for_sum(acme, model, 1)
    for by in ("model", "day", "target", "key"):
        name = "key_id" if by == "key" else by
        for each in read_report(acme, by=by)["data"]:
            given = {n for n in ("day", "model", "target", "key_id") if each[n] is not None}
            assert given == {name}


def test_keys_are_counted_apart(gateway, provider, model):
    with gateway.client() as one, gateway.client(key="acme's other") as other:
        for client in (one, other, other):
            provider.respond_with(encode_usage_response(new_id()))
            send_create(client, model)
        keys = wait_for(lambda: by_key(one, model), lambda keys: sum(keys) >= 3)
    assert sorted(keys) == [1, 2]


def by_key(client, model):
    data = read_report(client, by="key,model")["data"]
    return [each["requests"] for each in data if each["model"] == model]


def test_an_azure_deployment_is_reported_by_its_public_name(provider, client):
    provider.respond_with(encode_usage_response(new_id(), model="older-deployed"))
    send_create(client, "older")
    wait_for(lambda: places(client), lambda found: ("older", "azure-legacy") in found)
    assert "older-deployed" not in client.get("/usage").text


def places(client):
    return {(each["model"], each["target"]) for each in read_report(client)["data"]}


def test_another_tenant_sees_nothing_of_it(gateway, door, acme, provider, model):
    provider.respond_with(encode_usage_response(new_id()))
    send_create(acme, model)
    wait_for_sum(acme, model, 1)
    with gateway.client(door, "umbra") as umbra:
        assert model not in [each["model"] for each in read_report(umbra)["data"]]
        assert model not in umbra.get("/usage?by=model").text


def test_days_may_be_chosen(acme, provider, model):
    provider.respond_with(encode_usage_response(new_id()))
    send_create(acme, model)
    day = wait_for_sum(acme, model, 1)["day"]
    seconds = int(datetime.fromisoformat(f"{day}T23:59:59+00:00").timestamp())
    for query in ({"start": day, "end": day}, {"start": seconds, "end": seconds}):
        found = read_report(acme, **query)
        assert (found["start"], found["end"]) == (day, day)
        assert model in [each["model"] for each in found["data"]]
    empty = read_report(acme, start="2025-01-01", end="2026-01-01")
    assert (empty["data"], empty["total"]["requests"], empty["has_more"]) == ([], 0, False)
    assert empty["total"]["cost_usd"] == "0"
    usual = read_report(acme)
    first, last = (datetime.fromisoformat(usual[name]) for name in ("start", "end"))
    assert (last - first).days == 29


def test_it_has_the_shape_of_other_lists(gateway, door, acme):
    got = acme.get("/usage")
    assert got.headers["content-type"] == "application/json"
    assert got.headers["x-antiphon-consistency"] == "eventual"
    assert got.headers["cache-control"] == "no-store"
    assert got.json()["object"] == "list"
    assert httpx.get(f"{gateway.base(door)}/usage", trust_env=False).status_code == 401


@pytest.mark.parametrize(
    ("query", "param", "code"),
    [
        ("start=soon", "start", "invalid_value"),
        ("start=2026-02-30", "start", "invalid_value"),
        ("start=20261122", "start", "invalid_value"),
        ("start=", "start", "invalid_value"),
        ("end=-1", "end", "invalid_value"),
        ("end=99999999999999999999", "end", "invalid_value"),
        ("end=999999999999999999", "end", "invalid_value"),
        ("start=2026-01-02&end=2026-01-01", "start", "invalid_value"),
        ("start=2999-01-01", "start", "invalid_value"),
        ("start=2025-01-01&end=2026-01-02", "start", "invalid_value"),
        ("start=2026-01-01&start=2026-01-02", "start", "invalid_value"),
        ("by=colour", "by", "invalid_value"),
        ("by=day,", "by", "invalid_value"),
        ("by=", "by", "invalid_value"),
        ("limit=5", "limit", "unknown_parameter"),
        ("tenant=umbra", "tenant", "unknown_parameter"),
        ("metadata[a]=b", "metadata[key]", "unknown_parameter"),
    ],
)
def test_a_wrong_parameter_is_refused_by_its_name(client, query, param, code):
    got = client.get(f"/usage?{query}")
    error = got.json()["error"]
    assert (got.status_code, error["param"], error["code"]) == (400, param, code)


@pytest.mark.parametrize("query", ["by=day&by=model", "by[]=day&by[]=model", "by=day, model"])
def test_parts_may_be_repeated_or_parted_by_commas(acme, query):
    got = acme.get(f"/usage?{query}&api-version=preview&API-Version=v1")
    assert got.status_code == 200


def test_what_is_stored_is_reported_for_the_own_tenant_alone(gateway, door):
    file = make_link(1, kind="file", tenant="archivist", details={"bytes": 3}, expires_at=NEVER)
    store = make_link(2, kind="vector_store", tenant="archivist", expires_at=NEVER)
    container = make_link(
        3, kind="container", tenant="archivist", created_ms=time.time_ns() // 10**6
    )
    for link in (file, store, container):
        gateway.put(link_row(link))
    with gateway.client(door, "archivist") as client:
        found = wait_for(lambda: read_report(client), lambda r: r["storage"]["containers"])
    assert found["storage"] == {"files": 1, "file_bytes": 3, "vector_stores": 1, "containers": 1}
    assert found["total"]["estimated_container_minutes"] == 20
    with gateway.client(door, "newcomer") as newcomer:
        assert set(read_report(newcomer)["storage"].values()) == {0}


def test_the_usual_days_end_today(acme):
    assert read_report(acme)["end"] in days_around_now()
