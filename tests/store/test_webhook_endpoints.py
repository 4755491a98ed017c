"""The row with a tenant's webhook endpoints: its limit, and changes at the same time."""

from dataclasses import replace

import pytest

from antiphon.errors import StorageLimitReached, Unavailable
from antiphon.store.webhook_endpoints import MAX_ATTEMPTS, MAX_PAUSE_SECONDS, WebhookEndpoints
from tests.support.concurrency import run_at_once
from tests.support.events import new_id
from tests.support.receiver import make_endpoint

ENDPOINT = make_endpoint()


@pytest.fixture
def endpoints(cloud):
    return WebhookEndpoints(cloud.table, 2)


def rename(name):
    return lambda endpoint: replace(endpoint, name=name)


def test_a_tenant_has_no_more_than_it_may_have(endpoints):
    for id in ("wh_1", "wh_2"):
        endpoints.add("acme", replace(ENDPOINT, id=id))
    with pytest.raises(StorageLimitReached, match="has 2 webhook endpoints"):
        endpoints.add("acme", replace(ENDPOINT, id="wh_3"))
    endpoints.add("umbra", ENDPOINT)
    endpoints.remove("acme", "wh_1")
    endpoints.add("acme", replace(ENDPOINT, id="wh_3"))
    assert [each.id for each in endpoints.read("acme")] == ["wh_3", "wh_2"]


def test_a_change_that_another_one_overtakes_is_made_after_it(endpoints):
    endpoints.add("acme", ENDPOINT)
    overtaken = []

    def change(endpoint):
        if not overtaken:
            overtaken.append(endpoints.add("acme", replace(ENDPOINT, id="wh_2")))
        return replace(endpoint, name="changed")

    changed = endpoints.change("acme", "wh_1", change)
    assert changed.name == "changed"
    assert {each.id: each.name for each in endpoints.read("acme")} == {
        "wh_1": "changed",
        "wh_2": "n",
    }


def test_a_change_that_is_always_overtaken_is_an_error(endpoints):
    names, pauses = iter(range(100)), []
    endpoints = replace(endpoints, sleep=pauses.append)
    endpoints.add("acme", ENDPOINT)

    def change(endpoint):
        endpoints.change("acme", "wh_1", rename(f"other {next(names)}"))
        return replace(endpoint, name="changed")

    with pytest.raises(Unavailable, match="Try again"):
        endpoints.change("acme", "wh_1", change)
    assert len(pauses) == MAX_ATTEMPTS - 1
    assert max(pauses) <= MAX_PAUSE_SECONDS


def test_twenty_changes_at_once_are_all_made(cloud):
    endpoints = WebhookEndpoints(cloud.table, 20)
    run_at_once(lambda: endpoints.add("acme", replace(ENDPOINT, id=new_id("wh"))), threads=20)
    assert len({each.id for each in endpoints.read("acme")}) == 20


def test_what_does_not_exist_is_not_changed_and_its_row_not_made(endpoints, cloud):
    assert endpoints.change("acme", "wh_1", rename("x")) is None
    endpoints.remove("acme", "wh_1")
    assert cloud.table.get("T#acme#W", "ENDPOINTS") is None
