"""The start of the process: the handler's module, and SnapStart."""

import json
import signal
import socket
import sys

import pytest

from antiphon.runtime.__main__ import limit_restore
from antiphon.runtime.entry import extend_path
from antiphon.runtime.failure import Fault


def init_error(api):
    return startup_error(api.expect("POST init/error"), api)


def restore_error(api):
    return startup_error(api.expect("POST restore/error"), api)


def startup_error(post, api):
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
def test_a_failed_start_is_reported_and_ends_the_process(api, start, name, kind, message):
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


def test_snapstart_takes_the_snapshot_between_the_import_and_the_first_event(api, start):
    runtime = start("snapped.handler", AWS_LAMBDA_INITIALIZATION_TYPE="snap-start")
    api.expect("GET restore/next")
    assert runtime.log() == ["imported"]
    api.reply(200)
    runtime.invoke()
    assert api.response().body() == b'"restored"'


def test_after_the_restore_a_connection_of_the_snapshot_is_replaced(api, start):
    runtime = start("snapped.handler", AWS_LAMBDA_INITIALIZATION_TYPE="snap-start")
    api.expect("GET restore/next")
    api.reply(200)
    api.expect("GET invocation/next")
    api.cut()
    runtime.invoke()
    assert api.response().body() == b'"restored"'


def test_after_the_restore_the_handler_and_the_random_state_are_new(api, start):
    runtime = start("renewed.handler", AWS_LAMBDA_INITIALIZATION_TYPE="snap-start")
    api.expect("GET restore/next")
    api.reply(200)
    runtime.invoke()
    result = json.loads(api.response().body())
    assert (result["handler"], result["repeats"]) == (2, False)


def test_the_collector_of_memory_begins_after_the_start_and_leaves_what_that_made(api, start):
    runtime = start("renewed.handler")
    runtime.invoke()
    is_enabled, leaves_some = json.loads(api.response().body())["memory"]
    assert is_enabled
    assert leaves_some


def test_a_failed_renewal_is_a_restore_error_and_ends_the_process(api, start):
    runtime = start(
        "renewed.handler", AWS_LAMBDA_INITIALIZATION_TYPE="snap-start", RENEWAL="no network"
    )
    api.expect("GET restore/next")
    api.reply(200)
    error = restore_error(api)
    assert (error["errorType"], error["errorMessage"]) == ("OSError", "no network")
    assert runtime.exit_code() == 1


def test_a_renewal_that_waits_ends_before_lambda_ends_the_environment():
    reader, writer = socket.socketpair()
    with reader, writer, pytest.raises(Fault, match="took longer"), limit_restore(0.05):
        reader.recv(1)
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_without_snapstart_there_is_no_snapshot(api, start):
    runtime = start("snapped.handler", AWS_LAMBDA_INITIALIZATION_TYPE="on-demand")
    runtime.invoke()
    assert api.response().body() == b'"restored"'


def test_a_failed_import_before_the_snapshot_is_an_init_error(api, start):
    runtime = start("broken.handler", AWS_LAMBDA_INITIALIZATION_TYPE="snap-start")
    assert init_error(api)["errorType"] == "ValueError"
    assert runtime.exit_code() == 1


def test_a_refused_restore_is_a_restore_error_and_ends_the_process(api, start):
    runtime = start("snapped.handler", AWS_LAMBDA_INITIALIZATION_TYPE="snap-start")
    api.expect("GET restore/next")
    api.reply(500, b"no snapshot")
    error = restore_error(api)
    assert error["errorType"] == "Refused"
    assert error["errorMessage"] == "The Runtime API responded with status 500: no snapshot"
    assert runtime.exit_code() == 1


def test_a_cut_during_the_restore_is_a_restore_error_too(api, start):
    runtime = start("snapped.handler", AWS_LAMBDA_INITIALIZATION_TYPE="snap-start")
    api.expect("GET restore/next")
    api.cut()
    assert restore_error(api)["errorType"] == "Disconnected"
    assert runtime.exit_code() == 1


def test_ctrl_c_between_two_invocations_ends_quietly(api, start):
    runtime = start("handlers.echo")
    api.expect("GET invocation/next")
    runtime.process.send_signal(signal.SIGINT)
    assert runtime.exit_code() == 130
    assert runtime.log() == []
