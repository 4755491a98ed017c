"""What the doctor finds where one thing is wrong: one check, and those that it needs."""

import json
from dataclasses import replace

import httpx
import pytest

from infra.doctor.checklist import CHECKS, run_checks
from infra.doctor.session import Plan, Session
from tests.doctor import faulty_proxy
from tests.doctor.test_doctor_command import FAULTS as COMMAND_FAULTS
from tests.support.gateway import KEYS, NO_TLS

IDENTITY = {"accept-encoding": "identity"}
BY_NAME = {check.name: check for check in CHECKS}


def needs_of(name):
    """Return the checks that must be ok before this one runs; all that use it create a response."""
    needs = {each for need in BY_NAME[name].needs for each in (need, *needs_of(need))}
    return needs | {"create"} if BY_NAME[name].costs and name != "create" else needs


def run_one(url, name, **options):
    """Run one check and what it needs, without pauses between its attempts."""
    needed = needs_of(name)
    checks = [check for check in CHECKS if check.name in {*needed, name}]
    with httpx.Client(base_url=url, timeout=20, headers=IDENTITY, verify=NO_TLS) as client:
        plan = Plan(KEYS["acme"], timeout=3, **options)
        session = Session(client, plan, pause=lambda _: None)
        found = {each.name: each.finding for each in run_checks(session, checks, id)}
    assert all(found[need].verdict == "ok" for need in needed), found
    return found[name]


def change_json(applies, change):
    """Change the JSON of responses whose path, and whose document, the condition is true for."""

    def changed(passed):
        if passed.streams:
            return passed
        body = faulty_proxy.read_all(passed)
        document = json.loads(body or b"null")
        new = change(document) if applies(passed.path, document) else document
        return replace(passed, chunks=[json.dumps(new).encode()])

    return changed


def at(part, change):
    """Change the responses whose path contains this."""
    return lambda passed: change(passed) if part in passed.path else passed


def without_parent(document):
    return {**document, "previous_response_id": None}


def drop_first_delta(passed):
    events = faulty_proxy.split_events(passed)
    events.remove(next(each for each in events if b".delta" in each))
    return replace(passed, chunks=events)


def without_type(passed):
    return replace(passed, headers={**passed.headers, "content-type": "text/html"})


def unsettled(document):
    links = [{**link, "status": "queued"} for link in document["data"]]
    return {**document, "data": links}


def interrupt_long_json(passed):
    is_long = not passed.streams and "/responses" in passed.path
    body = faulty_proxy.read_all(passed)
    if is_long and json.loads(body).get("max_output_tokens") == 8000:
        return replace(passed, status=504, chunks=[b'{"message": "Endpoint request timed out"}'])
    return replace(passed, chunks=[body])


# The check, the fault, what is seen, and a part of the advice.
FAULTS = {
    "metadata is exposed": ("health", faulty_proxy.EXPOSES_METADATA, "200", "InvokeMode"),
    "another server answers": ("health", faulty_proxy.RESPONDS_WITH_HTML, "200", "Another server"),
    "the gateway fails": ("models", faulty_proxy.FAILS, "500 gateway_error", "log group"),
    "a target has no credential": (
        "models",
        faulty_proxy.HAS_NO_CREDENTIAL,
        "502 upstream_auth",
        "antiphon secrets put",
    ),
    "a response has no ids": ("create", faulty_proxy.REMOVES_HEADERS, "200 without", "proxy"),
    "streams are buffered": (
        "flow",
        faulty_proxy.BUFFERS_STREAMS,
        "all at once",
        "RESPONSE_STREAM",
    ),
    "the last event is lost": (
        "end",
        faulty_proxy.DROPS_THE_LAST_EVENT,
        "ended after",
        "incomplete response",
    ),
    "the reference is not served": (
        "reference",
        at("/openapi.json", faulty_proxy.error(500, "gateway_error")),
        "500 gateway_error",
        "log group of the api function",
    ),
    "a response is not found": (
        "retrieve",
        at("/responses/", faulty_proxy.error(404, None)),
        "404: No.",
        "check the QueueAge alarm",
    ),
    "input items fail": (
        "input-items",
        at("/input_items", faulty_proxy.error(504, "upstream_timeout")),
        "504 upstream_timeout",
        "sent nothing for too long",
    ),
    "a parent is ignored": (
        "continue",
        change_json(lambda _, found: found.get("previous_response_id"), without_parent),
        "its parent is None",
        None,
    ),
    "a list has no final status": (
        "list",
        change_json(lambda path, _: "/responses?" in path, unsettled),
        "not within",
        "log groups of the api and settle",
    ),
    "a stream has another type": (
        "stream",
        faulty_proxy.change_streams(without_type),
        "200 text/html, not text/event-stream",
        "must not buffer",
    ),
    "an event is lost": (
        "order",
        faulty_proxy.change_streams(drop_first_delta),
        "after event ",
        "incomplete response as complete",
    ),
    "an abandoned response has no end": (
        "leave",
        change_json(lambda path, _: "/responses?" in path, unsettled),
        "its link has no final status",
        "settle",
    ),
    "a long stream is truncated": (
        "long",
        faulty_proxy.DROPS_THE_LAST_EVENT,
        "ended after",
        "incomplete response as complete",
    ),
    "a deleted response remains": (
        "delete",
        at("/responses/", lambda passed: replace(passed, status=200)),
        "deleted, and then 200",
        None,
    ),
    "usage is not counted": (
        "usage",
        change_json(lambda path, _: "/usage" in path, lambda _: {"total": {"requests": 7}}),
        "7 requests, and still after",
        "search its log group for 'change failed'",
    ),
    "usage is not reported": (
        "usage",
        at("/usage", faulty_proxy.error(500, "gateway_error")),
        "500 gateway_error",
        "log group of the api function",
    ),
    "metadata is not indexed": (
        "metadata",
        change_json(lambda path, _: "metadata" in path, lambda _: {"data": []}),
        "not found within",
        "antiphon doctor --stage",
    ),
    "another response is found": (
        "metadata",
        change_json(lambda path, _: "metadata" in path, lambda _: {"data": [{"id": "resp_1"}]}),
        "found resp_1 instead of",
        None,
    ),
    "a background response has no end": (
        "background",
        change_json(lambda path, _: "/responses?" in path, unsettled),
        "no end within",
        "recursive loop detection",
    ),
    "files are not accepted": (
        "file",
        at("/files", faulty_proxy.error(502, "upstream_auth")),
        "upload: 502 upstream_auth",
        "antiphon secrets put",
    ),
    "a deleted file remains": (
        "file",
        at("/files/", lambda passed: replace(passed, status=200)),
        "deleted, and then 200",
        "Delete the file file-",
    ),
    "long responses are cut": (
        "long-json",
        interrupt_long_json,
        "504: ",
        "API Gateway does after 5 minutes",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_detected(played, fault):
    name, change, seen, advice = FAULTS[fault]
    with faulty_proxy.run_proxy(played.url, change) as url:
        finding = run_one(url, name, long=0.1)
    assert finding.verdict == "fails"
    assert seen in finding.seen
    assert (advice or "") in (finding.advice or "")


def test_second_key_of_the_same_tenant_fails_the_check(played):
    finding = run_one(played.url, "foreign", other_key=KEYS["acme's other"])
    assert finding.verdict == "fails"
    assert all(f"{call}: 200" in finding.seen for call in ("retrieve", "follow-up", "delete"))
    assert "one tenant" in finding.advice


def test_every_check_is_shown_to_fail():
    shown = {name for name, *_ in FAULTS.values()}
    by_command = {name for _, names in COMMAND_FAULTS.values() for name in names}
    by_own_tests = {"reach", "foreign", "bedrock"}
    assert shown | by_command | by_own_tests == set(BY_NAME)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("file", "/files"),
        ("retrieve", "/responses/"),
        ("input-items", "/input_items"),
        ("delete", "/responses/"),
    ],
)
def test_what_the_target_does_not_serve_is_not_a_failure(played, name, part):
    refuse = faulty_proxy.error(400, "not_supported_by_target")
    with faulty_proxy.run_proxy(played.url, at(part, refuse)) as url:
        assert run_one(url, name).verdict == "skipped"


@pytest.mark.parametrize(
    ("change", "options", "verdict", "seen", "advice"),
    [
        (None, {"elsewhere": "gpt-5"}, "skipped", "says nothing of elsewhere", "only this target"),
        (None, {"simulated": None}, "skipped", "names patterns only", "--model"),
        ((502, "upstream_auth"), {"simulated": "m"}, "fails", "simulated, m: 502", "an agreement"),
        ((404, "model_not_found"), {"simulated": "m"}, "fails", "404 model_not", "inference prof"),
        ((503, "upstream_not_reached"), {"simulated": "m"}, "fails", "503", "Is region the name"),
    ],
)
def test_a_target_of_bedrock_answers_or_the_advice_says_what_to_do(
    played, change, options, verdict, seen, advice
):
    """No target serves the model `m`; its error is changed into that of a target of Bedrock."""

    def changed(passed):
        return faulty_proxy.error(*change)(passed) if passed.status == 404 else passed

    with faulty_proxy.run_proxy(played.url, changed) as url:
        finding = run_one(url, "bedrock", bedrock=options)
    assert finding.verdict == verdict
    assert seen in finding.seen
    assert advice in finding.advice
