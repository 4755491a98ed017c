"""A handler that fails: its error report, its log record, and that the process goes on."""

import json

import pytest

from tests.support.function import kept_by_lambda


def test_an_exception_is_reported_with_type_message_and_trace(api, start):
    runtime = start("handlers.raises")
    runtime.invoke(id="id-9", **{"raise": "ValueError"}, args=["nö\nway"])
    post = api.error("id-9")
    body = post.body()
    assert post.headers == [
        ("Host", api.address),
        ("User-Agent", "antiphon-runtime"),
        ("Content-Type", "application/vnd.aws.lambda.error+json"),
        ("Lambda-Runtime-Function-Error-Type", "ValueError"),
        ("Content-Length", str(len(body))),
    ]
    error = json.loads(body)
    assert (error["errorType"], error["errorMessage"]) == ("ValueError", "nö\nway")
    assert error["requestId"] == "id-9"
    assert len(error["stackTrace"]) == 1  # the handler's frames, none of the runtime's
    assert 'handlers.py", line' in error["stackTrace"][0]


def test_it_is_one_log_record_without_content_of_the_event(api, start):
    runtime = start("handlers.raises")
    runtime.invoke(**{"raise": "ValueError"}, args=["nö\nway"], secret="MARKER")
    api.error().body()
    (record,) = runtime.end()[:1]
    assert record.startswith("[ERROR] ValueError: nö\rway\rTraceback (most recent call last):\r")
    assert "in raises" in record
    assert "MARKER" not in record


def test_failures_and_lost_responses_are_kept_by_lambda_at_the_level_warn(api, start):
    runtime = start("handlers.raises", AWS_LAMBDA_LOG_FORMAT="JSON", AWS_LAMBDA_LOG_LEVEL="WARN")
    runtime.invoke(id="id-9", **{"raise": "ValueError"}, args=["nö\nway"])
    api.error("id-9").body()
    api.reply(500, b"full")
    log = "\n".join(runtime.end())
    failed, lost, *_ = kept_by_lambda(log, "WARN")
    expected = {"errorType": "ValueError", "errorMessage": "nö\nway", "requestId": "id-9"}
    assert {name: failed[name] for name in expected} == expected
    assert 'handlers.py", line' in failed["stackTrace"][0]
    assert failed["level"] == "ERROR"
    assert lost["level"] == "WARN"
    assert "500: full" in lost["message"]


def test_a_failed_start_is_kept_by_lambda_at_the_level_error(api, start):
    runtime = start("nowhere.handler", AWS_LAMBDA_LOG_FORMAT="JSON", AWS_LAMBDA_LOG_LEVEL="ERROR")
    api.expect("POST init/error")
    api.reply()
    assert runtime.exit_code() == 1
    (record,) = kept_by_lambda("\n".join(runtime.log()), "ERROR")
    assert record["errorType"] == "Runtime.ImportModuleError"


@pytest.mark.parametrize("kind", ["ValueError", "GeneratorExit"])
def test_after_an_exception_the_next_invocation_is_served(api, start, kind):
    runtime = start("handlers.raises")
    for number in range(2):
        runtime.invoke(id=f"id-{number}", **{"raise": kind}, args=[])
        assert json.loads(api.error(f"id-{number}").body())["errorType"] == kind
        api.reply()


@pytest.mark.parametrize(
    ("kind", "args", "message"),
    [
        ("SystemExit", [0], "SystemExit: 0"),
        ("SystemExit", ["bye"], "SystemExit: bye"),
        ("KeyboardInterrupt", [], "KeyboardInterrupt"),
    ],
)
def test_an_exit_is_reported_and_then_done(api, start, kind, args, message):
    runtime = start("handlers.raises")
    runtime.invoke(**{"raise": kind}, args=args)
    error = json.loads(api.error().body())
    assert (error["errorType"], error["errorMessage"]) == ("Runtime.ExitError", message)
    api.reply()
    assert runtime.exit_code() == 1


def test_a_result_that_is_not_json_is_a_marshal_error(api, start):
    runtime = start("handlers.unserialisable")
    runtime.invoke()
    error = json.loads(api.error().body())
    assert error["errorType"] == "Runtime.MarshalError"
    assert "Object of type object is not JSON serializable" in error["errorMessage"]
    api.reply()
    assert runtime.end()[0].startswith("[ERROR] Runtime.MarshalError: The result is not JSON: ")


@pytest.mark.parametrize("payload", [b"{", b"\xff", b"[" * 100_000])
def test_an_event_that_is_not_json_is_an_unmarshal_error(api, start, payload):
    start("handlers.echo")
    api.give(payload)
    assert json.loads(api.error().body())["errorType"] == "Runtime.UnmarshalError"


def test_the_invocation_id_is_repeated_in_errors_responses_and_streams(api, start):
    runtime = start("handlers.returned")
    nonce = {"lambda_runtime_invocation_id": "nonce-1"}
    echoed = ("Lambda-Runtime-Invocation-Id", "nonce-1")

    runtime.invoke(headers=nonce)  # no result in it: a KeyError
    post = api.error()
    assert echoed in post.headers
    post.body()
    api.reply()

    runtime.invoke(headers=nonce, result=1)
    post = api.response()
    assert echoed in post.headers
    post.body()
    api.reply()

    runtime.invoke(headers=nonce, result={"statusCode": 200})
    assert echoed in api.response().headers


@pytest.mark.parametrize("status", [400, 410, 413, 500])
def test_a_refused_response_is_logged_and_the_loop_goes_on(api, start, status):
    runtime = start("handlers.echo")
    runtime.invoke()
    api.response().body()
    api.reply(status, b'{"errorType":"T"}')
    runtime.invoke(id="id-2")
    api.response("id-2").body()
    api.reply()
    message = f'The Runtime API responded with status {status}: {{"errorType":"T"}}'
    assert runtime.end()[0] == f"[WARN] A response was not delivered. {message}"


def test_the_reason_is_logged_when_a_large_response_is_refused_during_its_write(api, start):
    runtime = start("handlers.echo")
    runtime.invoke(text="x" * 5_000_000)
    api.response()
    api.reply(413, b"too large")
    api.hang_up()
    runtime.invoke(id="id-2")
    api.response("id-2").body()
    (record, *_) = runtime.end()
    assert (
        record
        == "[WARN] A response was not delivered. The Runtime API responded with status 413: too large"
    )


def test_a_connection_lost_while_waiting_is_replaced(api, start):
    runtime = start("handlers.echo")
    api.expect("GET invocation/next")
    api.cut()
    runtime.invoke()
    assert api.response().body() == b"{}"


def test_a_closed_connection_is_replaced_before_the_response_is_sent(api, start):
    runtime = start("handlers.scripted")
    runtime.invoke(script=[["wait"], ["chunk", "a"]])
    api.hang_up()
    runtime.release()
    assert api.response().chunks()[0].endswith(b"a")


def test_without_a_runtime_api_the_process_ends(api, start):
    runtime = start("handlers.echo")
    api.expect("GET invocation/next")
    (record,) = runtime.end()
    assert record.startswith("[ERROR] Runtime.Gone: ")
    assert runtime.exit_code() == 1


def test_a_refused_request_for_an_event_ends_the_process(api, start):
    runtime = start("handlers.echo")
    api.expect("GET invocation/next")
    api.reply(403, b'{"errorType":"InvalidStateTransition"}')
    assert runtime.exit_code() == 1
