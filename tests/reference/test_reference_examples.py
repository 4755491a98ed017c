"""Examples hold what the schemas beside them say, and so do the gateway's real answers."""

import json

import pytest

from antiphon.schema import webhooks
from antiphon.schema.create import CreateResponse
from antiphon.schema.other_bodies import (
    Compact,
    CreateBatch,
    CreateConversation,
    CreateItems,
    InputTokens,
    UpdateConversation,
)
from infra.reference import resource_bodies
from infra.reference.document import PATH
from tests.support.concurrency import wait_for
from tests.support.events import parse_events
from tests.support.lazy import LazyModule

DOCUMENT = json.loads(PATH.read_text("utf-8"))
jsonschema = LazyModule("jsonschema")
PARSERS = {
    parser.__name__: parser
    for parser in (
        Compact,
        CreateBatch,
        CreateConversation,
        CreateItems,
        CreateResponse,
        InputTokens,
        UpdateConversation,
        webhooks.CreateWebhookEndpoint,
        webhooks.RotateWebhookSecret,
        webhooks.TestWebhookEndpoint,
        webhooks.UpdateWebhookEndpoint,
    )
}


def check(schema, value):
    parts = {"components": DOCUMENT["components"]}  # which references point into
    jsonschema.Draft202012Validator({**schema, **parts}).validate(value)


def media(node=DOCUMENT):
    """Everything in the document that has a schema and examples of it."""
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    if isinstance(node, dict) and "schema" in node and ("examples" in node or "example" in node):
        yield node
    for child in inner:
        yield from media(child)


def answer_schema(method, path, kind="application/json"):
    return DOCUMENT["paths"][path][method]["responses"]["200"]["content"][kind]["schema"]


def test_every_example_fits_its_schema():
    seen = 0
    for media_type in media():
        values = [example["value"] for example in media_type.get("examples", {}).values()]
        for value in [*values, *([media_type["example"]] if "example" in media_type else [])]:
            check(media_type["schema"], value)
            seen += 1
    assert seen > 60


@pytest.mark.parametrize("path", ["/responses/{id}/input_items", "/conversations/{id}/items"])
def test_an_empty_list_fits_its_schema(path):
    empty = {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}
    check(answer_schema("get", path), empty)


def test_examples_inside_of_schemas_fit_them():
    fields = (s.get("properties", {}).values() for s in DOCUMENT["components"]["schemas"].values())
    pairs = [
        (schema, value) for row in fields for schema in row for value in schema.get("examples", ())
    ]
    assert len(pairs) > 40
    for schema, value in pairs:
        check(schema, value)


def test_the_validating_models_take_every_body():
    seen = set()
    for item in DOCUMENT["paths"].values():
        for operation in item.values():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            name = content["schema"]["$ref"].rpartition("/")[2] if content else None
            if name is None or hasattr(resource_bodies, name):  # the gateway does not check these
                continue
            seen.add(name)
            for example in content["examples"].values():
                PARSERS[name].parse(json.dumps(example["value"]).encode())
    assert seen == set(PARSERS)


def test_streams_in_examples_are_streams():
    content = DOCUMENT["paths"]["/responses"]["post"]["responses"]["200"]["content"]
    endings = {}
    for name, example in content["text/event-stream"]["examples"].items():
        events = parse_events(example["value"].encode())
        for event in events:
            check(known_event(), event)
        endings[name] = [event["type"] for event in events][-2:]
    assert endings["Completed"][-1] == "response.completed"
    assert endings["Failed"] == ["error", "response.failed"]


def known_event():
    """Any event but one that is newer than the document."""
    shapes = DOCUMENT["components"]["schemas"]["StreamEvent"]["anyOf"]
    return {"anyOf": [shape for shape in shapes if not shape["$ref"].endswith("/NewerEvent")]}


@pytest.fixture
def client(simulated, door):
    with simulated.client(door) as client:
        yield client


@pytest.fixture
def created(client):
    ask = {"model": "sim-text", "input": "Salve!", "metadata": {"team": "search"}}
    answer = client.post("responses", json=ask)
    assert answer.status_code == 200
    return answer


def test_a_real_response_is_what_the_document_says(created, client):
    check(answer_schema("post", "/responses"), created.json())
    again = client.get(f"responses/{created.json()['id']}")
    check(answer_schema("get", "/responses/{id}"), again.json())


def test_every_member_of_a_real_response_is_documented(created):
    assert set(created.json()) <= set(DOCUMENT["components"]["schemas"]["Response"]["properties"])


def test_a_real_stream_is_what_the_document_says(client):
    ask = {"model": "sim-text", "input": "Salve!", "stream": True}
    events = parse_events(client.post("responses", json=ask).content)
    assert events[-1]["type"] == "response.completed"
    for event in events:
        check(known_event(), event)


def test_real_lists_are_what_the_document_says(created, client):
    id = created.json()["id"]
    for path in ("/responses", "/responses/{id}/lineage", "/responses/{id}/input_items", "/models"):
        answer = client.get(path.format(id=id))
        assert answer.status_code == 200
        assert answer.json()["data"]
        check(answer_schema("get", path), answer.json())


def test_a_real_report_of_usage_is_what_the_document_says(created, client):
    def read_report():
        report = client.get("usage").json()
        check(answer_schema("get", "/usage"), report)
        return report

    model = created.json()["model"]
    wait_for(read_report, lambda report: model in [each["model"] for each in report["data"]])


def test_a_real_conversation_is_what_the_document_says(client):
    start = {"items": [{"role": "user", "content": "Salve!"}], "metadata": {"team": "search"}}
    made = client.post("conversations", json=start)
    id = made.json()["id"]
    check(answer_schema("post", "/conversations"), made.json())
    items = client.get(f"conversations/{id}/items")
    check(answer_schema("get", "/conversations/{id}/items"), items.json())
    check(answer_schema("get", "/conversations"), client.get("conversations").json())
    gone = client.delete(f"conversations/{id}")
    check(answer_schema("delete", "/conversations/{id}"), gone.json())


@pytest.mark.parametrize(
    ("path", "documented"),
    [
        ("nowhere", None),
        ("models/nothing", "/models/{model}"),
        ("responses/resp_nobody", "/responses/{id}"),
        ("responses/resp_nobody/input_items", "/responses/{id}/input_items"),
        ("responses/resp_nobody/lineage", "/responses/{id}/lineage"),
        ("responses?after=resp_nobody", "/responses"),
        ("conversations?after=conv_nobody", "/conversations"),
        ("conversations/conv_nobody", "/conversations/{id}"),
        ("conversations/conv_nobody/items", "/conversations/{id}/items"),
    ],
)
def test_a_real_refusal_is_what_the_document_says(client, path, documented):
    answer = client.get(path)
    assert answer.status_code == 404
    check({"$ref": "#/components/schemas/Error"}, answer.json())
    assert documented is None or "404" in DOCUMENT["paths"][documented]["get"]["responses"]
