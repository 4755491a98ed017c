"""The context and the environment that a handler sees."""

import json
import os
import time

import pytest

ENV = {
    "AWS_LAMBDA_FUNCTION_NAME": "gateway",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/gateway",
    "AWS_LAMBDA_LOG_STREAM_NAME": "2025/01/01/[$LATEST]1",
}


def read_response(api, id="id-1"):
    response = json.loads(api.response(id).body())
    api.reply()
    return response


def test_the_context_has_what_powertools_reads(api, start):
    runtime = start("handlers.context", **ENV)
    deadline = int(time.time() * 1000) + 60_000
    headers = {
        "lambda_runtime_deadline_ms": deadline,
        "lambda_runtime_aws_tenant_id": "tenant-1",
        "lambda_runtime_client_context": '{"custom": {"a": 1}}',
        "lambda_runtime_cognito_identity": '{"cognitoIdentityId": "i"}',
    }
    runtime.invoke(id="id-5", headers=headers)
    context = read_response(api, "id-5")
    assert 0 < context.pop("left") <= 60_000
    assert context == {
        "aws_request_id": "id-5",
        "invoked_function_arn": "arn:aws:lambda:eu-west-1:1:function:f",
        "function_name": "gateway",
        "function_version": "$LATEST",
        "memory_limit_in_mb": "512",
        "log_group_name": "/aws/lambda/gateway",
        "log_stream_name": "2025/01/01/[$LATEST]1",
        "tenant_id": "tenant-1",
        "client_context": {"custom": {"a": 1}},
        "identity": {"cognitoIdentityId": "i"},
        "deadline_ms": deadline,
    }


def test_missing_attributes_are_none(api, start):
    runtime = start("handlers.context")
    runtime.invoke()
    context = read_response(api)
    assert [context[name] for name in ("tenant_id", "client_context", "identity")] == [None] * 3


def test_no_time_is_left_after_the_deadline(api, start):
    runtime = start("handlers.context")
    runtime.invoke(headers={"lambda_runtime_deadline_ms": 1})
    assert read_response(api)["left"] == 0


def test_a_context_header_that_is_not_json_is_a_clean_error(api, start):
    runtime = start("handlers.context")
    runtime.invoke(headers={"lambda_runtime_client_context": "{"})
    error = json.loads(api.error().body())
    assert error["errorType"] == "Runtime.LambdaContextUnmarshalError"


def test_the_trace_id_is_set_for_its_own_invocation_only(api, start):
    runtime = start("handlers.state", _X_AMZN_TRACE_ID="stale")
    runtime.invoke(id="id-1", headers={"lambda_runtime_trace_id": "Root=1-a;Sampled=1"})
    assert read_response(api, "id-1")["trace"] == "Root=1-a;Sampled=1"
    runtime.invoke(id="id-2")
    assert read_response(api, "id-2")["trace"] is None


def test_the_function_runs_in_its_task_root(api, start, task_root):
    runtime = start("handlers.state")
    runtime.invoke()
    assert read_response(api)["cwd"] == str(task_root)


@pytest.mark.parametrize("name", ["folder/nested.handler", "folder.nested.handler"])
def test_a_handler_may_live_in_a_folder(api, start, name):
    runtime = start(name)
    runtime.invoke(a=1)
    assert read_response(api) == {"a": 1}


def test_the_wrapper_can_be_executed(wrapper):
    assert os.access(wrapper, os.X_OK)
