"""Whatever a caller sends, the gateway answers well: no 5xx while all it depends on is healthy."""

import base64
import json

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from antiphon.schema.create import CreateResponse
from antiphon.schema.fields import Item, Tool
from infra.local.http.events import build_rest_event, build_url_event
from infra.local.http.request import HttpRequest
from tests.support.concurrency import IS_SOAK
from tests.support.handler import KEY, run_handler

EXAMPLES = settings(
    max_examples=20_000 if IS_SOAK else 200,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
PREFIXES = st.sampled_from(["/v1", "/openai/v1", "/openai", ""])
IDS = st.sampled_from(["resp_1", "conv_1", "x" * 300, "%2e%2e", "a%2Fb", "%00", "\u00e9"])
PATHS = [
    "/responses",
    "/responses/input_tokens",
    "/responses/compact",
    "/responses/{}",
    "/responses/{}/cancel",
    "/responses/{}/input_items",
    "/responses/{}/lineage",
    "/conversations",
    "/conversations/{}",
    "/conversations/{}/lineage",
    "/conversations/{}/items",
    "/conversations/{}/items/{}",
    "/models",
    "/models/{}",
    "/usage",
    "/limits",
    "/health",
    "/openapi.json",
    "/docs/{}",
    "/console",
    "/console/{}/{}",
]
METHODS = st.sampled_from(["GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS", "get", "X"])
NAMES = st.sampled_from(
    [*CreateResponse.model_fields, *Item.model_fields, *Tool.model_fields, "items", "Model", "ID"]
)
PLAUSIBLE = st.sampled_from(
    [True, 0, 5, 1e300, "m", "resp_1", "item_reference", "function", [], {}, [{"id": "msg_1"}]]
)
TEXTS = st.text(st.characters(exclude_categories=[]), max_size=20)  # lone surrogates as well
JSON = st.recursive(
    PLAUSIBLE | st.none() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | TEXTS, inner, max_size=3),
    max_leaves=8,
)
BODIES = st.dictionaries(NAMES, JSON, max_size=4).map(
    lambda more: {"model": "m", "input": "x"} | more
)
HEADERS = st.dictionaries(
    st.sampled_from(
        ["Content-Type", "OpenAI-Beta", "Idempotency-Key", "content-encoding", "session_id", "X-Codex-Turn-State", "Upgrade", "Accept", "x-other"]
    ),
    TEXTS | st.sampled_from(["identity", "application/json", "websocket", "a,b", ""]),
    max_size=4,
)  # fmt: skip
QUERIES = st.lists(
    st.sampled_from(
        ["stream=true", "limit=5", "limit=\u0665", "order=asc", "after=resp_1", "starting_after=1", "include[]=a", "metadata[a]=b", "%", "=", "a=%ff", "start=1e9", "by=day", "start=99999999999999999"]
    )
    | TEXTS,
    max_size=3,
).map("&".join)  # fmt: skip


@pytest.fixture(scope="module")
def handler(tmp_path_factory):
    with run_handler(tmp_path_factory.mktemp("handler")) as handler:
        yield handler


def event_of(kind, method, path, body=b"", headers=None, query=""):
    pairs = (("authorization", f"Bearer {KEY}"), *(headers or {}).items())
    request = HttpRequest(method, path, query, pairs, body)
    return build_url_event(request) if kind == "url" else build_rest_event(request)


def check(answer, method="POST"):
    """It is a complete HTTP response, and an error has OpenAI's envelope."""
    assert 200 <= answer.status < 500, answer.body
    assert bool(answer.body) is (answer.status != 308 and method != "HEAD")
    assert all(value.isascii() and "\n" not in value for value in answer.headers.values())
    if answer.status >= 400 and answer.body:
        error = json.loads(answer.body)["error"]
        assert set(error) == {"message", "type", "param", "code"}
        assert len(answer.body) < 10_000


POST_EVENT = {
    "method": "POST",
    "path": "/v1/responses",
    "body": b'{"model":"m","input":"x"}',
    "nulls": set(),
    "absent": False,
    "is_base64": None,
}
KINDS = pytest.mark.parametrize("kind", ["url", "rest"])
POSTS = [path for path in PATHS if path.count("/") < 3 and path[1] in "rc"]


@KINDS
@EXAMPLES
@given(body=BODIES, path=st.sampled_from(POSTS), ascii=st.booleans())
def test_any_json_is_forwarded_as_it_is_or_refused(handler, kind, body, path, ascii):
    content = json.dumps(body, ensure_ascii=ascii).encode(errors="surrogatepass")
    answer = handler(event_of(kind, "POST", f"/v1{path.format('resp_1')}", content))
    check(answer)
    if handler.received:
        renamed = content.replace(b'"max_tokens"', b'"max_output_tokens"')
        assert handler.received in ([content], [renamed])


@KINDS
@EXAMPLES
@given(body=st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_refused_or_answered(handler, kind, body):
    check(handler(event_of(kind, "POST", "/v1/responses", body)))


@KINDS
@EXAMPLES
@given(
    method=METHODS,
    path=st.builds(lambda prefix, path, id: prefix + path.replace("{}", id), PREFIXES, st.sampled_from(PATHS), IDS) | TEXTS.map("/".__add__),
    query=QUERIES,
    headers=HEADERS,
    body=st.sampled_from([b"", b"{}", b'{"model":"m","input":"x"}']),
    nulls=st.sets(st.sampled_from(["body", "headers", "multiValueHeaders", "queryStringParameters", "multiValueQueryStringParameters", "rawQueryString", "cookies", "pathParameters", "stageVariables"])),
    absent=st.booleans(),
    is_base64=st.none() | st.booleans(),
)  # fmt: skip
@example(**POST_EVENT, query="", headers={"OpenAI-Beta": "\ud800"})
@example(**POST_EVENT | {"path": "/v1/responses/\ud800"}, query="", headers={})
@example(**POST_EVENT, query="\ud800", headers={"Idempotency-Key": "k"})
def test_any_event_gets_a_response(
    handler, kind, method, path, query, headers, body, nulls, absent, is_base64
):
    event = event_of(kind, method, path, body, headers, query)
    for name in nulls & event.keys():
        if absent:
            del event[name]
        else:
            event[name] = None
    if is_base64 is not None:
        event["isBase64Encoded"] = is_base64
    check(handler(event), method)


@KINDS
@EXAMPLES
@given(body=st.binary(max_size=40).map(lambda raw: base64.b64encode(raw).decode()) | TEXTS)
@example(body="\u00e9")
def test_any_base64_is_refused_or_decoded(handler, kind, body):
    event = event_of(kind, "POST", "/v1/responses", b"{}")
    check(handler(event | {"body": body, "isBase64Encoded": True}))
