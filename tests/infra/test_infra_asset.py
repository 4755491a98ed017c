"""The uploaded asset, started by its wrapper, without any other package on the path."""

import contextlib
import json
import subprocess
import sysconfig

import pytest

from antiphon.store import keys
from antiphon.store.dynamodb import marshal
from infra.bundle import INCLUDED_SUBFOLDERS
from infra.constructs.function_specs import FUNCTION_SPECS
from tests.infra.emulator import Emulator, bare_python
from tests.infra.synthesis import PROJECT
from tests.support.events import make_events, make_response, new_id
from tests.support.provider import encode_response, encode_stream

EVENTS = PROJECT / "events"
KEY = "sk-acme-0123456789"  # as in the events
PROBE = f"""
import importlib, json, sys
import antiphon.foundation, antiphon.pricing, botocore.session
for name in {[spec.name for spec in FUNCTION_SPECS]}:
    importlib.import_module(name)
session = botocore.session.get_session()
for service in {sorted(INCLUDED_SUBFOLDERS["botocore/data"])}:
    session.create_client(service)
tls = antiphon.foundation.build_tls({{}})
antiphon.foundation.build_transport(tls, "https://proxy.example", {{}}).close()
assert antiphon.pricing.Prices({{}}).cost("gpt-5", {{"input_tokens": 1, "output_tokens": 1}})
files = [getattr(module, "__file__", None) for module in sys.modules.values()]
print(json.dumps([file for file in files if file]))
"""


@pytest.fixture(scope="module")
def start(deployed, task_root, tmp_path_factory):
    """`start()` starts the deployed function with the environment from its stack."""
    function = deployed.function
    variables = {**function["Environment"]["Variables"], "_HANDLER": function["Handler"]}
    with contextlib.ExitStack() as started:

        def start(**env):
            folder = tmp_path_factory.mktemp("emulator")
            emulator = Emulator(folder, task_root, {**deployed.account.env, **variables, **env})
            return started.enter_context(contextlib.closing(emulator))

        yield start


@pytest.fixture(scope="module")
def gateway(start):
    return start()


@pytest.fixture(scope="module")
def credential(deployed, diagnosis):  # noqa: ARG001  which must find the secret as it was made
    """Put a credential into the target's secret; restore the secret after the tests."""
    secrets, name = deployed.client("secretsmanager"), deployed.secrets["openai"]
    before = secrets.get_secret_value(SecretId=name)["SecretString"]
    secrets.put_secret_value(SecretId=name, SecretString="credential-of-openai")
    yield
    secrets.put_secret_value(SecretId=name, SecretString=before)


@pytest.fixture(scope="module")
def scripted(start, credential, _provider, tmp_path_factory):  # noqa: ARG001  the function reads it
    """Start it with a configuration whose only target is the scripted provider."""
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


endpoints = pytest.mark.parametrize("event", [rest, url])


@endpoints
def test_it_is_healthy(gateway, event):
    prelude, body = gateway.invoke_streaming(event("/health"))
    assert (prelude["statusCode"], json.loads(body)) == (200, {"status": "ok"})


@endpoints
def test_it_finds_a_key_in_its_table_and_no_unknown_response(gateway, key, event):
    prelude, _ = gateway.invoke_streaming(
        event("/v1/responses/resp_1", authorization=f"Bearer {key}")
    )
    assert prelude["statusCode"] == 404


@endpoints
def test_it_refuses_an_unknown_key(gateway, event):
    prelude, body = gateway.invoke_streaming(
        event("/v1/responses/resp_1", authorization="Bearer other")
    )
    assert prelude["statusCode"] == 401
    assert json.loads(body)["error"]["code"] == "invalid_api_key"


# The responses to all sample events are checked in tests/api, with the source.
@pytest.mark.parametrize("kind", ["rest", "url"])
@pytest.mark.parametrize(
    "name", ["create", "create-streamed", "retrieve-unknown", "models", "usage"]
)
@pytest.mark.usefixtures("key")
def test_it_responds_to_sample_events(scripted, provider, kind, name):
    name = f"{kind}-{name}.json"
    body = json.dumps(make_response(new_id())).encode()
    provider.respond_with(
        encode_stream(*make_events(new_id())) if "streamed" in name else encode_response(body)
    )
    prelude, body = scripted.invoke_streaming(json.loads((EVENTS / name).read_bytes()))
    headers = {**prelude.get("headers", {}), **prelude.get("multiValueHeaders", {})}
    assert "x-antiphon-request-id" in {name.lower() for name in headers}
    assert prelude["statusCode"] < 500, body
    if name.endswith(("-create.json", "-create-streamed.json")):
        assert prelude["statusCode"] == 200


def test_it_needs_only_python_and_its_standard_library(task_root, tmp_path):
    output = subprocess.run(
        [bare_python(tmp_path), "-c", PROBE],
        cwd=task_root,
        env={"TABLE_NAME": "table", "AWS_DEFAULT_REGION": "us-east-1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    allowed = (str(task_root), sysconfig.get_path("stdlib"))
    assert [file for file in json.loads(output) if not file.startswith(allowed)] == []
