"""The document: what is checked in is what the models say, and it says all there is."""

import inspect
import json
import re
from collections import Counter
from pathlib import Path
from typing import get_args

import pytest
from click.testing import CliRunner
from openai.types.responses import ResponseStreamEvent

from antiphon import errors, wiring
from antiphon.api.handler import ANY_PREFIX
from antiphon.errors import GatewayError
from antiphon.http_events import PREFIXES
from antiphon.schema import validation_errors
from infra.reference import streams
from infra.reference.__main__ import main
from infra.reference.document import PATH, SERVERS, build_text
from tests.support.lazy import LazyModule

openapi = LazyModule("openapi_spec_validator")

FUNCTIONS = Path(__file__).parents[2] / "functions"
CONFIG = FUNCTIONS.parent / "gateway.toml"
PARAMETER = re.compile(r"<\w+>|\{\w+\}")
CODE = re.compile(r'\bcode: ?str[^=]*= "(\w+)"|\bcode ?= ?"(\w+)"')
DOCUMENT = json.loads(PATH.read_text("utf-8"))
RESPONSES = DOCUMENT["components"]["responses"].values()
OPERATIONS = [
    (method.upper(), path, operation)
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
]
CLASSES = [
    cls for _, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, GatewayError)
]


def examples():
    """Every error that the document has as an example."""
    return [
        example["value"]["error"]
        for response in RESPONSES
        for example in response["content"]["application/json"].get("examples", {}).values()
    ]


@pytest.fixture
def registered(monkeypatch):
    """(method, path) of every route of the gateway, as far as it answers below /v1."""
    for name in ("AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "us-east-1")
    places = {"TABLE_NAME": "t", "QUEUE_URL": "http://127.0.0.1/q"}
    door = wiring.api({**places, "CONFIG_FILE": str(CONFIG)})
    resolver = door.handler._rest
    routes = [*resolver._static_routes, *resolver._dynamic_routes]
    below = [
        (route.method, route.path) for route in routes if route.path.startswith(f"{ANY_PREFIX}/")
    ]
    assert below
    return {(method, named(path.removeprefix(ANY_PREFIX))) for method, path in below}


def named(path):
    """Without the names of parameters, which the document may choose."""
    return PARAMETER.sub("{}", path)


@pytest.fixture(scope="module")
def text():
    return build_text()


def test_the_checked_in_document_is_what_the_models_say(text):
    assert PATH.read_text("utf-8") == text, "Run `python -m infra.reference`."


def test_a_difference_is_reported(tmp_path, monkeypatch, text):
    place = tmp_path / "openapi.json"
    place.write_text(text.replace("Create a response", "Make a response"))
    monkeypatch.setattr("infra.reference.__main__.PATH", place)
    drifted = CliRunner().invoke(main, ["--check"])
    assert drifted.exit_code == 1
    assert '-        "summary": "Make a response",' in drifted.output
    assert CliRunner().invoke(main, []).exit_code == 0
    assert CliRunner().invoke(main, ["--check"]).exit_code == 0


def test_an_independent_validator_accepts_it():
    openapi.validate(DOCUMENT, cls=openapi.OpenAPIV31SpecValidator)


def test_every_schema_is_used(text):
    names = DOCUMENT["components"]["schemas"]
    assert names
    assert [name for name in names if f'"#/components/schemas/{name}"' not in text] == []


def test_no_two_schemas_are_equal():
    schemas = Counter(map(json.dumps, DOCUMENT["components"]["schemas"].values()))
    assert [schema for schema, number in schemas.items() if number > 1] == []


def test_every_route_is_documented(registered):
    own = {("GET", f"/{page}{path}") for page in ("docs", "console") for path in ("/", "/{}/{}")}
    assert registered - own <= {(method, named(path)) for method, path, _ in OPERATIONS}


def test_everything_documented_has_a_route(registered):
    assert {(method, named(path)) for method, path, _ in OPERATIONS} <= registered


def test_every_prefix_is_a_server():
    assert [f".{prefix}" for prefix in PREFIXES] == list(SERVERS)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_refusal_stands_under_its_status(cls):
    name = next(
        name
        for name, response in DOCUMENT["components"]["responses"].items()
        if cls.__name__ in response["content"]["application/json"].get("examples", {})
    )
    response = DOCUMENT["components"]["responses"][name]
    error = response["content"]["application/json"]["examples"][cls.__name__]["value"]["error"]
    assert (error["type"], error["code"]) == (cls.type, cls.code)
    of_status = [
        operation["responses"][str(cls.status)]["$ref"].rpartition("/")[2]
        for _, _, operation in OPERATIONS
        if str(cls.status) in operation["responses"]
    ]
    assert set(of_status) <= {name}


def test_every_code_in_the_source_is_documented():
    sources = (path.read_text("utf-8") for path in (FUNCTIONS / "antiphon").rglob("*.py"))
    codes = {a or b for source in sources for a, b in CODE.findall(source)}
    documented = {error["code"] for error in examples()}
    assert {"invalid_json", "upstream_auth"} <= codes
    assert (codes | set(validation_errors.CODES.values())) <= documented


def test_every_event_of_openai_s_client_is_documented():
    (union, *_) = get_args(ResponseStreamEvent)
    known = {event.model_fields["type"].annotation for event in get_args(union)}
    types = {name for literal in known for name in get_args(literal)}
    assert len(types) > 50
    assert types - set(streams.types()) == set()


@pytest.mark.parametrize(
    "operation", [row[2] for row in OPERATIONS], ids=lambda o: o["operationId"]
)
def test_every_operation_is_described(operation):
    assert operation["summary"]
    assert operation["description"].endswith(".")
    for parameter in operation.get("parameters", ()):
        assert parameter.get("$ref") or parameter["description"]


def test_operations_have_names_of_their_own():
    names = [operation["operationId"] for *_, operation in OPERATIONS]
    assert len(names) == len(set(names)) == 85


@pytest.mark.parametrize(
    "name", ["CreateResponse", "InputTokens", "Compact", "CreateConversation", "CreateItems"]
)
def test_every_field_that_is_sent_is_described(name):
    fields = DOCUMENT["components"]["schemas"][name]["properties"]
    assert [field for field, schema in fields.items() if not schema.get("description")] == []


def test_ranges_and_defaults_are_documented():
    fields = DOCUMENT["components"]["schemas"]["CreateResponse"]["properties"]
    temperature, logprobs = fields["temperature"], fields["top_logprobs"]
    assert (temperature["minimum"], temperature["maximum"], temperature["default"]) == (0, 2, 1)
    assert (logprobs["minimum"], logprobs["maximum"]) == (0, 20)
    assert fields["metadata"]["maxProperties"] == 16
    assert fields["metadata"]["propertyNames"]["maxLength"] == 64


def test_unknown_keys_pass():
    schemas = DOCUMENT["components"]["schemas"]
    passing = (
        "CreateResponse",
        "Item",
        "Tool",
        "Response",
        "ResponseOutputMessage",
        "Conversation",
    )
    assert all(schemas[name]["additionalProperties"] is True for name in passing)


def test_what_openai_does_not_have_is_marked():
    ours = {o["operationId"] for *_, o in OPERATIONS if o.get("x-antiphon-extension")}
    assert ours == {
        "getConsole",
        "getConversationLineage",
        "getHealth",
        "getLimits",
        "getLineage",
        "getReference",
        "getReferencePage",
        "getUsage",
        "listConversations",
        "listResponses",
        "listWebhookDeliveries",
    }
    headers = DOCUMENT["components"]["headers"]
    assert all("x-antiphon-extension" in headers[n] for n in headers if n.startswith("x-antiphon"))
    fields = DOCUMENT["components"]["schemas"]["CreateResponse"]["properties"]
    assert fields["max_tokens"]["x-antiphon-extension"] is True


def test_a_create_can_be_streamed():
    create = DOCUMENT["paths"]["/responses"]["post"]["responses"]["200"]["content"]
    assert set(create) == {"application/json", "text/event-stream"}
    assert create["text/event-stream"]["schema"]["x-antiphon-events"]["types"] == [*streams.types()]
