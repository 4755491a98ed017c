"""Requests made from /openapi.json, valid and invalid: every answer is one that it documents."""

import json
from functools import partial
from pathlib import Path

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation.feedback import FeedbackSources
from schemathesis.pytest._test_builder import build_operation_test
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from tests.support.concurrency import IS_SOAK
from tests.support.gateway import KEYS

PATH = Path(__file__).parents[2] / "functions" / "reference" / "openapi.json"
DOCUMENT = json.loads(PATH.read_text("utf-8"))
OPERATIONS = [(path, method) for path, item in DOCUMENT["paths"].items() for method in item]
# Requests with each limit of each field passed, and with all other methods: 40 for an operation.
COVERED = OPERATIONS if IS_SOAK else OPERATIONS[::6]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    unsupported_method,
]


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
    build_operation_test(
        config=schema.config,
        operation=schema[path][method],
        test_func=partial(check, played, session),
        given_kwargs={},
        feedback=FeedbackSources(),
        explicit_settings=SETTINGS,
    )()


def check(played, session, case):
    headers = {"authorization": f"Bearer {KEYS['acme']}"}
    response = case.call(base_url=played.url, headers=headers, timeout=60, session=session)
    # The document describes a stream as text, with which schemathesis compares each event.
    is_stream = response.headers["content-type"][0].startswith("text/event-stream")
    checks = CHECKS if is_stream else [*CHECKS, response_schema_conformance]
    case.validate_response(response, checks=checks, headers=headers)
