"""The asset as it was uploaded, started through its own wrapper with nothing else in reach."""

import contextlib
import json
import subprocess
import sysconfig

import pytest

from antiphon.store import keys
from antiphon.store.dynamodb import marshal
from infra.bundle import USED
from infra.constructs.doors import DOORS
from tests.infra.emulator import Emulator, bare_python
from tests.infra.synthesis import PROJECT
from tests.support.events import make_events, make_response, new_id
from tests.support.provider import encode_response, encode_stream

EVENTS = PROJECT / "events"
KEY = "sk-acme-0123456789"  # as the events have it
PROBE = f"""
import importlib, json, sys, boto3
for door in {[door.name for door in DOORS]}:
    importlib.import_module(door)
for service in {sorted(USED["botocore/data"])}:
    boto3.client(service)
files = [getattr(module, "__file__", None) for module in sys.modules.values()]
print(json.dumps([file for file in files if file]))
"""


@pytest.fixture(scope="module")
def start(deployed, task_root, tmp_path_factory):
    """`start()`: the deployed function, with the variables that its stack gives it."""
    function = deployed.function
    given = {**function["Environment"]["Variables"], "_HANDLER": function["Handler"]}
    with contextlib.ExitStack() as started:

        def start(**env):
            folder = tmp_path_factory.mktemp("emulator")
            emulator = Emulator(folder, task_root, {**deployed.cloud.env, **given, **env})
            return started.enter_context(contextlib.closing(emulator))

        yield start


@pytest.fixture(scope="module")
def gateway(start):
    return start()


@pytest.fixture(scope="module")
def credential(deployed):
    """In the secret of the one target, as an operator puts it there, until these tests are over."""
    secrets, name = deployed.client("secretsmanager"), deployed.outputs["SecretNames"]
    before = secrets.get_secret_value(SecretId=name)["SecretString"]
    secrets.put_secret_value(SecretId=name, SecretString="credential-of-openai")
    yield
    secrets.put_secret_value(SecretId=name, SecretString=before)


@pytest.fixture(scope="module")
def scripted(start, credential, _provider, tmp_path_factory):  # noqa: ARG001  it is read there
    """The same with another configuration, whose one target is the scripted provider."""
    target = {"provider": "openai", "base_url": f"{_provider.address}/v1", "models": ["gpt-5"]}
    config = tmp_path_factory.mktemp("config") / "gateway.json"
    config.write_text(json.dumps({"targets": {"openai": target}}))
    return start(CONFIG_FILE=str(config))


@pytest.fixture(scope="module")
def key(deployed):
    item = marshal(keys.key_row(KEY, "acme"))
    deployed.client("dynamodb").put_item(TableName=deployed.outputs["TableName"], Item=item)
    return KEY


def rest(path, **headers):
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": "GET",
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": {"proxy": path[1:]},
        "stageVariables": None,
        "requestContext": {"stage": "prod", "requestId": "1", "httpMethod": "GET", "path": path},
        "body": None,
        "isBase64Encoded": False,
    }


def url(path, **headers):
    http = {"method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1"}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {"stage": "$default", "requestId": "1", "http": http},
        "isBase64Encoded": False,
    }


doors = pytest.mark.parametrize("event", [rest, url])


@doors
def test_it_is_well(gateway, event):
    prelude, body = gateway.answer(event("/health"))
    assert (prelude["statusCode"], json.loads(body)) == (200, {"status": "ok"})


@doors
def test_it_finds_a_key_in_its_table_and_no_response_of_another_s(gateway, key, event):
    prelude, _ = gateway.answer(event("/v1/responses/resp_1", authorization=f"Bearer {key}"))
    assert prelude["statusCode"] == 404


@doors
def test_it_knows_no_other_key(gateway, event):
    prelude, body = gateway.answer(event("/v1/responses/resp_1", authorization="Bearer other"))
    assert prelude["statusCode"] == 401
    assert json.loads(body)["error"]["code"] == "invalid_api_key"


@pytest.mark.parametrize("name", [path.name for path in sorted(EVENTS.glob("*.json"))])
@pytest.mark.usefixtures("key")
def test_it_answers_every_event_that_is_kept(scripted, provider, name):
    """What exactly, the tests of the events tell; here nothing is missing that they need."""
    body = json.dumps(make_response(new_id())).encode()
    provider.respond_with(
        encode_stream(*make_events(new_id())) if "streamed" in name else encode_response(body)
    )
    prelude, body = scripted.answer(json.loads((EVENTS / name).read_bytes()))
    headers = {**prelude.get("headers", {}), **prelude.get("multiValueHeaders", {})}
    assert "x-antiphon-request-id" in {name.lower() for name in headers}
    assert prelude["statusCode"] < 500, body
    if name.endswith(("-create.json", "-create-streamed.json")):
        assert prelude["statusCode"] == 200


def test_it_needs_nothing_from_outside_but_python_itself(task_root, tmp_path):
    found = subprocess.run(
        [bare_python(tmp_path), "-c", PROBE],
        cwd=task_root,
        env={"TABLE_NAME": "table", "SECRET_PREFIX": "prefix", "AWS_DEFAULT_REGION": "us-east-1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    known = (str(task_root), sysconfig.get_path("stdlib"))
    assert [file for file in json.loads(found) if not file.startswith(known)] == []
