"""The policy: what follows from every status and every fault."""

import inspect
import json

import pytest

from antiphon import errors
from antiphon.errors import (
    CredentialMissing,
    GatewayError,
    InvalidRequest,
    LinkNotWritten,
    Unavailable,
    UpstreamFailed,
    UpstreamNotReached,
    UpstreamRefusedUs,
    UpstreamTimeout,
)
from antiphon.providers.openai import OpenAI
from antiphon.providers.provider import Candidate
from antiphon.upstream.outcome import (
    SERVER_ERRORS,
    STATUSES,
    UpstreamResponse,
    error_preference,
    fault_to_report,
    policy_for,
    policy_for_fault,
    policy_for_status,
    retry_after,
)
from antiphon.upstream.timers import deadline_reached

CANDIDATE = Candidate("openai", OpenAI("https://api.openai.com/v1"), "gpt-5")
WITHOUT_MODEL = Candidate("openai", OpenAI("https://api.openai.com/v1"), None)
FAILURES = range(400, 600)
REFUSED_AT_ONCE = {401, 403, 429, 503}
RETRIED_BY_SDKS = {408, 409, 429, *range(500, 600)}
FAULTS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, GatewayError)
]


def response(status, headers=None, **error):
    return UpstreamResponse("openai", status, headers or {}, json.dumps({"error": error}).encode())


def test_only_a_status_that_certainly_started_nothing_is_harmless():
    for status in FAILURES:
        policy = policy_for_status(status)
        may_have_started = status == 499 or (status >= 500 and status != 503)
        assert policy.processed == ("unknown" if may_have_started else "no"), status
        assert policy.charges is may_have_started, status
        assert policy.frees_key is not may_have_started, status


def test_no_sdk_retries_what_may_have_been_processed():
    for status in FAILURES:
        policy = policy_for_status(status)
        assert policy.should_retry is (False if policy.processed == "unknown" else None), status
        if status in RETRIED_BY_SDKS and policy.should_retry is None:
            assert policy.processed == "no", status


def test_another_target_is_called_only_where_the_first_refused_at_once():
    for status in FAILURES:
        assert policy_for_status(status).fails_over is (status in REFUSED_AT_ONCE), status


def test_failures_of_the_target_count_against_its_circuit():
    for status in FAILURES:
        is_failure = status >= 500 or status in REFUSED_AT_ONCE
        assert policy_for_status(status).counts_against_circuit is is_failure, status


def test_every_status_has_its_reason():
    for status in FAILURES:
        assert policy_for_status(status).reason.endswith((".", ").")), status


@pytest.mark.parametrize("status", [501, 520, 521, 522, 523, 524, 529])
def test_statuses_of_proxies_have_a_reason_of_their_own(status):
    assert SERVER_ERRORS[status] == policy_for_status(status).reason
    assert policy_for_status(status) != policy_for_status(599)


@pytest.mark.parametrize("status", [200, 201, 204])
def test_a_success_is_processed_and_settled_by_its_usage(status):
    policy = policy_for_status(status)
    assert (policy.processed, policy.fails_over, policy.should_retry) == ("yes", False, None)
    assert not policy.frees_key


@pytest.mark.parametrize(
    ("fault", "processed", "fails_over", "circuit"),
    [
        (UpstreamNotReached("m"), "no", True, True),
        (CredentialMissing("m"), "no", True, False),
        (UpstreamRefusedUs("m"), "no", True, True),
        (UpstreamFailed("m"), "unknown", False, True),
        (UpstreamTimeout("m"), "unknown", False, True),
        (deadline_reached(), "unknown", False, False),
        (InvalidRequest("m"), "no", False, False),
        (LinkNotWritten("m"), "yes", False, False),
        (RuntimeError("m"), "unknown", False, False),
    ],
    ids=lambda value: getattr(value, "code", None) or str(value),
)
def test_each_fault_has_its_policy(fault, processed, fails_over, circuit):
    policy = policy_for_fault(fault)
    assert (policy.processed, policy.fails_over) == (processed, fails_over)
    assert policy.counts_against_circuit is circuit
    assert policy.charges is (processed != "no")
    assert policy.frees_key is (processed == "no")


@pytest.mark.parametrize("kind", FAULTS)
def test_an_error_of_ours_never_invites_a_retry_of_what_may_have_been_processed(kind):
    if kind.processed != "no":
        assert kind.retry is False
    assert policy_for_fault(kind("m")).should_retry is kind.retry


@pytest.mark.parametrize("kind", FAULTS)
def test_no_fault_of_ours_has_repeated_what_a_provider_has_done(kind):
    fault = kind("m")
    assert fault_to_report(fault, is_done=False) is fault
    reported = fault_to_report(fault, is_done=True)
    if fault.retry is not False and fault.status >= 500 and issubclass(kind, Unavailable):
        assert (type(reported), reported.retry) == (LinkNotWritten, False)
        assert "retry-after" not in reported.headers
    else:
        assert reported is fault


@pytest.mark.parametrize(
    ("status", "error", "fails_over"),
    [
        (400, {"code": "model_not_found"}, True),
        (400, {"code": "DeploymentNotFound"}, True),
        (400, {"code": "invalid_encrypted_content"}, True),
        (400, {"message": "The encrypted content could not be verified."}, True),
        (400, {"code": "invalid_value", "param": "input"}, False),
        (404, {"code": "model_not_found", "param": "model"}, True),
        (404, {}, True),
        (404, {"code": "previous_response_not_found", "param": "previous_response_id"}, False),
        (404, {"param": "conversation"}, False),
    ],
)
def test_the_error_decides_about_400_and_404(status, error, fails_over):
    policy = policy_for(response(status, **error), CANDIDATE)
    assert (policy.processed, policy.fails_over) == ("no", fails_over)
    assert not policy.counts_against_circuit


def test_what_one_target_stores_is_not_looked_for_at_another():
    assert not policy_for(response(404), WITHOUT_MODEL).fails_over


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error":"x"}', b'{"error":[1]}'])
def test_a_body_that_is_no_error_decides_nothing(body):
    answer = UpstreamResponse("openai", 400, {}, body)
    assert not policy_for(answer, CANDIDATE).fails_over


def test_of_all_errors_the_one_that_a_retry_may_cure_is_returned():
    ranked = [
        response(429),
        UpstreamNotReached("m"),
        response(404, code="model_not_found"),
        response(401),
    ]
    assert sorted(ranked, key=error_preference) == ranked
    assert error_preference(CredentialMissing("m")) == error_preference(response(403))


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, {"retry-after": "7"}, 7),
        (503, {"retry-after": "7"}, 7),
        (429, {"retry-after-ms": "1500", "retry-after": "7"}, 1.5),
        (429, {"retry-after": "99999"}, 900),
        (429, {"retry-after": "0"}, None),
        (429, {"retry-after": "soon"}, None),
        (429, {"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"}, None),
        (429, {"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"}, 900),
        (429, {"retry-after": "Fri, 31 Dec 9999 23:59:59 -99999999999"}, None),
        (429, {}, None),
        (500, {"retry-after": "7"}, None),
    ],
)
def test_a_busy_target_says_for_how_long(status, headers, seconds):
    assert retry_after(response(status, headers)) == seconds
    assert retry_after(UpstreamFailed("m")) is None


def test_the_table_names_each_status_once():
    assert not STATUSES.keys() & SERVER_ERRORS.keys()
