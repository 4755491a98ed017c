"""Every event in events/ is sent to the API function; a table names the expected responses."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from antiphon.store.links import link_row
from infra.local.http.events import build_rest_event, build_url_event
from infra.local.http.request import HttpRequest
from tests.support.dynamodb import make_link
from tests.support.events import make_events, make_response, new_id
from tests.support.function import run_function
from tests.support.provider import encode_response, encode_stream

EVENTS = Path(__file__).parents[2] / "events"
EVENT_KINDS = ("rest", "url")
JSON = "application/json"


@dataclass(frozen=True)
class Forwarded:
    """The provider is called, and its response is passed on."""

    line: str = "POST /v1/responses HTTP/1.1"
    is_streamed: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)  # that the provider gets in addition


@dataclass(frozen=True)
class Downloaded:
    """The provider's raw bytes are passed on; the tenant owns the file."""

    id: str


@dataclass(frozen=True)
class Refused:
    """The gateway refuses the request, in OpenAI's error envelope."""

    status: int
    param: str | None = None
    code: str | None = None


@dataclass(frozen=True)
class Local:
    """The gateway answers without a provider."""

    begins: bytes


RESPONSES = {  # rest-NAME.json and url-NAME.json
    "create": Forwarded(),
    "create-streamed": Forwarded(is_streamed=True),
    "create-base64": Forwarded(),
    "create-api-key": Forwarded(),
    "create-openai-v1": Forwarded(),
    "create-azure": Forwarded(),
    "create-query": Forwarded(
        "POST /v1/responses?include%5B%5D=a%2Fb&include%5B%5D=c&beta=true HTTP/1.1"
    ),
    "create-many-headers": Forwarded(
        headers={"openai-beta": "responses_multi_agent=v1,assistants=v2"}
    ),
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
    "input-tokens": Forwarded("POST /v1/responses/input_tokens HTTP/1.1"),
    "conversation-create": Forwarded("POST /v1/conversations HTTP/1.1"),
    "conversation-unknown": Refused(404),
    "file-upload": Forwarded("POST /v1/files HTTP/1.1"),
    "file-download": Downloaded("file-6f1c0ffee0ddf00d"),
    "models": Local(
        b'{"object": "list", "data": '
        b'[{"id": "gpt-5", "object": "model", "created": 0, "owned_by": "openai"}]}'
    ),
    "usage": Local(
        b'{"object":"list","start":"2025-01-01","end":"2025-01-31","data":[],"total":{"requests":0,'
        b'"completed":0,"failed":0,"incomplete":0,"cancelled":0,"unknown":0,"unmetered":0,'
        b'"unpriced":0,"input_tokens":0,"cached_tokens":0,"cache_write_tokens":0,"output_tokens":0,'
        b'"reasoning_tokens":0,"total_tokens":0,"cost_usd":"0","estimated_container_minutes":0},'
        b'"storage":{"files":'  # what other tests have stored is counted here
    ),
    "webhook-old": Refused(401, code="invalid_webhook_signature"),
    "health": Local(b'{"status":"ok"}'),
    "unknown-path": Refused(404, None, "endpoint_not_served"),
    "root": Refused(404, None, "endpoint_not_served"),
}
TABLE = {
    f"{kind}-{name}.json": response for kind in EVENT_KINDS for name, response in RESPONSES.items()
}


def names_of(expected):
    return [name for name, response in TABLE.items() if isinstance(response, expected)]


@pytest.fixture(scope="module")
def invoke(gateway, _provider, tmp_path_factory):
    """Invokes a function with one target, which is the scripted provider."""
    folder = tmp_path_factory.mktemp("function")
    target = {"provider": "openai", "base_url": f"{_provider.address}/v1", "models": ["gpt-5"]}
    target["receives_webhooks"] = True
    config = folder / "gateway.json"
    config.write_text(json.dumps({"targets": {"openai": target}}))
    with run_function(gateway.aws_endpoint, config, folder / "log") as invoke:
        yield invoke


def send_event(invoke, name):
    """The response; checks what all responses have in common."""
    response = invoke((EVENTS / name).read_bytes())
    assert response.headers["x-antiphon-request-id"] == response.id
    assert response.headers["content-type"].split(";")[0] in {JSON, "text/event-stream"}
    return response


def body_of(name):
    event = json.loads((EVENTS / name).read_bytes())
    return base64.b64decode(event["body"]) if event["isBase64Encoded"] else event["body"].encode()


def test_the_table_has_a_row_for_each_event():
    assert {path.name for path in EVENTS.iterdir()} == set(TABLE)


@pytest.mark.parametrize("name", names_of(Forwarded))
def test_a_request_and_its_response_are_passed_on(invoke, provider, name):
    expected = TABLE[name]
    events, body = make_events(new_id()), json.dumps(make_response(new_id())).encode()
    provider.respond_with(encode_stream(*events) if expected.is_streamed else encode_response(body))
    response = send_event(invoke, name)
    assert (response.status, response.body) == (
        200,
        b"".join(events) if expected.is_streamed else body,
    )
    content_type = "text/event-stream; charset=utf-8" if expected.is_streamed else JSON
    assert response.headers == {
        "cache-control": "no-store",
        "content-type": content_type,
        "x-antiphon-attempts": "1",
        "x-antiphon-request-id": response.id,
        "x-antiphon-target": "openai",
        "x-request-id": "req_of_provider",
    }
    (received,) = provider.received
    assert (received.line, received.body) == (expected.line, body_of(name))
    assert received.headers["authorization"] == "Bearer credential-of-openai"
    assert expected.headers.items() <= received.headers.items()
    private = ("cookie", "x-forwarded", "x-amzn", "x-stainless", "api-key")
    assert not [header for header in received.headers if header.startswith(private)]


@pytest.mark.parametrize("name", names_of(Downloaded))
def test_a_file_is_passed_on_as_raw_bytes(invoke, gateway, provider, name):
    id = TABLE[name].id
    gateway.put(link_row(make_link(kind="file", id=id)))
    content, disposition = bytes(range(256)), 'attachment; filename="a.pdf"'
    headers = {"content-disposition": disposition}
    provider.respond_with(encode_response(content, kind="application/pdf", **headers))
    response = invoke((EVENTS / name).read_bytes())
    assert (response.status, response.body) == (200, content)
    assert response.headers["content-type"] == "application/pdf"
    assert response.headers["content-disposition"] == disposition
    (received,) = provider.received
    assert received.line == f"GET /v1/files/{id}/content HTTP/1.1"
    assert received.headers["accept"] == "application/binary"


@pytest.mark.parametrize("name", names_of(Refused))
def test_a_refusal_has_status_param_and_code(invoke, provider, name):
    expected = TABLE[name]
    response = send_event(invoke, name)
    error = json.loads(response.body)["error"]
    assert (response.status, error["param"], error["code"]) == (
        expected.status,
        expected.param,
        expected.code,
    )
    assert error["type"] == "invalid_request_error"
    assert error["message"]
    assert response.headers["content-type"] == JSON
    assert response.headers["x-request-id"] == response.id
    assert provider.received == []


@pytest.mark.parametrize("name", names_of(Local))
def test_the_gateway_answers_without_a_provider(invoke, provider, name):
    response = send_event(invoke, name)
    assert response.status == 200
    assert response.body.startswith(TABLE[name].begins)
    assert provider.received == []


def test_events_of_the_local_gateway_have_only_keys_of_real_events():
    """Compares them with the events in events/, which have the keys of AWS."""
    headers = (("host", "h"), ("cookie", "a=b"))
    call = HttpRequest("POST", "/v1/responses", "a=b", headers, b"{}")
    for kind, local in (("url", build_url_event(call)), ("rest", build_rest_event(call))):
        real = [json.loads(path.read_bytes()) for path in EVENTS.glob(f"{kind}-*")]
        assert keys_of(local) <= set().union(*map(keys_of, real))


def keys_of(event):
    """All keys of an event whose names AWS defines."""
    context = event["requestContext"]
    nested = {part: context[part] for part in ("http", "identity") if part in context}
    return {*event, *context, *(f"{part}.{key}" for part in nested for key in nested[part])}
