"""The advice for errors, the choice of the model, and the base URL."""

import json
import socket
import ssl

import httpx
import pytest

from infra.doctor import findings
from infra.doctor.base_url import normalize_base_url
from infra.doctor.checklist import CHECKS
from infra.doctor.responses import ApiResponse
from infra.doctor.session import build_padded_body, choose_model, random_response_id


@pytest.mark.parametrize(
    ("served", "chosen"),
    [
        (["gpt-5", "gpt-5-nano", "gpt-4.1-nano"], "gpt-5-nano"),
        (["gpt-4o-mini-tts", "gpt-4o-mini-realtime-preview", "gpt-4o"], "gpt-4o"),
        (["gpt-9", "gpt-9-small"], "gpt-9-small"),
        (["our-deployment"], "our-deployment"),
        (["gpt-image-1", "text-embedding-3-small", "sim-reset-mid-delta"], None),
        ([], None),
    ],
)
def test_chosen_model_is_a_cheap_text_model(served, chosen):
    assert choose_model(served) == chosen


@pytest.mark.parametrize(
    ("given", "base"),
    [
        ("https://a.example", "https://a.example/v1"),
        ("https://a.example/", "https://a.example/v1"),
        ("https://a.example/v1/", "https://a.example/v1"),
        ("https://a.example/prod", "https://a.example/prod/v1"),
        ("https://a.example/prod/v1", "https://a.example/prod/v1"),
        ("https://a.example/openai", "https://a.example/openai"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/v1"),
        ("http://[::1]:8080", "http://[::1]:8080/v1"),
    ],
)
def test_base_url_can_have_a_prefix_or_none(given, base):
    assert normalize_base_url(given) == base


@pytest.mark.parametrize("given", ["a.example", "ftp://a", "http://a.example", "https://a/?b=c"])
def test_invalid_base_url_is_refused(given):
    with pytest.raises(ValueError, match=r"give |Give "):
        normalize_base_url(given)


def caused_by(exc, cause):
    exc.__cause__ = cause
    return exc


@pytest.mark.parametrize(
    ("exc", "advice"),
    [
        (caused_by(httpx.ConnectError(""), socket.gaierror()), findings.UNKNOWN_HOST),
        (caused_by(httpx.ConnectError(""), ssl.SSLCertVerificationError()), findings.TLS),
        (httpx.ConnectError("refused"), findings.NO_CONNECTION),
        (httpx.ConnectTimeout(""), findings.NO_CONNECTION),
        (httpx.ReadTimeout(""), findings.SLOW),
        (httpx.RemoteProtocolError(""), findings.READ_LOG),
    ],
)
def test_advice_for_exceptions_depends_on_their_cause(exc, advice):
    assert findings.advise_on_exception(exc) == advice


def build_response(status, body=b""):
    return ApiResponse(status, httpx.Headers(), body, 0.1)


def test_error_code_takes_precedence_over_status():
    body = json.dumps({"error": {"code": "upstream_auth", "message": "No."}}).encode()
    assert "antiphon secrets put" in findings.advise_on_response(build_response(502, body))
    assert "did not start" in findings.advise_on_response(
        build_response(502, b"Internal Server Error")
    )
    assert "FunctionUrl" in findings.advise_on_response(
        build_response(403, b'{"Message":"Forbidden"}')
    )
    assert findings.advise_on_response(build_response(200)) is None


@pytest.mark.parametrize("body", [b"\xff", b"[]", b'{"error": "No."}', b"<p>"])
def test_any_body_can_be_read(body):
    found = build_response(500, body)
    assert (found.error, found.has_envelope) == ({}, False)
    assert found.summary.startswith("500: ")


def test_generated_ids_and_bodies_are_well_formed():
    assert random_response_id() != random_response_id()
    assert len(build_padded_body(1000)) == 1000
    assert json.loads(build_padded_body(1000)).keys() == {"padding"}


def test_checks_need_only_earlier_checks():
    known = set()
    for check in CHECKS:
        assert known.issuperset(check.needs)
        assert check.name not in known
        known.add(check.name)


def test_free_checks_need_only_free_checks():
    costly = {check.name for check in CHECKS if check.costs}
    assert not [c.name for c in CHECKS if not c.costs and costly.intersection(c.needs)]
