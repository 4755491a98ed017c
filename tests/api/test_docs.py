"""The reference where the stack or `sam local` sets how it is served."""

import gzip
import json

import pytest

from antiphon import wiring
from infra.local.http.events import build_rest_event, build_url_event
from infra.local.http.request import HttpRequest
from infra.project import CONFIG
from tests.support.handler import Handler

PLACES = {
    "TABLE_NAME": "t",
    "SECRET_PREFIX": "p",
    "QUEUE_URL": "http://127.0.0.1/q",
    "CONFIG_FILE": str(CONFIG),
}
GZIP = (("accept-encoding", "gzip"),)


@pytest.fixture(params=[build_rest_event, build_url_event])
def get(request, monkeypatch):
    """Sends a GET to a handler with more variables in its environment."""
    for name in ("AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "us-east-1")

    def get(path, **env):
        event = request.param(HttpRequest("GET", path, "", GZIP, b""))
        return Handler(wiring.api({**PLACES, **env}), [])(event)

    return get


@pytest.mark.parametrize(
    "path",
    [
        "/docs",
        "/v1/docs/",
        "/docs/0/page.js",
        "/openai/openapi.json",
        "/console",
        "/v1/console/",
        "/console/0/main.js",
    ],
)
def test_a_deployment_without_its_reference_says_so(get, path):
    answer = get(path, SERVE_DOCS="false")
    assert answer.status == 404
    assert "antiphon:docs" in json.loads(answer.body)["error"]["message"]


def test_the_index_is_a_part_of_the_reference(get):
    assert get("/", SERVE_DOCS="false").status == 404


def test_health_needs_no_reference(get):
    assert get("/health", SERVE_DOCS="false").status == 200


def test_sam_local_gets_text(get):
    """It would have to know by the content type that what it gets is Base64."""
    assert json.loads(get("/openapi.json", AWS_SAM_LOCAL="true").body)
    assert json.loads(gzip.decompress(get("/openapi.json").body))
