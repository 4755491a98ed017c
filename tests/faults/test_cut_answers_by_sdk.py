"""The SDKs that users have never take a cut stream for a whole one."""

import asyncio
import json
import random
import subprocess
import sys
from pathlib import Path

import openai
import pytest

from infra.bundle import _find_uv
from tests.clients.node_worker import run_node
from tests.clients.sdk import opened
from tests.clients.text_events import make_text_events
from tests.faults.cuts import ENDINGS, FRAMINGS, STREAM, make_cuts, respond_with_cuts
from tests.support.concurrency import IS_SOAK
from tests.support.events import new_id
from tests.support.gateway import KEYS

WAYS = ("streamed", "helped")  # raw iteration, and the helper
AT_ONCE = 4
MOST = 60 if IS_SOAK else 4  # cuts for each framing and ending, the whole answer among them
OLD_VERSIONS = ("1.66.5", "1.109.1", "2.0.0")  # 3.54.0 is locked
OLD_READER = Path(__file__).parent / "read_by_old_sdk.py"
QUICK_ENDINGS = [name for name in ENDINGS if name != "silence"]
EVENTS = [event.split(b"\n")[0].removeprefix(b"event: ").decode() for event in make_text_events("")]


def make_all_cuts(framings=FRAMINGS, endings=ENDINGS, ways=WAYS):
    """An id for each cut and each way to read it."""
    cuts = [
        cut
        for framing in framings
        for ending in endings
        for cut in sample(make_cuts(framing, ending, make_text_events(new_id()), STREAM))
    ]
    return {new_id(): (cut, way) for cut in cuts for way in ways}


def sample(cuts):
    return [*random.sample(cuts[:-1], min(MOST, len(cuts)) - 1), cuts[-1]]


def check(cut, types, error):
    """The provider's events, all of them or some and an error of OpenAI's kind behind them."""
    seen = [type for type in types if type.startswith("response.")]
    assert seen == EVENTS[: len(seen)], cut
    assert (error is None) == (seen == EVENTS), cut


async def read(sdk, way, id):
    """The types of the events that came and the error that was raised."""
    types = []
    try:
        async for event in getattr(sdk, way)(model="gpt-5", input=id):
            types.append(event.type)  # noqa: PERF401  what came before the error counts
    except openai.APIError as exc:
        return types, exc
    return types, None


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("flavour", "endings"), [("sync", QUICK_ENDINGS), ("async", ENDINGS)])
async def test_openai_python_raises(impatient, provider, flavour, endings):
    ids = make_all_cuts(endings=endings)
    respond_with_cuts(provider, {id: cut for id, (cut, _) in ids.items()}, make_text_events, STREAM)
    free = asyncio.Semaphore(AT_ONCE)
    async with opened(flavour, base_url=impatient.url, api_key=KEYS["acme"]) as sdk:

        async def read_one(id, way):
            async with free:
                return await read(sdk, way, id)

        found = await asyncio.gather(*(read_one(id, way) for id, (_, way) in ids.items()))
    for (cut, _), (types, error) in zip(ids.values(), found, strict=True):
        check(cut, helper_free(types), error)
    assert len(provider.received) == len(ids)


def helper_free(types):
    """Without the events that the helper adds to the provider's."""
    return [type for type in types if type in EVENTS]


@pytest.mark.timeout(1800)
def test_openai_node_raises(impatient, provider, tmp_path):
    cuts = [cut for cut, _ in make_all_cuts(endings=QUICK_ENDINGS, ways=WAYS[:1]).values()]
    for cut in cuts:
        for _ in WAYS:
            provider.respond_with(*cut.script(make_text_events(new_id()), STREAM))
    with run_node(tmp_path / "stderr") as run:
        seen = run(impatient.url, "breaks", str(len(cuts)))
    for cut, got in zip(cuts, seen, strict=True):
        for way in ("raw", "helped"):
            check(cut, got[way]["types"], got[way]["error"])
        assert got["rejected"] == (got["raw"]["types"] != EVENTS), cut
    assert len(provider.received) == len(cuts) * len(WAYS)


@pytest.mark.skipif(not IS_SOAK, reason="installs older SDKs from PyPI: `make soak`")
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("version", OLD_VERSIONS)
def test_older_openai_python_raises_too(impatient, provider, version):
    ids = make_all_cuts(endings=QUICK_ENDINGS)
    respond_with_cuts(provider, {id: cut for id, (cut, _) in ids.items()}, make_text_events, STREAM)
    command = [_find_uv(), "run", "--no-project", "--isolated", "--python", sys.executable]
    done = subprocess.run(
        [
            *command,
            "--with",
            f"openai=={version}",
            "python",
            OLD_READER,
            impatient.url,
            KEYS["acme"],
        ],
        input=json.dumps([(id, way) for id, (_, way) in ids.items()]),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    answers = json.loads(done.stdout)
    for (cut, _), (types, error) in zip(ids.values(), answers, strict=True):
        check(cut, helper_free(types), error)
