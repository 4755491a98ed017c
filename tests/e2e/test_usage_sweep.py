"""After the sweep: whatever became of the responses, the sums equal the sum of their parts."""

import secrets
from collections import Counter
from decimal import Decimal

import pytest

from antiphon.store.keys import key_row
from infra.local import instance_file
from tests.support.commands import EMPTY_ENVIRONMENT, run_antiphon
from tests.support.concurrency import wait_for
from tests.support.gateway import instance_folder

MODELS = (
    "sim-text",
    "sim-function-call",
    "sim-reasoning",
    "sim-incomplete",
    "sim-failed",
    "sim-reset-mid-delta",
    "sim-error-nested",
    "sim-queued-first",
    "sim-429",
)
TENANT = "swept"
FINAL = {"completed", "failed", "incomplete", "cancelled"}


@pytest.fixture(scope="module")
def here(played):
    """A client of a tenant of its own, and the environment in which commands find the gateway."""
    key = f"sk-{secrets.token_hex(16)}"
    played.put(key_row(key, TENANT))
    notes = str(instance_folder(played.watch.log))
    with played.client() as client:
        client.headers["authorization"] = f"Bearer {key}"
        yield client, {**EMPTY_ENVIRONMENT, instance_file.FOLDER_VARIABLE: notes}


@pytest.fixture(scope="module")
def swept(here):
    """All kinds of calls, made and settled; the links they left."""
    client, _ = here
    for model in MODELS:
        for ask in ({"metadata": {"a": "b"}}, {"stream": True}, {"background": True}):
            client.post("/responses", json={"model": model, "input": "Salve!", **ask})
    links = wait_for(
        lambda: every_link(client), lambda links: {link["status"] for link in links} <= FINAL
    )
    wait_for(
        lambda: client.get("/usage").json()["total"]["requests"],
        lambda requests: requests >= len(links),
    )
    return links


def every_link(client):
    page = client.get("/responses", params={"limit": 100}).json()
    assert not page["has_more"]
    return page["data"]


def expected(links):
    """What the parts come to, added up by hand."""
    counts, cost = Counter(requests=len(links)), Decimal(0)
    for link in links:
        counts[link["status"]] += 1
        used = link["usage"]
        if used is None:
            counts["unmetered"] += 1
            continue
        cached = used["input_tokens_details"]["cached_tokens"]
        counts["input_tokens"] += used["input_tokens"]
        counts["cached_tokens"] += cached
        counts["output_tokens"] += used["output_tokens"]
        counts["reasoning_tokens"] += used["output_tokens_details"]["reasoning_tokens"]
        counts["total_tokens"] += used["total_tokens"]
        fresh = used["input_tokens"] - cached
        million = fresh * Decimal("1.5") + cached * Decimal("0.5") + used["output_tokens"] * 6
        cost += million / 1_000_000
    return {**{n: v for n, v in counts.items() if v}, "cost_usd": format(cost.normalize(), "f")}


def without_zeros(counts):
    return {name: number for name, number in counts.items() if number}


def test_the_sums_equal_the_sum_of_the_parts(here, swept):
    client, _ = here
    assert {link["status"] for link in swept} >= {"completed", "failed", "incomplete"}
    for by in ("model", "day,model,target,key"):
        report = client.get("/usage", params={"by": by}).json()
        assert without_zeros(report["total"]) == expected(swept)
    for each in client.get("/usage?by=model").json()["data"]:
        parts = [link for link in swept if link["model"] == each["model"]]
        place = ("object", "day", "model", "target", "key_id")
        counts = {name: number for name, number in each.items() if name not in place}
        assert without_zeros(counts) == expected(parts)


def test_refused_calls_are_no_requests(swept):
    assert "sim-429" not in {link["model"] for link in swept}


def test_the_command_tells_the_same(here, swept):
    _, env = here
    report = run_antiphon("usage", "--local", "--by", "tenant", "--json", env=env).json
    assert (report["deployment"], report["tenant"]) == ("local", None)
    [own] = [each for each in report["data"] if each["tenant"] == TENANT]
    assert {name: own[name] for name in expected(swept)} == expected(swept)
    assert report["total"]["requests"] == sum(each["requests"] for each in report["data"])
    alone = run_antiphon(
        "usage", "--local", "--tenant", TENANT, "--by", "day", "--json", env=env
    ).json
    assert without_zeros(alone["total"]) == expected(swept)
    nobody = run_antiphon("usage", "--local", "--tenant", "nobody", "--json", env=env).json
    assert nobody["data"] == []


def test_the_command_draws_them(here, swept):
    _, env = here
    done = run_antiphon("usage", "--local", "--tenant", TENANT, "--since", "1d", env=env)
    models = [line.split()[0] for line in done.out.splitlines() if line.startswith("sim-")]
    assert sorted(models) == sorted({link["model"] for link in swept})
    assert "█" in done.out
    assert f"{len(swept):,}" in done.out
