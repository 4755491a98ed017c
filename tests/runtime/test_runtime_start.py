"""Starting: the handler's module, and SnapStart's two hooks."""

import json
import signal
import sys

import pytest

from antiphon.runtime.handler import extend_path


def init_error(api):
    post = api.expect("POST init/error")
    error = json.loads(post.body())
    assert post.header("Lambda-Runtime-Function-Error-Type") == error["errorType"]
    assert post.header("Content-Type") == "application/vnd.aws.lambda.error+json"
    api.reply()
    return error


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("nowhere.handler", "Runtime.ImportModuleError", "No module named 'nowhere'"),
        ("needs_more.handler", "Runtime.ImportModuleError", "'no_such_module_anywhere'"),
        ("handlers.missing", "Runtime.HandlerNotFound", "'missing' missing on module 'handlers'"),
        ("handlers.HEADERS", "Runtime.HandlerNotFound", "'HEADERS' missing on module 'handlers'"),
        ("handler", "Runtime.MalformedHandlerName", "'handler'"),
        ("broken.handler", "ValueError", "init é"),
        ("leaves.handler", "Runtime.ExitError", "SystemExit: 3"),
    ],
)
def test_a_start_that_fails_is_told_and_ends_the_process(api, start, name, kind, message):
    runtime = start(name)
    error = init_error(api)
    assert error["errorType"] == kind
    assert message in error["errorMessage"]
    assert runtime.exit_code() == 1
    assert runtime.log()[0].startswith(f"[ERROR] {kind}: ")


def test_the_trace_of_a_failed_import_begins_in_the_module(api, start):
    start("needs_more.handler")
    assert "needs_more.py" in init_error(api)["stackTrace"][0]


def test_the_task_root_comes_first_then_layers_then_lambdas_own_libraries(monkeypatch):
    monkeypatch.setattr(sys, "path", ["/usr/lib", "/task"])
    extend_path({"LAMBDA_TASK_ROOT": "/task", "LAMBDA_RUNTIME_DIR": "/var/runtime"})
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    layers = [f"/opt/python/lib/{version}/site-packages", "/opt/python"]
    assert sys.path == ["/task", *layers, "/var/runtime", "/usr/lib"]


def test_snapstart_runs_the_hooks_around_the_snapshot(api, start):
    runtime = start("snapped.handler", AWS_LAMBDA_INITIALIZATION_TYPE="snap-start")
    api.expect("GET restore/next")
    api.reply(200)
    runtime.ask()
    assert json.loads(api.response().body()) == [
        "before, registered last",
        "before, registered first",
        "after, registered first",
        "after, registered last",
    ]


def test_without_snapstart_no_hook_runs(api, start):
    runtime = start("snapped.handler", AWS_LAMBDA_INITIALIZATION_TYPE="on-demand")
    runtime.ask()
    assert api.response().body() == b"[]"


def test_a_failing_hook_before_the_snapshot_is_an_init_error(api, start):
    runtime = start("snapped.handler", AWS_LAMBDA_INITIALIZATION_TYPE="snap-start", FAILS="before")
    error = init_error(api)
    assert error["errorType"] == "Runtime.BeforeSnapshotError"
    assert error["errorMessage"] == "ConnectionError: still é open"
    assert runtime.exit_code() == 1


def test_a_failing_hook_after_it_is_a_restore_error(api, start):
    runtime = start("snapped.handler", AWS_LAMBDA_INITIALIZATION_TYPE="snap-start", FAILS="after")
    api.expect("GET restore/next")
    api.reply(200)
    post = api.expect("POST restore/error")
    error = json.loads(post.body())
    assert post.header("Lambda-Runtime-Function-Error-Type") == "Runtime.AfterRestoreError"
    assert error["errorMessage"] == "LookupError: no é network"
    api.reply()
    assert runtime.exit_code() == 1


def test_ctrl_c_between_two_invocations_ends_quietly(api, start):
    runtime = start("handlers.echo")
    api.expect("GET invocation/next")
    runtime.process.send_signal(signal.SIGINT)
    assert runtime.exit_code() == 130
    assert runtime.log() == []
