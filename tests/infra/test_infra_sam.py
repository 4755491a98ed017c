"""How `sam local` reads the template and the function's responses, with SAM's own code.

Only Docker is missing: the emulator that SAM starts in containers runs without them here.
"""

import base64
import contextlib
import io
import json
import warnings

import pytest
from flask import Request
from werkzeug.test import EnvironBuilder

from infra.constructs.function_specs import FUNCTION_SPECS
from infra.local.aws.resources import QUEUE, TABLE, secret_name
from tests.infra.emulator import ARCH, Emulator
from tests.infra.synthesis import PROJECT
from tests.support.events import make_events, make_response, new_id
from tests.support.gateway import KEYS
from tests.support.lazy import LazyModule
from tests.support.provider import encode_response, encode_stream

api_provider = LazyModule("samcli.lib.providers.api_provider")
function_provider = LazyModule("samcli.lib.providers.sam_function_provider")
stack_provider = LazyModule("samcli.lib.providers.sam_stack_provider")
apigw = LazyModule("samcli.local.apigw.local_apigw_service")
env_vars = LazyModule("samcli.local.lambdafn.env_vars")
base_service = LazyModule("samcli.local.services.base_local_service")

EVENTS = sorted((PROJECT / "events").glob("*.json"))
SECRETS = {"openai": secret_name("openai")}
SHELL = {"TABLE_NAME": TABLE, "QUEUE_URL": QUEUE, "TARGET_SECRETS": json.dumps(SECRETS)}


class Local:
    """The template as `sam local` reads it."""

    def __init__(self, template):
        stacks, _ = stack_provider.SamLocalStackProvider.get_stacks(str(template))
        self.functions = function_provider.SamFunctionProvider(stacks)
        self.api = api_provider.ApiProvider(stacks, cwd=str(template.parent)).api

    def variables(self, function):
        """Return the container's environment; the shell's variables override the template's."""
        declared = function.environment["Variables"]
        values = env_vars.EnvironmentVariables(
            function.name,
            function.memory,
            function.timeout,
            function.handler,
            function.logging_config,
            variables=declared,
            shell_env_values=SHELL,
        )
        return values.resolve()


class Runner:
    """Runs a function for SAM, by its name in the template."""

    def __init__(self, local, function):
        self._local = local
        self._function = function

    def invoke(self, name, event, stdout, **_):
        assert self._local.functions.get(name).handler == "api.handler"
        stdout.write_str(self._function.invoke(json.loads(event)).decode())

    def is_debugging(self):
        return False


@pytest.fixture(scope="session")
def local(assembly):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # in SAM's own modules
        return Local(assembly / "Antiphon-prod.template.json")


@pytest.fixture(scope="module")
def function(local, gateway, _provider, tmp_path_factory):
    """Start the API function as SAM does; the table is that of the local gateway."""
    folder = tmp_path_factory.mktemp("sam")
    target = {"provider": "openai", "base_url": f"{_provider.address}/v1", "models": ["gpt-5"]}
    config = folder / "gateway.json"
    config.write_text(json.dumps({"targets": {"openai": target}}))
    found = local.functions.get("Api")
    local_env = {
        "CONFIG_FILE": str(config),
        "AWS_ENDPOINT_URL": gateway.aws_endpoint,
        "_HANDLER": found.handler,
    }
    task_root = PROJECT / found.codeuri
    started = Emulator(folder, task_root, {**local.variables(found), **local_env})
    with contextlib.closing(started):
        yield started


@pytest.fixture(scope="module")
def start_api(local, function):
    """`sam local start-api` without its port."""
    service = apigw.LocalApigwService(local.api, Runner(local, function))
    service.create()
    return service._app.test_client()


def test_sam_lists_every_function_with_its_settings(local):
    listed = {found.function_id: found for found in local.functions.get_all()}
    assert set(listed) == {spec.name.capitalize() for spec in FUNCTION_SPECS}
    for spec in FUNCTION_SPECS:
        found = listed[spec.name.capitalize()]
        assert (found.handler, found.runtime) == (f"{spec.name}.handler", "python3.13")
        assert found.architectures == [ARCH]
        assert (found.timeout, found.memory) == (spec.minutes * 60, spec.memory or 512)


def test_sam_uses_the_asset_and_its_wrapper(local):
    api = local.functions.get("Api")
    wrapper = api.environment["Variables"]["AWS_LAMBDA_EXEC_WRAPPER"]
    task_root = PROJECT / api.codeuri
    assert (task_root / wrapper.removeprefix("/var/task/")).stat().st_mode & 0o100
    assert (task_root / "gateway.toml").exists()


def test_shell_variables_override_the_table(local):
    given = local.variables(local.functions.get("Api"))
    assert SHELL.items() <= given.items()
    assert given["AWS_SAM_LOCAL"] == "true"


def test_sam_routes_every_path_and_method_to_the_api(local):
    routes = {route.path: route for route in local.api.routes}
    assert set(routes) == {"/", "/{proxy+}"}
    for route in routes.values():
        assert local.functions.get(route.function_name).function_id == "Api"
        assert set(route.methods) == set(apigw.Route.ANY_HTTP_METHODS)
        assert route.event_type == apigw.Route.API


def parsed(event, output):
    """Parse a response with SAM's parser for the event's payload format."""
    request = Request(EnvironBuilder(headers={"Accept": "*/*"}).get_environ())
    if event.get("version") == "2.0":
        return apigw.LocalApigwService._parse_v2_payload_format_lambda_output(output, [], request)
    return apigw.LocalApigwService._parse_v1_payload_format_lambda_output(
        output, [], request, apigw.Route.API
    )


@pytest.mark.parametrize("path", EVENTS, ids=[path.stem for path in EVENTS])
def test_sam_parses_the_response_to_every_sample_event(function, provider, path):
    body = json.dumps(make_response(new_id())).encode()
    events = make_events(new_id())
    provider.respond_with(
        encode_stream(*events) if "streamed" in path.stem else encode_response(body)
    )
    event = json.loads(path.read_bytes())
    output = function.invoke(event).decode()
    assert not base_service.LambdaOutputParser.is_lambda_error_response(output)
    status, headers, text = parsed(event, output)
    assert status < 500, text
    assert headers["X-Antiphon-Request-Id"]
    if path.stem.endswith("-create"):
        assert (status, text.encode()) == (200, body)
    if path.stem.endswith("-file-upload"):
        (received,) = provider.received
        assert (status, received.body) == (200, base64.b64decode(event["body"]))
    if path.stem.endswith("-create-streamed"):
        assert (status, text.encode()) == (200, b"".join(events))
        assert headers["Content-Type"].startswith("text/event-stream")


BEARER = {"Authorization": f"Bearer {KEYS['acme']}"}
CREATE = {"model": "gpt-5", "input": "Say hello."}


def test_start_api_responds_at_any_path(start_api):
    assert start_api.get("/health").json == {"status": "ok"}
    assert start_api.get("/").status_code == 404
    assert start_api.post("/v1/responses", json=CREATE).status_code == 401


def test_start_api_forwards_a_create_and_its_response(start_api, provider):
    body = json.dumps(make_response(new_id())).encode()
    provider.respond_with(encode_response(body))
    got = start_api.post("/v1/responses", json=CREATE, headers=BEARER)
    assert (got.status_code, got.data) == (200, body)
    assert got.headers["x-antiphon-target"] == "openai"


def test_start_api_returns_a_stream_as_a_whole(start_api, provider):
    events = make_events(new_id())
    provider.respond_with(encode_stream(*events))
    got = start_api.post("/openai/v1/responses", json={**CREATE, "stream": True}, headers=BEARER)
    assert (got.status_code, got.data) == (200, b"".join(events))
    assert got.content_type == "text/event-stream; charset=utf-8"


def test_start_api_forwards_a_form_of_text(start_api, provider):
    """SAM does not read BinaryMediaTypes where the API has no Swagger: it takes no other bytes."""
    provider.respond_with(encode_response(json.dumps({"id": f"file-{new_id()}"}).encode()))
    form = {"purpose": "assistants", "file": (io.BytesIO("é\r\n".encode()), "a.txt")}
    got = start_api.post("/v1/files", data=form, headers=BEARER)
    assert got.status_code == 200
    (received,) = provider.received
    assert "\r\n\r\né\r\n\r\n--".encode() in received.body
