"""Requests made from /openapi.json, valid and invalid: every answer is one that it documents."""

import json
from functools import partial
from pathlib import Path

import pytest
import requests
from hypothesis import HealthCheck, settings

from tests.support.concurrency import IS_SOAK
from tests.support.gateway import KEYS
from tests.support.lazy import LazyModule

schemathesis = LazyModule("schemathesis")
builder = LazyModule("schemathesis.pytest._test_builder")
feedback = LazyModule("schemathesis.generation.feedback")
checks = LazyModule("schemathesis.specs.openapi.checks")

PATH = Path(__file__).parents[2] / "functions" / "reference" / "openapi.json"
DOCUMENT = json.loads(PATH.read_text("utf-8"))
OPERATIONS = [(path, method) for path, item in DOCUMENT["paths"].items() for method in item]
# Requests with each limit of each field passed, and with all other methods: 40 for an operation.
COVERED = OPERATIONS if IS_SOAK else OPERATIONS[::6]
SETTINGS = settings(
    max_examples=200 if IS_SOAK else 5,
    deadline=None,
    derandomize=not IS_SOAK,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def session():
    """Connections that are used again."""
    with requests.Session() as opened:
        opened.trust_env = False
        yield opened


@pytest.fixture(scope="module")
def schema():
    return schemathesis.openapi.from_dict(DOCUMENT)


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_answer_is_a_documented_one(schema, path, method, played, session):
    schema.config.phases.coverage.enabled = (path, method) in COVERED
    # `schema.parametrize` would make all requests of all operations wherever tests are collected.
    builder.build_operation_test(
        config=schema.config,
        operation=schema[path][method],
        test_func=partial(check, played, session),
        given_kwargs={},
        feedback=feedback.FeedbackSources(),
        explicit_settings=SETTINGS,
    )()


def check(played, session, case):
    headers = {"authorization": f"Bearer {KEYS['prober']}"}
    response = case.call(base_url=played.url, headers=headers, timeout=60, session=session)
    case.validate_response(response, checks=checks_of(response), headers=headers)


def checks_of(response):
    found = [
        schemathesis.checks.not_a_server_error,
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.unsupported_method,
    ]
    # The document describes a stream as text, with which schemathesis compares each event.
    is_stream = response.headers["content-type"][0].startswith("text/event-stream")
    return found if is_stream else [*found, checks.response_schema_conformance]
