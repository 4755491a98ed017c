"""Each saved query of Logs Insights finds the fields it names in lines that the gateway writes."""

import json
import re

import pytest

from antiphon.runtime.failure import Failure
from infra.saved_queries import SAVED_QUERIES
from tests.support.events import make_event, make_events, make_response, new_id
from tests.support.provider import CLOSE, encode_chunk, encode_response, encode_stream
from tests.support.provider import encode_stream_head as head

BODY = {"model": "gpt-5", "input": "x"}
TEXT, FUNCTION, ALIAS = r'"([^"]*)"', r"\b\w+\(", r"\bas \w+"
WORDS = {"fields", "filter", "stats", "sort", "limit", "by", "and", "or", "not", "in", "as"}
WORDS |= {"asc", "desc"}


def named_fields(query):
    """The fields that a query reads, without the texts, functions and aliases in it."""
    aliases = {each.split()[1] for each in re.findall(ALIAS, query)}
    words = re.findall(r"@?[a-z_]+\w*", re.sub(f"{TEXT}|{FUNCTION}", " ", query))
    return {word for word in words if word not in WORDS | aliases and not word.startswith("@")}


def send_all(gateway, provider):
    """One request of each kind that the queries look for."""
    id, background = new_id(), new_id()
    failed = make_event("response.failed", 2, response=make_response(id, "failed"))
    for script in (
        (encode_response(json.dumps(make_response(new_id())).encode()),),
        (encode_stream(*make_events(new_id())),),
        (encode_stream(*make_events(id)[:2], failed),),
        (head(), encode_chunk(make_events(new_id())[0]), CLOSE),
        (encode_response(b"{}", 500),),
        (encode_response(json.dumps(make_response(background, "queued")).encode()),),
    ):
        provider.respond_with(*script)
    provider.respond_to_settle(
        background, encode_response(json.dumps(make_response(background)).encode())
    )
    with gateway.client() as client:
        client.post("/responses", json=BODY)
        for _ in range(3):
            client.post("/responses", json={**BODY, "stream": True})
        client.post("/responses", json=BODY)
        client.post("/responses", json={**BODY, "background": True})
        client.post("/responses", json=BODY, headers={"authorization": "Bearer sk-nobody-0123456"})
    gateway.wait_for_row(f"T#acme#R#{background}", lambda row: row["status"] == "completed")


@pytest.fixture(scope="module")
def lines(gateway, _provider):
    """What the functions of the gateway have logged while these requests were sent."""
    log = gateway.watch.log
    start = log.stat().st_size
    _provider.reset()
    send_all(gateway, _provider)
    found = log.read_bytes()[start:].decode().splitlines()
    return [json.loads(line) for line in found if line.startswith("{")]


@pytest.fixture
def crash(monkeypatch, capsys):
    """What the runtime logs of an invocation that failed."""
    monkeypatch.setenv("AWS_LAMBDA_LOG_FORMAT", "JSON")
    Failure.from_exception(ValueError("m")).log("id")
    return json.loads(capsys.readouterr().out)


def test_the_fields_of_each_saved_query_are_in_the_lines_it_reads(lines, crash):
    for query in SAVED_QUERIES:
        messages = set(re.findall(TEXT, next(s for s in query.steps if "message" in s)))
        read = [line for line in [*lines, crash] if line.get("message") in messages or not messages]
        assert named_fields(query.text) - set().union(*read) == set(), query.name
