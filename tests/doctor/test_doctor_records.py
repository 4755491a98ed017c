"""What the doctor finds where one thing is not recorded, not deleted, or cut."""

import json
from dataclasses import replace

import httpx
import pytest

from infra.doctor.checklist import CHECKS, run_checks
from infra.doctor.session import Plan, Session
from tests.doctor import faulty_proxy
from tests.support.gateway import KEYS

NEEDED = ("reach", "models", "create")


def run_one(url, name, **options):
    """Run one check and what it needs, without pauses between its attempts."""
    checks = [check for check in CHECKS if check.name in (*NEEDED, name)]
    with httpx.Client(base_url=url, timeout=20) as client:
        plan = Plan(KEYS["acme"], timeout=0.25, **options)
        session = Session(client, plan, pause=lambda _: None)
        found = {each.check.name: each.finding for each in run_checks(session, checks, id)}
    assert all(found[need].verdict == "ok" for need in NEEDED), found
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
    "usage is not counted": (
        "usage",
        change_json(lambda path, _: "/usage" in path, lambda _: {"total": {"requests": 7}}),
        "7 requests, and still after",
        "search its log group for 'change failed'",
    ),
    "usage is not reported": (
        "usage",
        lambda p: faulty_proxy.error(500, "gateway_error")(p) if "/usage" in p.path else p,
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
        lambda p: faulty_proxy.error(502, "upstream_auth")(p) if "/files" in p.path else p,
        "upload: 502 upstream_auth",
        "put-secret-value",
    ),
    "a deleted file remains": (
        "file",
        lambda p: replace(p, status=200) if "/files/" in p.path else p,
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


def test_target_without_files_is_not_a_failure(played):
    refuse = faulty_proxy.error(400, "not_supported_by_target")
    with faulty_proxy.run_proxy(
        played.url, lambda p: refuse(p) if "/files" in p.path else p
    ) as url:
        assert run_one(url, "file").verdict == "skipped"
