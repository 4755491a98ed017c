"""The text that a guardrail judges, its verdicts, and what is done without one."""

import json
import os
from datetime import UTC, datetime

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from antiphon import foundation
from antiphon.auth import Caller
from antiphon.errors import ContentRefused, GuardrailUnavailable
from antiphon.guardrail import Guardrail, find_texts
from antiphon.http import Request
from antiphon.schema.create import CreateResponse
from antiphon.store.aws_session import AwsSession
from antiphon.store.aws_signature import Signer
from antiphon.store.guardrails import MASKED, NO_REASON, BedrockGuardrail, FunctionGuardrail
from antiphon.upstream.aws_transport import AwsTransport
from tests.support.provider import RESET, SILENCE, FakeProvider, encode_response

ARN = "arn:aws:lambda:eu-central-1:123456789012:function:judge:live"
CALLER = Caller("acme", "key_1")
SECRET_TEXT = "a text that nobody may log"
BODY = {"model": "gpt-5", "input": SECRET_TEXT}
NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def _service():
    service = FakeProvider()
    yield service
    service.close()


@pytest.fixture
def service(_service):
    _service.reset()
    yield _service
    _service.reset()


@pytest.fixture
def ask(service, monkeypatch):
    """Ask the guardrail of this name about a body; the answer is a script of the service."""
    for name, value in {"ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "b"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    names = ("AWS_ENDPOINT_URL_LAMBDA", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME")
    transport = foundation.build_transport(foundation.build_tls({}), None, {})
    env = {**os.environ, **dict.fromkeys(names, service.address)}
    aws = AwsSession(foundation.open_botocore, env, AwsTransport(transport.exchange))

    def ask(answer, *, bedrock=False, refuses=True, seconds=2.0, **members):
        service.respond_with(answer)
        judge = (
            BedrockGuardrail(aws, "abc123:DRAFT", seconds)
            if bedrock
            else FunctionGuardrail(aws, ARN, seconds)
        )
        request = Request("req_1", "POST")
        Guardrail(judge, refuses).check(CreateResponse.of({**BODY, **members}), CALLER, request)
        return request.metrics.fields

    yield ask
    transport.close()


def verdict(document, status=200, **headers):
    return encode_response(json.dumps(document).encode(), status, **headers)


def test_a_function_gets_the_text_and_whose_it_is(ask, service):
    fields = ask(verdict({"action": "allow"}), instructions="Be brief.")
    (got,) = service.received
    name = "arn%3Aaws%3Alambda%3Aeu-central-1%3A123456789012%3Afunction%3Ajudge%3Alive"
    assert got.line == f"POST /2015-03-31/functions/{name}/invocations HTTP/1.1"
    assert json.loads(got.body) == {
        "tenant": "acme",
        "model": "gpt-5",
        "texts": ["Be brief.", SECRET_TEXT],
    }
    assert "/eu-central-1/lambda/aws4_request" in got.headers["authorization"]
    assert fields["guardrail_ms"] > 0


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("It asks for a diagnosis.", "It asks for a diagnosis."),
        (None, NO_REASON),
        ("x" * 9_000, "x" * 500),
    ],
)
def test_a_refusal_has_the_reason_of_the_function(ask, reason, expected):
    with pytest.raises(ContentRefused) as caught:
        ask(verdict({"action": "refuse", "reason": reason}))
    assert str(caught.value) == f"The guardrail of this gateway refuses the input: {expected}"
    assert (caught.value.status, caught.value.code, caught.value.retry) == (
        400,
        "content_policy",
        False,
    )


def bedrock_verdict(action, text, policy):
    return verdict(
        {
            "action": "GUARDRAIL_INTERVENED",
            "outputs": [{"text": text}],
            "assessments": [{policy: {"rules": [{"action": action, "match": "secret"}]}}],
        }
    )


def test_bedrock_gets_each_text_as_a_block(ask, service):
    ask(verdict({"action": "NONE", "outputs": [], "assessments": []}), bedrock=True)
    (got,) = service.received
    assert got.line == "POST /guardrail/abc123/version/DRAFT/apply HTTP/1.1"
    content = [{"text": {"text": SECRET_TEXT}}]
    assert json.loads(got.body) == {"source": "INPUT", "content": content}
    assert "/eu-central-1/bedrock/aws4_request" in got.headers["authorization"]


def test_what_bedrock_blocks_is_refused_with_the_operators_message(ask):
    with pytest.raises(ContentRefused, match=r"refuses the input: We do not discuss this\."):
        ask(bedrock_verdict("BLOCKED", "We do not discuss this.", "topicPolicy"), bedrock=True)


def test_what_bedrock_would_mask_is_refused_without_the_masked_text(ask):
    with pytest.raises(ContentRefused) as caught:
        ask(bedrock_verdict("ANONYMIZED", "My name is {NAME}", "sensitivePolicy"), bedrock=True)
    assert str(caught.value).endswith(MASKED)


FAILURES = {
    "status": (verdict({"message": SECRET_TEXT}, 429), "status 429"),
    "function error": (
        verdict({"errorMessage": SECRET_TEXT}, **{"x-amz-function-error": "Unhandled"}),
        "the function failed",
    ),
    "not JSON": (encode_response(b"<html>"), "its answer is not JSON"),
    "a list": (verdict([SECRET_TEXT]), "its answer is not an object"),
    "no action": (verdict({"reason": SECRET_TEXT}), "its answer has no action 'allow' or 'refuse'"),
    "reset": (RESET, "no answer: NoAnswer"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_without_a_verdict_the_configuration_decides(ask, name, caplog):
    answer, reason = FAILURES[name]
    with pytest.raises(GuardrailUnavailable) as caught:
        ask(answer)
    assert (caught.value.status, caught.value.retry) == (503, None)  # a retry is safe
    ask(answer, refuses=False)
    records = [
        record for record in caplog.records if record.message == "no verdict of the guardrail"
    ]
    assert [record.reason for record in records] == [reason, reason]
    assert SECRET_TEXT not in caplog.text


def test_bedrock_without_an_action_is_no_verdict(ask):
    with pytest.raises(GuardrailUnavailable):
        ask(verdict({"action": "MAYBE"}), bedrock=True)


def test_a_silent_guardrail_is_waited_for_until_its_time_is_over(ask):
    with pytest.raises(GuardrailUnavailable):
        ask(SILENCE, seconds=0.1)


def test_nothing_is_asked_about_a_body_without_text(ask, service):
    ask(verdict({"action": "refuse"}), input=[{"type": "item_reference", "id": "msg_1"}])
    assert service.received == []


def test_text_is_found_at_every_depth_and_nothing_else():
    image = {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "low"}
    document = {
        "model": "gpt-5",
        "metadata": {"team": "not for the guardrail"},
        "instructions": "one",
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "two"}, image]},
            {"role": "user", "content": "three"},
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": '{"city":"four"}'},
            {
                "type": "function_call_output",
                "call_id": "c",
                "output": [{"type": "x", "text": "five"}],
            },
            {"type": "reasoning", "encrypted_content": "AAAA", "summary": [{"text": "six"}]},
            {"type": "newer_than_this_gateway", "said": {"deeply": ["seven", "  "]}},
        ],
        "prompt": {"id": "pmpt_1", "version": "2", "variables": {"topic": "eight", "id": "nine"}},
    }
    found = [*find_texts(document)]
    assert found == [
        "one",
        "two",
        "three",
        '{"city":"four"}',
        "five",
        "six",
        "seven",
        "eight",
        "nine",
    ]


def test_a_path_with_escapes_is_signed_as_botocore_signs_it(monkeypatch):
    url = (
        "https://lambda.eu-central-1.amazonaws.com/2015-03-31/functions/arn%3Aaws%3Aa~b/invocations"
    )
    credentials, headers = (
        Credentials("AKID", "secret", "token"),
        {"content-type": "application/json"},
    )
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: NOW)
    request = AWSRequest("POST", url, headers, b"{}")
    botocore.auth.SigV4Auth(credentials, "lambda", "eu-central-1").add_auth(request)
    signed = Signer("lambda", "eu-central-1", url, lambda: NOW).sign(headers, b"{}", credentials)
    assert signed["authorization"] == request.headers["Authorization"]
