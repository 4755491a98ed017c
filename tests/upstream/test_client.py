"""Which candidates are called, how often, and which outcome the caller gets."""

import itertools
import json
from collections import Counter

import httpx
import pytest

from antiphon.errors import CredentialMissing, GatewayError
from antiphon.providers.openai import OpenAI
from antiphon.providers.provider import Candidate
from antiphon.settings.config import Gateway
from antiphon.upstream.circuit_breaker import CircuitBreaker
from antiphon.upstream.client import UpstreamClient, retry_until_visible
from antiphon.upstream.exchange import Exchange
from antiphon.upstream.outcome import UpstreamRequest, UpstreamResponse, policy_for_status
from tests.support.upstream import Over

NAMES = ("first", "second", "third")
JSON = {"content-type": "application/json"}


class Credentials:
    """Credentials by target; `renewed` are those that a 401 leads to."""

    def __init__(self, missing=(), renewed=()):
        self.missing, self.renewed = set(missing), dict(renewed)

    def get(self, target):
        if target in self.missing:
            raise CredentialMissing("m")
        return f"key-of-{target}"

    def renew(self, target, _rejected):
        return self.renewed.get(target)


class ClosedCircuits:
    """Circuits of an environment that shares none."""

    def open_until(self, _target):
        return 0

    def open(self, _target, _until):
        """Keep every circuit closed."""

    def now(self):
        return 0


class Targets:
    """Each host is a target that answers with the next of its scripts."""

    def __init__(self, **scripts):
        self.scripts = {name: itertools.cycle(script) for name, script in scripts.items()}
        self.calls = []
        self.keys = []

    def __call__(self, request):
        name = request.url.host
        self.calls.append(name)
        self.keys.append(request.headers["authorization"])
        outcome = next(self.scripts[name])
        if isinstance(outcome, Exception):
            raise outcome
        status, error = outcome if isinstance(outcome, tuple) else (outcome, {})
        return httpx.Response(status, headers=JSON, content=json.dumps({"error": error}).encode())


def candidates(*names, model="gpt-5"):
    return [Candidate(name, OpenAI(f"https://{name}/v1"), model) for name in names]


def make_client(targets, credentials=None):
    return UpstreamClient(
        Exchange(Over(httpx.MockTransport(targets)), Gateway()),
        credentials or Credentials(),
        CircuitBreaker(ClosedCircuits(), 3, 30),
        35,
    )


def send(targets, *names, credentials=None):
    request = UpstreamRequest("POST", "/responses", body=b"{}")
    response = make_client(targets, credentials).send(candidates(*(names or NAMES)), request)
    return response, request.metrics


def test_the_next_target_is_called_exactly_where_the_policy_fails_over():
    for status in range(400, 600):
        targets = Targets(first=[status], second=[200], third=[200])
        fails_over = policy_for_status(status).fails_over or status == 404
        response, metrics = send(targets)
        assert targets.calls == (["first", "second"] if fails_over else ["first"]), status
        assert response.status == (200 if fails_over else status), status
        assert response.headers["x-antiphon-attempts"] == str(len(targets.calls)), status
        assert response.headers["x-antiphon-target"] == targets.calls[-1], status
        assert [attempt.target for attempt in metrics.attempts] == targets.calls, status


@pytest.mark.parametrize(
    ("error", "is_sent"),
    [
        (httpx.ConnectError("m"), False),
        (httpx.ConnectTimeout("m"), False),
        (httpx.ReadTimeout("m"), True),
        (httpx.WriteTimeout("m"), True),
        (httpx.ReadError("m"), True),
        (httpx.RemoteProtocolError("m"), True),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_fault_is_followed_by_another_target_only_before_anything_was_sent(error, is_sent):
    targets = Targets(first=[error], second=[200])
    if not is_sent:
        assert send(targets, "first", "second")[0].target == "second"
        return
    with pytest.raises(GatewayError) as raised:
        send(targets, "first", "second")
    assert targets.calls == ["first"]
    assert raised.value.retry is False
    assert raised.value.headers["x-antiphon-target"] == "first"


def test_every_target_is_called_once_where_all_are_busy():
    targets = Targets(first=[429], second=[503], third=[(404, {"code": "model_not_found"})])
    response, _ = send(targets)
    assert targets.calls == list(NAMES)
    assert (response.status, response.target) == (429, "first")
    assert response.headers["x-antiphon-attempts"] == "3"


def test_if_all_targets_reject_the_credential_the_error_says_the_callers_key_is_valid():
    with pytest.raises(GatewayError, match="Your key is valid") as raised:
        send(Targets(first=[401], second=[403]), "first", "second")
    assert raised.value.code == "upstream_auth"


def test_a_target_without_a_credential_is_passed_over():
    targets = Targets(second=[200])
    response, metrics = send(targets, "first", "second", credentials=Credentials(["first"]))
    assert response.target == "second"
    assert [attempt.status for attempt in metrics.attempts] == ["target_credential_missing", 200]


def test_after_a_401_a_renewed_credential_is_tried_once():
    targets = Targets(first=[401, 200])
    response, _ = send(targets, "first", credentials=Credentials(renewed={"first": "new"}))
    assert response.status == 200
    assert targets.keys == ["Bearer key-of-first", "Bearer new"]


@pytest.mark.parametrize("status", [402, 422, 429, 500, 503])
def test_no_other_status_renews_a_credential(status):
    targets = Targets(first=[status])
    response, _ = send(targets, "first", credentials=Credentials(renewed={"first": "new"}))
    assert targets.keys == ["Bearer key-of-first"]
    assert response.status == status


def test_a_renewed_credential_that_is_refused_too_is_not_tried_again():
    targets = Targets(first=[401], second=[200])
    credentials = Credentials(renewed={"first": "new"})
    response, _ = send(targets, "first", "second", credentials=credentials)
    assert Counter(targets.calls) == {"first": 2, "second": 1}
    assert response.target == "second"


def outcome(status, **error):
    return UpstreamResponse("azure", status, {}, json.dumps({"error": error}).encode())


MISSING = outcome(400, code="previous_response_not_found")


@pytest.mark.parametrize(
    ("outcomes", "calls"),
    [
        ([outcome(200)], 1),
        ([outcome(500)], 1),
        ([outcome(400, code="invalid_value")], 1),
        ([GatewayError("m")], 1),
        ([MISSING, outcome(200)], 2),
    ],
    ids=["found", "failed", "invalid", "fault", "late"],
)
def test_only_a_missing_parent_is_waited_for(outcomes, calls):
    made = []

    def call():
        made.append(outcomes[min(len(made), len(outcomes) - 1)])
        return made[-1]

    assert retry_until_visible(call, 30) is outcomes[-1]
    assert len(made) == calls


def test_a_missing_parent_is_not_waited_for_beyond_the_time():
    made = []
    assert retry_until_visible(lambda: made.append(1) or MISSING, 0.1) is MISSING
    assert len(made) == 1
