"""Every event in events/ goes through its door, and is answered as the table here says."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from infra.local import rest_event, url_event
from infra.local.call import Call
from tests.support.events import make_events, make_response, new_id
from tests.support.function import run_function
from tests.support.provider import encode_response, encode_stream

EVENTS = Path(__file__).parents[1] / "events"
DOORS = ("rest", "url")
JSON = "application/json"


@dataclass(frozen=True)
class Created:
    """The provider is asked, and its answer is passed on."""

    line: str = "POST /v1/responses HTTP/1.1"
    streams: bool = False
    sends: Mapping[str, str] = field(default_factory=dict)  # headers, beside the usual ones


@dataclass(frozen=True)
class Refused:
    """The gateway says no by itself, in OpenAI's envelope."""

    status: int
    param: str | None = None
    code: str | None = None


@dataclass(frozen=True)
class Told:
    """The gateway answers by itself."""

    body: bytes


ANSWERS = {  # rest-NAME.json and url-NAME.json
    "create": Created(),
    "create-streamed": Created(streams=True),
    "create-base64": Created(),
    "create-api-key": Created(),
    "create-openai-v1": Created(),
    "create-azure": Created(),
    "create-query": Created(
        "POST /v1/responses?include%5B%5D=a%2Fb&include%5B%5D=c&beta=true HTTP/1.1"
    ),
    "create-many-headers": Created(sends={"openai-beta": "responses_multi_agent=v1,assistants=v2"}),
    "create-unknown-parent": Refused(400, "previous_response_id", "previous_response_not_found"),
    "create-unknown-model": Refused(404, "model", "model_not_found"),
    "create-bad-json": Refused(400, "input", "invalid_json"),
    "create-no-body": Refused(400, "body", "invalid_json"),
    "create-without-key": Refused(401, code="invalid_api_key"),
    "create-wrong-key": Refused(401, code="invalid_api_key"),
    "retrieve-unknown": Refused(404),
    "resume-unknown": Refused(404),
    "delete-unknown": Refused(404),
    "cancel-unknown": Refused(404),
    "input-items-unknown": Refused(404),
    "input-tokens": Created("POST /v1/responses/input_tokens HTTP/1.1"),
    "conversation-create": Created("POST /v1/conversations HTTP/1.1"),
    "conversation-unknown": Refused(404),
    "models": Told(
        b'{"object": "list", "data": '
        b'[{"id": "gpt-5", "object": "model", "created": 0, "owned_by": "openai"}]}'
    ),
    "usage": Told(
        b'{"object":"list","start":"2025-01-01","end":"2025-01-31","data":[],"total":{"requests":0,'
        b'"completed":0,"failed":0,"incomplete":0,"cancelled":0,"unknown":0,"unmetered":0,'
        b'"unpriced":0,"input_tokens":0,"cached_tokens":0,"cache_write_tokens":0,"output_tokens":0,'
        b'"reasoning_tokens":0,"total_tokens":0,"cost_usd":"0"},"has_more":false}'
    ),
    "health": Told(b'{"status":"ok"}'),
    "unknown-path": Refused(404),
    "root": Refused(404),
}
TABLE = {f"{door}-{name}.json": answer for door in DOORS for name, answer in ANSWERS.items()}


def named(kind):
    return [name for name, answer in TABLE.items() if isinstance(answer, kind)]


@pytest.fixture(scope="module")
def function(gateway, _provider, tmp_path_factory):
    """The function with one target, which is the scripted provider."""
    folder = tmp_path_factory.mktemp("function")
    target = {"provider": "openai", "base_url": f"{_provider.address}/v1", "models": ["gpt-5"]}
    config = folder / "gateway.json"
    config.write_text(json.dumps({"targets": {"openai": target}}))
    with run_function(gateway.aws_endpoint, config, folder / "log") as asked:
        yield asked


def answered(function, name):
    """What every answer has is looked at here."""
    got = function((EVENTS / name).read_bytes())
    assert got.headers["x-antiphon-request-id"] == got.id
    assert got.headers["content-type"].split(";")[0] in {JSON, "text/event-stream"}
    return got


def sent_in(name):
    event = json.loads((EVENTS / name).read_bytes())
    return base64.b64decode(event["body"]) if event["isBase64Encoded"] else event["body"].encode()


def test_each_event_has_its_row_and_each_row_its_event():
    assert {path.name for path in EVENTS.iterdir()} == set(TABLE)


@pytest.mark.parametrize("name", named(Created))
def test_a_create_is_passed_on_and_its_answer_back(function, provider, name):
    expected = TABLE[name]
    events, body = make_events(new_id()), json.dumps(make_response(new_id())).encode()
    provider.respond_with(encode_stream(*events) if expected.streams else encode_response(body))
    got = answered(function, name)
    assert (got.status, got.body) == (200, b"".join(events) if expected.streams else body)
    kind = "text/event-stream; charset=utf-8" if expected.streams else JSON
    assert got.headers == {
        "cache-control": "no-store",
        "content-type": kind,
        "x-antiphon-attempts": "1",
        "x-antiphon-request-id": got.id,
        "x-antiphon-target": "openai",
        "x-request-id": "req_of_provider",
    }
    (asked,) = provider.received
    assert (asked.line, asked.body) == (expected.line, sent_in(name))
    assert asked.headers["authorization"] == "Bearer credential-of-openai"
    assert expected.sends.items() <= asked.headers.items()
    private = ("cookie", "x-forwarded", "x-amzn", "x-stainless", "api-key")
    assert not [header for header in asked.headers if header.startswith(private)]


@pytest.mark.parametrize("name", named(Refused))
def test_a_refusal_names_what_is_wrong(function, provider, name):
    expected = TABLE[name]
    got = answered(function, name)
    error = json.loads(got.body)["error"]
    assert (got.status, error["param"], error["code"]) == (
        expected.status,
        expected.param,
        expected.code,
    )
    assert error["type"] == "invalid_request_error"
    assert error["message"]
    assert got.headers["content-type"] == JSON
    assert got.headers["x-request-id"] == got.id
    assert provider.received == []


@pytest.mark.parametrize("name", named(Told))
def test_what_the_gateway_knows_it_tells_by_itself(function, provider, name):
    got = answered(function, name)
    assert (got.status, got.body) == (200, TABLE[name].body)
    assert provider.received == []


def test_the_doors_of_this_machine_tell_no_more_than_aws_does():
    """Their events hold no key that those of AWS, as kept here, do not hold as well."""
    headers = (("host", "h"), ("cookie", "a=b"))
    call = Call("POST", "/v1/responses", "a=b", headers, b"{}")
    kept = {
        door: [json.loads(path.read_bytes()) for path in EVENTS.glob(f"{door}-*")] for door in DOORS
    }
    for door, told in (("url", url_event.build(call)), ("rest", rest_event.build(call))):
        assert keys(told) <= set().union(*map(keys, kept[door]))


def keys(event):
    """Every key of an event that AWS gives its name."""
    context = event["requestContext"]
    nested = {part: context[part] for part in ("http", "identity") if part in context}
    return {*event, *context, *(f"{part}.{key}" for part in nested for key in nested[part])}
