"""What is advised, which model is asked, and where."""

import json
import socket
import ssl

import httpx
import pytest

from infra.doctor import address, advice
from infra.doctor.answer import Answer
from infra.doctor.models import choose
from infra.doctor.session import padded, unknown_id
from infra.doctor.table import CHECKS


@pytest.mark.parametrize(
    ("served", "asked"),
    [
        (["gpt-5", "gpt-5-nano", "gpt-4.1-nano"], "gpt-5-nano"),
        (["gpt-4o-mini-tts", "gpt-4o-mini-realtime-preview", "gpt-4o"], "gpt-4o"),
        (["gpt-9", "gpt-9-small"], "gpt-9-small"),
        (["our-deployment"], "our-deployment"),
        (["gpt-image-1", "text-embedding-3-small", "sim-reset-mid-delta"], None),
        ([], None),
    ],
)
def test_the_model_that_is_asked_writes_text_and_is_cheap(served, asked):
    assert choose(served) == asked


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
def test_a_base_url_may_come_with_its_prefix_or_without(given, base):
    assert address.base(given) == base


@pytest.mark.parametrize("given", ["a.example", "ftp://a", "http://a.example", "https://a/?b=c"])
def test_what_cannot_be_a_base_url_is_refused(given):
    with pytest.raises(address.BadAddress):
        address.base(given)


def because(exc, cause):
    exc.__cause__ = cause
    return exc


@pytest.mark.parametrize(
    ("exc", "advised"),
    [
        (because(httpx.ConnectError(""), socket.gaierror()), advice.NO_SUCH_HOST),
        (because(httpx.ConnectError(""), ssl.SSLCertVerificationError()), advice.TLS),
        (httpx.ConnectError("refused"), advice.NOBODY_LISTENS),
        (httpx.ConnectTimeout(""), advice.NOBODY_LISTENS),
        (httpx.ReadTimeout(""), advice.SLOW),
        (httpx.RemoteProtocolError(""), advice.LOG),
    ],
)
def test_a_call_without_an_answer_is_told_by_its_cause(exc, advised):
    assert advice.of_failure(exc) == advised


def answer(status, body=b""):
    return Answer(status, httpx.Headers(), body, 0.1)


def test_an_error_s_code_says_more_than_its_status():
    body = json.dumps({"error": {"code": "upstream_auth", "message": "No."}}).encode()
    assert "put-secret-value" in advice.of(answer(502, body))
    assert "did not start" in advice.of(answer(502, b"Internal Server Error"))
    assert "FunctionUrl" in advice.of(answer(403, b'{"Message":"Forbidden"}'))
    assert advice.of(answer(200)) is None


@pytest.mark.parametrize("body", [b"\xff", b"[]", b'{"error": "No."}', b"<p>"])
def test_an_answer_may_be_anything(body):
    found = answer(500, body)
    assert (found.error, found.enveloped) == ({}, False)
    assert found.said.startswith("500: ")


def test_what_is_asked_for_in_vain_looks_like_what_there_is():
    assert unknown_id() != unknown_id()
    assert len(padded(1000)) == 1000
    assert json.loads(padded(1000)).keys() == {"padding"}


def test_a_check_needs_only_what_comes_before_it():
    known = set()
    for check in CHECKS:
        assert known.issuperset(check.needs)
        assert check.name not in known
        known.add(check.name)


def test_what_is_free_needs_nothing_that_costs():
    costly = {check.name for check in CHECKS if check.costs}
    assert not [c.name for c in CHECKS if not c.costs and costly.intersection(c.needs)]
