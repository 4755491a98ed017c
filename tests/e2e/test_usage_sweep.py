"""After the sweep: whatever became of the responses, the sums equal the sum of their parts."""

from collections import Counter
from decimal import Decimal

import pytest

from infra.local import instance_file
from tests.support.commands import EMPTY_ENVIRONMENT, run_antiphon
from tests.support.concurrency import wait_for
from tests.support.gateway import instance_folder, run_gateway

CONFIG = """
[targets.simulated]
provider = "openai"
models = ["sim-*"]

[prices."sim-*"]
input = 1.5
cached_input = 0.5
output = 6
"""
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
FINAL = {"completed", "failed", "incomplete", "cancelled"}


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """A gateway of its own, and the environment in which commands find it."""
    folder = tmp_path_factory.mktemp("usage")
    config, ready = folder / "gateway.toml", folder / "ready.json"
    config.write_text(CONFIG)
    with run_gateway(config, ready, "--concurrency", "2") as gateway:
        yield (
            gateway,
            {**EMPTY_ENVIRONMENT, instance_file.FOLDER_VARIABLE: str(instance_folder(ready))},
        )


@pytest.fixture(scope="module")
def swept(here):
    """All kinds of calls, made and settled; the links they left."""
    gateway, _ = here
    with gateway.client() as client:
        for model in MODELS:
            for ask in ({"metadata": {"a": "b"}}, {"stream": True}, {"background": True}):
                client.post("/responses", json={"model": model, "input": "Salve!", **ask})
        links = wait_for(
            lambda: every_link(client),
            lambda links: {link["status"] for link in links} <= FINAL,
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
    gateway, _ = here
    assert {link["status"] for link in swept} >= {"completed", "failed", "incomplete"}
    with gateway.client() as client:
        for by in ("model", "day,model,target,key"):
            report = client.get("/usage", params={"by": by}).json()
            assert without_zeros(report["total"]) == expected(swept)
        by_model = client.get("/usage?by=model").json()["data"]
    for each in by_model:
        parts = [link for link in swept if link["model"] == each["model"]]
        place = ("object", "day", "model", "target", "key_id")
        counts = {name: number for name, number in each.items() if name not in place}
        assert without_zeros(counts) == expected(parts)


def test_refused_calls_are_no_requests(swept):
    assert "sim-429" not in {link["model"] for link in swept}


def test_the_command_tells_the_same(here, swept):
    _, env = here
    report = run_antiphon("usage", "--local", "--json", env=env).json
    assert (report["deployment"], report["tenant"]) == ("local", None)
    assert without_zeros(report["total"]) == expected(swept)
    alone = run_antiphon(
        "usage", "--local", "--tenant", "acme", "--by", "day", "--json", env=env
    ).json
    assert without_zeros(alone["total"]) == expected(swept)
    nobody = run_antiphon("usage", "--local", "--tenant", "umbra", "--json", env=env).json
    assert nobody["data"] == []


def test_the_command_draws_them(here, swept):
    _, env = here
    done = run_antiphon("usage", "--local", "--since", "1d", env=env)
    models = [line.split()[0] for line in done.out.splitlines() if line.startswith("sim-")]
    assert sorted(models) == sorted({link["model"] for link in swept})
    assert "█" in done.out
    assert f"{len(swept):,}" in done.out
