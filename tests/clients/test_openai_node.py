"""openai-node through the gateway: scripts that do what its users do, and tell what they saw."""

import json
from collections import Counter
from functools import partial

import pytest

from tests.clients.node_worker import run_node
from tests.clients.text_events import make_text_events
from tests.support.events import make_event, make_response, new_id
from tests.support.provider import (
    CLOSE,
    LAST_CHUNK,
    RESET,
    encode_chunk,
    encode_response,
    encode_stream,
    encode_stream_head,
)

# What does not depend on the endpoint: the tests of openai-python use both in each case.
BY_URL = pytest.mark.parametrize("door", ["url"])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    with run_node(tmp_path_factory.mktemp("node") / "stderr") as run:
        yield run


@pytest.fixture
def node(run, gateway, door):
    """`node("create", ...)`: what tests/clients/node/create.mjs prints."""
    return partial(run, gateway.base(door))


@pytest.fixture
def played_node(run, played, door):
    return partial(run, played.base(door))


def test_answers_in_one_piece(node):
    got = node("create")
    text = "You said: one"
    assert got["first"] == {"status": "completed", "text": text, "metadata": {"team": "blue"}}
    turn = "You said: two (Turn 2; before that you said: one)"
    assert got["second"] == {"text": turn, "follows": True}
    assert (got["headers"]["target"], got["headers"]["request"]) == ("simulated", True)
    assert got["headers"]["id"]
    assert got["call"] == {"name": "get_weather", "arguments": {"city": "Oslo"}}
    assert got["answered"] == "The tool answered: snow"


def test_answers_event_by_event(node):
    got = node("stream")
    assert got["types"] == ["response.created", "response.completed"]
    assert got["numbers"] == list(range(len(got["numbers"])))
    assert got["deltas"] == got["snapshot"] == "You said: Hello"
    assert got["final"] == {"status": "completed", "text": "You said: Hello"}


@BY_URL
def test_answers_in_json(node):
    got = node("parse")
    assert got["schema"] == got["sent"]
    assert got["parsed"]["name"] == "Ada"
    assert [json.loads(text) for text in got["texts"]] == [got["parsed"]] * 2


LINES_OF_AZURE = {  # by model, of a target each
    "public": "POST /openai/v1/responses HTTP/1.1",
    "older": "POST /openai/responses?api-version=2025-04-01-preview HTTP/1.1",
    "gpt-5": "POST /v1/responses HTTP/1.1",
}


@BY_URL
def test_every_way_to_azure_leads_to_every_target(node, provider):
    for _ in range(5 * len(LINES_OF_AZURE)):
        provider.respond_with(encode_response(json.dumps(make_response(new_id())).encode()))
        provider.respond_with(encode_stream(*make_text_events(new_id())))
    answers = [["completed", "Hello you"]] * 5
    assert node("azure", *LINES_OF_AZURE) == dict.fromkeys(LINES_OF_AZURE, answers)
    lines = [line for line in LINES_OF_AZURE.values() for _ in range(10)]
    assert [got.line for got in provider.received] == lines


def test_refusals_are_raised_by_their_kind(node, provider):
    refusal = {"message": "m", "type": "t", "param": "p", "code": "c"}
    provider.respond_with(encode_response(json.dumps({"error": refusal}).encode(), 422))
    got = node("errors")
    parts = ("kind", "status", "param", "code")
    assert {name: tuple(error[part] for part in parts) for name, error in got.items()} == {
        "type": ("BadRequestError", 400, "temperature", "invalid_type"),
        "streamed": ("BadRequestError", 400, "temperature", "invalid_type"),
        "key": ("AuthenticationError", 401, None, "invalid_api_key"),
        "model": ("NotFoundError", 404, "model", "model_not_found"),
        "parent": ("BadRequestError", 400, "previous_response_id", "previous_response_not_found"),
        "provider": ("UnprocessableEntityError", 422, "p", "c"),
    }
    assert all(error["requestID"] for error in got.values())
    assert len(provider.received) == 1


HALF = encode_chunk(b'event: response.x\ndata: {"ty')
CUTS = {  # framing, and what ends the body
    "clean end": (True, (LAST_CHUNK, CLOSE)),
    "chunks closed": (True, (CLOSE,)),
    "chunks reset": (True, (RESET,)),
    "half an event": (True, (HALF, RESET)),
    "half an event, clean end": (True, (HALF, LAST_CHUNK, CLOSE)),
    "until closed": (False, (CLOSE,)),
    "until reset": (False, (RESET,)),
}
PLACES = (1, 4, -1)  # events that pass
WAYS = ("raw", "helped")  # to read a stream


def cut_at(place, name):
    chunked, ending = CUTS[name]
    passed = make_text_events(new_id())[:place]
    return (
        encode_stream_head(chunked=chunked),
        *(map(encode_chunk, passed) if chunked else passed),
        *ending,
    )


@BY_URL
def test_a_cut_stream_is_raised_in_each_way_to_read_it(node, provider):
    cuts = [(place, name) for place in PLACES for name in CUTS]
    for cut in cuts:
        for _ in WAYS:
            provider.respond_with(*cut_at(*cut))
    for cut, got in zip(cuts, node("breaks", str(len(cuts))), strict=True):
        passed = len(make_text_events("")[: cut[0]])
        assert got["rejected"], cut
        for way in WAYS:
            assert len(got[way]["types"]) == passed, cut
            assert got[way]["error"]["isApiError"], cut
            assert got[way]["error"]["code"] == "upstream_failed", cut
    assert len(provider.received) == len(WAYS) * len(cuts)


@BY_URL
def test_a_providers_own_error_is_raised_too_and_a_done_before_the_end_hides_none(node, provider):
    error = {"code": "rate_limit_exceeded", "message": "m", "param": None}
    shapes = (make_event("error", 1, error=error), make_event("error", 1, **error))
    for last in (*shapes, b"data: [DONE]\n\n"):  # as it is sent, and as it is documented
        for _ in WAYS:
            provider.respond_with(encode_stream(make_text_events(new_id())[0], last))
    *own, done = node("breaks", "3")
    for got in own:
        assert [got[way]["error"]["code"] for way in WAYS] == ["rate_limit_exceeded"] * 2
        assert got["rejected"]
    assert [done[way]["error"]["code"] for way in WAYS] == ["upstream_failed"] * 2


ATTEMPTS = {  # by status: what certainly did not start goes three times, all else once
    **dict.fromkeys(("408", "409", "429", "503"), 3),
    **dict.fromkeys(
        ("400", "401", "403", "404", "500", "501", "502", "504", "520", "524", "529"), 1
    ),
}


@BY_URL
def test_a_provider_is_called_as_often_as_it_is_safe(node, provider):
    for status, attempts in ATTEMPTS.items():
        for _ in range(attempts):
            provider.respond_with(
                encode_response(b'{"error":{"message":"m"}}', int(status), retry_after_ms="1")
            )
    got = node("retries", *ATTEMPTS)
    refused_us = {"401": 502, "403": 502}
    assert got == [refused_us.get(status, int(status)) for status in ATTEMPTS]
    assert Counter(json.loads(each.body)["input"] for each in provider.received) == ATTEMPTS


@BY_URL
def test_a_cut_before_the_answer_is_no_reason_to_ask_again(node, provider):
    cuts = {"closed": (CLOSE,), "reset": (RESET,), "behind the head": (encode_stream_head(), RESET)}
    for cut in cuts.values():
        provider.respond_with(*cut)
    assert node("retries", *cuts) == [502] * len(cuts)
    assert [json.loads(each.body)["input"] for each in provider.received] == [*cuts]


@BY_URL
def test_everything_stored_can_be_found_again(played_node):
    assert played_node("stored") == {
        "cancelled": "cancelled",
        "retrieved": True,
        "items": 4,
        "counted": True,
        "compacted": "response.compaction",
        "gone": {"kind": "NotFoundError", "status": 404},
        "item": True,
        "answered": True,
        "listed": 6,
        "updated": {"c": "d"},
        "stored": {"c": "d"},
        "left": {"kind": "NotFoundError", "status": 404},
        "models": True,
    }


def test_files_stores_and_containers(played_node):
    """Each endpoint of AWS has its own rule for which bodies are Base64."""
    assert played_node("files") == {
        "name": "Ü.txt",
        "text": "Antiphons",
        "listed": True,
        "gone": 404,
        "refused": {"status": 413, "hasCode": True},
        "bytes": 6_000_000,
        "batch": ["completed", 2],
        "found": ["b.txt"],
        "stored": 3,
        "result": "Hello",
        "container": True,
    }
